// Long lists, worked off over several turns of the event loop, so that one packet that lists thousands of things does not
// keep everybody else waiting.

/** Things handled in one turn; some milliseconds, where each takes some microseconds. */
const SLICE = 250

/** Hands over the list slice by slice, one in each turn, the first at once; then calls `done`. */
export function inSlices<Item>(
  items: readonly Item[],
  onSlice: (slice: readonly Item[]) => void,
  done: () => void
): void {
  if (items.length <= SLICE) {
    onSlice(items)
    return done()
  }
  let at = 0
  const next = () => {
    onSlice(items.slice(at, at + SLICE))
    at += SLICE
    if (at < items.length) setImmediate(next)
    else done()
  }
  next()
}
