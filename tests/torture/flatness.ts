// Whether a series of samples stays flat: a straight line through what comes after the warm-up.

export interface Flatness {
  /** Values of the line at the beginning and the end of what is judged. */
  from: number
  to: number
  mean: number
  /** What it rises meanwhile, as a part of the mean. */
  rise: number
}

/** The part of the time that is warm-up. */
export const WARM_UP = 1 / 3

/** Least squares over the samples after the warm-up; samples are as far apart from each other. */
export function flatnessOf(values: readonly number[]): Flatness {
  const judged = values.slice(Math.floor(values.length * WARM_UP))
  const count = Math.max(1, judged.length)
  const mean = judged.reduce((sum, value) => sum + value, 0) / count
  const middle = (count - 1) / 2
  let [covariance, variance] = [0, 0]
  for (const [index, value] of judged.entries()) {
    covariance += (index - middle) * (value - mean)
    variance += (index - middle) ** 2
  }
  const slope = variance === 0 ? 0 : covariance / variance
  const [from, to] = [mean - slope * middle, mean + slope * middle]
  return { from, to, mean, rise: mean === 0 ? 0 : (to - from) / mean }
}
