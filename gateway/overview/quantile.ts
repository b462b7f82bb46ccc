// Quantiles of what a Prometheus histogram counted between two looks at it. Pure.

/** Counts of a histogram: `counts[i]` observations were at most `bounds[i]`, and `count` were made in all. */
export interface HistogramCounts {
  /** Rising, without infinity. */
  bounds: readonly number[]
  /** Cumulative, as many as there are bounds. */
  counts: readonly number[]
  count: number
}

/**
 * The value below which the share `q` (0 to 1) of the observations since `before` lies, interpolated within its bucket as
 * Prometheus' `histogram_quantile` does it; the highest bound where it lies above that; null when there were none.
 */
export function quantileSince(
  before: HistogramCounts | null,
  now: HistogramCounts,
  q: number
): number | null {
  const total = now.count - (before?.count ?? 0)
  if (total <= 0) return null
  const rank = q * total
  let below = 0
  let lower = 0
  for (const [index, upper] of now.bounds.entries()) {
    const upTo = (now.counts[index] ?? 0) - (before?.counts[index] ?? 0)
    if (upTo >= rank && upTo > below) return lower + ((upper - lower) * (rank - below)) / (upTo - below)
    below = upTo
    lower = upper
  }
  return lower
}
