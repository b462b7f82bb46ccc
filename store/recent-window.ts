// The newest committed blocks, in memory up to a limit of bytes, for followers and reads that are a little behind. They
// are held as encoded: kept as objects, every event would outlive the garbage collector's cheap first passes, which
// cost more than decoding again what few ask for.
import type { BlockHead } from './block-reader.ts'
import { MsgpackReader } from './msgpack-reader.ts'
import { readEntry } from './entry-codec.ts'
import type { Batch } from './store.ts'
import type { Notification } from './notification.ts'

const HELD_BYTES = 300 // what a block costs beside its bytes, about
// Blocks kept decoded: those that catch up together ask for the same ones.
const DECODED_MAX = 4

/** A committed block. */
export interface RecentBlock extends BlockHead {
  body: Uint8Array
}

export class RecentWindow {
  readonly #bytesMax: number
  readonly #held: RecentBlock[] = []
  #start = 0 // index of the oldest that is held; those before it are cut off now and then
  #bytes = 0
  /** The last to be asked for comes last. */
  readonly #decoded: Batch[] = []

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Adds the block that follows the newest one. */
  push(block: RecentBlock): void {
    this.#held.push(block)
    this.#bytes += sizeOf(block)
    while (this.#bytes > this.#bytesMax && this.#start < this.#held.length) this.#drop()
  }

  /** Forgets blocks that lie before `seq` altogether. */
  forgetBefore(seq: number): void {
    for (let oldest = this.#held[this.#start]; oldest && oldest.last < seq;) {
      this.#drop()
      oldest = this.#held[this.#start]
    }
  }

  /** The oldest sequence that is here; nothing newer is missing. Infinite when nothing is here. */
  get first(): number {
    return this.#held[this.#start]?.first ?? Number.POSITIVE_INFINITY
  }

  /** Whether the block that holds `seq` is here. */
  has(seq: number): boolean {
    return this.block(seq) !== null
  }

  /** The batch that holds `seq`, or null. */
  batch(seq: number): Batch | null {
    const block = this.block(seq)
    if (block === null) return null
    const known = this.#decoded.findIndex(({ first }) => first === block.first)
    const [batch = decode(block)] = known < 0 ? [] : this.#decoded.splice(known, 1)
    this.#decoded.push(batch)
    if (this.#decoded.length > DECODED_MAX) this.#decoded.shift()
    return batch
  }

  /** The block that holds `seq`, or null. */
  block(seq: number): RecentBlock | null {
    let low = this.#start
    let high = this.#held.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const block = this.#held[middle]
      if (block === undefined) return null
      if (seq < block.first) high = middle - 1
      else if (seq > block.last) low = middle + 1
      else return block
    }
    return null
  }

  #drop(): void {
    const oldest = this.#held[this.#start]
    if (oldest !== undefined) this.#bytes -= sizeOf(oldest)
    this.#start++
    if (this.#start * 2 < this.#held.length && this.#start < this.#held.length) return
    this.#held.splice(0, this.#start)
    this.#start = 0
  }
}

function sizeOf({ body, devices }: RecentBlock): number {
  return body.length + devices.length + HELD_BYTES
}

function decode({ first, last, body }: RecentBlock): Batch {
  const reader = new MsgpackReader(body)
  const items: Notification[] = []
  const count = reader.array()
  for (let index = 0; index < count; index++) items.push(readEntry(reader, first + index))
  return { first, last, items }
}
