// Cuts a batch into frames of a bounded size. Pure.
import { openBatch } from './batches.ts'
import type { BatchOptions } from './batches.ts'
import type { Entry, Format } from './messages.ts'

/** Bytes beyond which a frame takes no further notification: what a client must be able to hold, and a slow socket adds. */
const FRAME_BYTES_MAX = 256 * 1024

export interface FrameCut {
  bytes: Buffer
  /** Who has this frame has everything up to this sequence. */
  through: number
  /** Notifications in it. */
  count: number
}

/** The entries as whole frames (or server-sent events) in order, the last of which reaches `through`. */
export function cutFrames(entries: readonly Entry[], options: BatchOptions & { format: Format }): FrameCut[] {
  const frames: FrameCut[] = []
  const batch = openBatch(options.format, options)
  let left = entries.length
  let count = 0
  for (const entry of entries) {
    batch.add(entry)
    count++
    const isLast = --left === 0
    if (!isLast && batch.bytes < FRAME_BYTES_MAX) continue
    const through = isLast ? options.through : entry.notification.seq
    frames.push({ bytes: batch.end(through), through, count })
    count = 0
  }
  return frames
}
