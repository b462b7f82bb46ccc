// Cuts a batch into frames of a bounded size. Pure.
import { encodeBatch } from './messages.ts'
import type { BatchOptions, Entry, Format } from './messages.ts'

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
  let from = 0
  let bytes = 0
  for (let at = 0; at < entries.length; at++) {
    const next = entries[at + 1]
    bytes += sizeOf(entries[at], options)
    if (next !== undefined && bytes < FRAME_BYTES_MAX) continue
    const part = from === 0 && next === undefined ? entries : entries.slice(from, at + 1)
    const through = next === undefined ? options.through : (part.at(-1)?.notification.seq ?? options.through)
    frames.push({
      bytes: encodeBatch(options.format, part, { ...options, through }),
      through,
      count: part.length
    })
    from = at + 1
    bytes = 0
  }
  return frames
}

function sizeOf(entry: Entry | undefined, { format, epoch }: { format: Format; epoch: string }): number {
  if (entry === undefined) return 0
  return format === 'msgpack' ? entry.msgpack(epoch).length : entry.json(epoch).length
}
