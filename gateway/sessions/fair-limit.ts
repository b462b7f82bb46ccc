// Who has to go when a limit on what all tokens have together is reached: nobody can drive others out by having many.

/** The oldest entry of the token that has most of them; entries come oldest first. Undefined where there is none. */
export function oldestOfMost<Entry extends { readonly tokenId: string }>(
  entries: Iterable<Entry>
): Entry | undefined {
  const byToken = new Map<string, { oldest: Entry; count: number }>()
  for (const entry of entries) {
    const known = byToken.get(entry.tokenId)
    if (known === undefined) byToken.set(entry.tokenId, { oldest: entry, count: 1 })
    else known.count++
  }
  let most: { oldest: Entry; count: number } | undefined
  for (const one of byToken.values()) if (most === undefined || one.count > most.count) most = one
  return most?.oldest
}
