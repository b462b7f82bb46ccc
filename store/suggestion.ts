// Which name somebody meant who wrote another. Pure.

/**
 * The candidate that is nearest to what was written, or null when none is near: by edit distance of the whole, or, for
 * dotted paths, with an equal last part in another section.
 */
export function suggest(written: string, candidates: readonly string[]): string | null {
  const lower = written.toLowerCase()
  let nearest: string | null = null
  let least = Math.max(2, Math.floor(written.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(lower, candidate.toLowerCase())
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  if (least <= 2) return nearest
  const key = lastPart(lower)
  return candidates.find(candidate => lastPart(candidate.toLowerCase()) === key) ?? nearest
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

/** Fewest insertions, removals, replacements and swaps of neighbours that turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let before: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1)
      )
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    before = above
    above = current
  }
  return above[to.length] ?? 0
}
