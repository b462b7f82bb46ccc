// Which neighbouring blocks are worth merging. Pure.

/** Blocks are merged up to these sizes; a read opens one whole, so larger ones would not help. */
export const BLOCK_ENTRIES_MAX = 4096
export const BLOCK_BYTES_MAX = 512 * 1024

interface Head {
  first: number
  last: number
  bytes: number
}

export interface MergePlan<Some extends Head> {
  /** Neighbours to merge into one; none when there is nothing to do here. */
  run: Some[]
  /** Blocks before this need not be looked at again. */
  from: number
}

/**
 * Finds the first run of neighbours to merge among heads in log order. A block that holds more than half of what its
 * run would is left out until enough has come after it: so an entry is rewritten a few times, not at every pass.
 */
export function mergeRun<Some extends Head>(heads: readonly Some[]): MergePlan<Some> {
  let from = heads[0]?.first ?? 0
  for (let start = 0; start < heads.length;) {
    const end = runEnd(heads, start)
    const closed = end < heads.length // what follows does not fit any more
    const run = heads.slice(start, end)
    if (!closed) while (run.length > 1 && (run[0]?.bytes ?? 0) * 2 > bytesOf(run)) run.shift()
    if (run.length > 1) return { run, from }
    if (!closed) break
    start = end
    from = heads[start]?.first ?? from
  }
  return { run: [], from }
}

function runEnd(heads: readonly Head[], start: number): number {
  let entries = 0
  let bytes = 0
  let end = start
  for (; end < heads.length; end++) {
    const head = heads[end] as Head
    entries += head.last - head.first + 1
    bytes += head.bytes
    if (end > start && (entries > BLOCK_ENTRIES_MAX || bytes > BLOCK_BYTES_MAX)) break
  }
  return end
}

function bytesOf(run: readonly Head[]): number {
  return run.reduce((sum, head) => sum + head.bytes, 0)
}
