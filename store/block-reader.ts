// Finds the entries that pass a filter in blocks that an engine hands over one by one. Runs beside the database, off
// the event loop: what matches leaves still encoded, and is decoded where it is wanted.
import { summaryTest } from './block-summary.ts'
import type { BlockSummary } from './block-summary.ts'
import { readEntry, skipEntry } from './entry-codec.ts'
import { entryTest } from './entry-test.ts'
import { MsgpackReader } from './msgpack-reader.ts'
import type { Notification } from './notification.ts'
import type { Filter, Gap } from './store.ts'

// One call looks at no more than this, so that no reader waits long for another's rare matches.
export const SUMMARIES_MAX = 2048
export const ENTRIES_MAX = 32_768

export interface ReadRequest {
  after: number
  /** Highest sequence to look at. */
  upTo: number
  limit: number
  bytesMax: number
  filter: Filter | null
}

/** Entries as they are stored, one after the other, and their sequences. */
export interface PackedEntries {
  seqs: Float64Array<ArrayBuffer>
  bytes: Uint8Array<ArrayBuffer>
  /** Everything up to here was looked at, or is gone. */
  next: number
  /** Entries after `after` that are gone: retention took them, or their block is damaged. */
  gap: Gap | null
  /** First sequences of blocks that were found damaged. */
  damaged: number[]
}

/** A block without its body. */
export interface BlockHead extends BlockSummary {
  first: number
  last: number
}

/** A block's body, with a place from which a read may go on that wants nothing before it. */
export interface OpenBlock {
  body: Uint8Array
  /** Entry `seq` begins at byte `at`; one after the last stands at its end. The first one has the block's head before it: 0. */
  seq: number
  at: number
}

/** Entries that stand one after the other in a block: they are copied together. */
interface Run {
  body: Uint8Array
  from: number
  end: number
}

/**
 * Collects what a read asks for. Feed it block heads in order; `wants` says whether to open a block, `take` opens it;
 * stop when `done`.
 */
export class BlockReader {
  readonly #request: ReadRequest
  readonly #mayPass: (summary: BlockSummary) => boolean
  readonly #passes: (reader: MsgpackReader) => boolean
  readonly #seqs: number[] = []
  readonly #runs: Run[] = []
  #bytes = 0
  #next: number
  #gap: Gap | null = null
  readonly #damaged: number[] = []
  #summaries = 0
  #entries = 0
  #full = false

  constructor(request: ReadRequest) {
    this.#request = request
    this.#next = request.after
    this.#mayPass = summaryTest(request.filter ?? undefined)
    this.#passes = entryTest(request.filter)
  }

  get done(): boolean {
    return (
      this.#full ||
      this.#next >= this.#request.upTo ||
      this.#summaries >= SUMMARIES_MAX ||
      this.#entries >= ENTRIES_MAX
    )
  }

  /** Whether the block must be opened with `take`; otherwise it is passed by. */
  wants(head: BlockHead): boolean {
    this.#summaries++
    // Blocks follow each other without a hole, so this can only be what retention took, or a damaged block.
    if (head.first > this.#next + 1 && !this.#leaveOut(head.first - 1)) return false
    if (head.last <= this.#next || head.first > this.#request.upTo) return false
    if (this.#mayPass(head)) return true
    this.#next = Math.min(head.last, this.#request.upTo)
    return false
  }

  /** Notes a block whose head is damaged; what it held is up to where the next one begins. */
  skip(first: number): void {
    this.#summaries++
    this.#damaged.push(first)
  }

  /** Leaves out a block that was wanted and whose body is damaged. */
  miss({ first, last }: Pick<BlockHead, 'first' | 'last'>): void {
    this.#damaged.push(first)
    this.#leaveOut(last)
  }

  /** Reads the block from its place, if this read had what is before; leaves it at the place where it stops. */
  take(head: Pick<BlockHead, 'first' | 'last'>, block: OpenBlock): void {
    const { upTo } = this.#request
    if (block.seq > this.#next + 1) {
      block.seq = head.first
      block.at = 0
    }
    const reader = new MsgpackReader(block.body, block.at)
    if (block.at === 0) {
      reader.array()
      block.at = reader.at
    }
    while (!this.#full && block.seq <= head.last && block.seq <= upTo) {
      const passes = this.#stepOver(reader, block.seq)
      if (passes && !this.#add(block, reader.at)) return
      this.#next = Math.max(this.#next, block.seq)
      block.seq++
      block.at = reader.at
    }
  }

  /** Steps over an entry, and says whether it is wanted. */
  #stepOver(reader: MsgpackReader, seq: number): boolean {
    this.#entries++
    if (seq > this.#next) return this.#passes(reader)
    skipEntry(reader)
    return false
  }

  /** Adds the entry at the block's place, which ends at byte `end`; false when it must be left for the next read. */
  #add({ body, seq, at }: OpenBlock, end: number): boolean {
    const { limit, bytesMax } = this.#request
    this.#full = this.#seqs.length > 0 && this.#bytes + end - at > bytesMax
    if (this.#full) return false
    this.#seqs.push(seq)
    const run = this.#runs.at(-1)
    if (run !== undefined && run.body === body && run.end === at) run.end = end
    else this.#runs.push({ body, from: at, end })
    this.#bytes += end - at
    this.#full = this.#seqs.length >= limit
    return true
  }

  /** The outcome. `ended`: there is no block after the last one that was handed over. */
  finish(ended: boolean): PackedEntries {
    const { after, upTo } = this.#request
    if (ended && !this.#full && this.#next < upTo) this.#leaveOut(upTo)
    return {
      seqs: Float64Array.from(this.#seqs),
      bytes: joinParts(
        this.#runs.map(({ body, from, end }) => body.subarray(from, end)),
        this.#bytes
      ),
      next: Math.max(after, this.#next),
      gap: this.#gap,
      damaged: this.#damaged
    }
  }

  /** Everything from the next entry to this one is gone. False: something comes before it, so it is told the next time. */
  #leaveOut(to: number): boolean {
    if (this.#seqs.length > 0 || (this.#gap !== null && this.#gap.to < this.#next)) {
      this.#full = true
      return false
    }
    this.#gap = { from: this.#gap?.from ?? this.#next + 1, to: Math.min(to, this.#request.upTo) }
    this.#next = this.#gap.to
    return true
  }
}

/** Parts one after the other in memory of their own; `length` is their bytes together. */
export function joinParts(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Decodes packed entries. Payloads share the memory of `packed.bytes`. */
export function unpackEntries(packed: Pick<PackedEntries, 'seqs' | 'bytes'>): Notification[] {
  const reader = new MsgpackReader(packed.bytes)
  const items: Notification[] = []
  for (const seq of packed.seqs) items.push(readEntry(reader, seq))
  return items
}
