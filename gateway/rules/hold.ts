// How long something has held without a break, for conditions that must hold for a time. Pure.

/** Since when it holds, ms since 1970, and whether it has held long enough before. */
export interface Hold {
  since: number
  raised: boolean
}

/** What follows from its holding now. `raised` is true from the first time that it has held for so long. */
export function holding(hold: Hold | null, at: number, forMs: number): Hold {
  // A clock that was set back must not make it wait for what has passed already.
  const since = Math.min(hold?.since ?? at, at)
  const raised = hold?.raised === true || at - since >= forMs
  return hold?.since === since && hold.raised === raised ? hold : { since, raised }
}

/** When it will have held for long enough; null: it has. */
export function holdDueAt({ since, raised }: Hold, forMs: number): number | null {
  return raised ? null : since + forMs
}
