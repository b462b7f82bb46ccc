// Where values stand on an axis, and which of them are named. Pure.

export interface Scale {
  /** Named values, from the lowest to the highest. */
  ticks: number[]
  /** From 0 at the lowest tick to 1 at the highest. */
  at(value: number): number
}

const TICKS_MIN = 4

/** From 0 to a round number that is not below `max`. */
export function linearScale(max: number): Scale {
  const rough = max > 0 ? max / TICKS_MIN : 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * power).find(size => size * TICKS_MIN >= max) ?? rough
  const count = Math.max(1, Math.ceil(max / step - 1e-9))
  const ticks = Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)))
  const top = ticks.at(-1) ?? 1
  return { ticks, at: value => value / top }
}

/** Powers of ten around the values, which must be above 0. */
export function logarithmicScale(min: number, max: number): Scale {
  const low = Math.floor(Math.log10(min))
  const high = Math.max(low + 1, Math.ceil(Math.log10(max) - 1e-9))
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
  return { ticks, at: value => (Math.log10(value) - low) / (high - low) }
}
