// Finds the entries that pass a filter in blocks that are handed over newest first. Pure; runs beside the database, off
// the event loop, and in small slices over the recent blocks in memory.
import { joinParts } from './block-reader.ts'
import type { BlockHead, PackedEntries } from './block-reader.ts'
import { summaryTest } from './block-summary.ts'
import type { BlockSummary } from './block-summary.ts'
import { entryTest } from './entry-test.ts'
import { MsgpackReader } from './msgpack-reader.ts'
import type { Filter, Gap } from './store.ts'

export interface BackwardRequest {
  /** Only entries with lower sequences are looked at. */
  before: number
  limit: number
  bytesMax: number
  filter: Filter | null
}

/** What one read looks at before it answers how far it came; whole blocks, so it may be exceeded by one. */
export interface LookedAtMax {
  summaries: number
  entries: number
}

/** Entries as they are stored, the newest first. */
export interface PackedBackward extends Pick<PackedEntries, 'seqs' | 'bytes' | 'damaged'> {
  /** Everything from here up to the request's `before` was looked at. */
  next: number
  /** Entries before `before` that are gone, for their block is damaged; newer than all that are returned. */
  gap: Gap | null
  /** Nothing older is kept. */
  ended: boolean
}

/**
 * Collects what a backward read asks for. Feed it block heads, the newest first; `wants` says whether to open a block,
 * `take` opens it; stop when `done`.
 */
export class BackwardReader {
  readonly #request: BackwardRequest
  readonly #max: LookedAtMax
  readonly #mayPass: (summary: BlockSummary) => boolean
  readonly #passes: (reader: MsgpackReader) => boolean
  readonly #seqs: number[] = []
  readonly #parts: Uint8Array[] = []
  #bytes = 0
  #next: number
  #gap: Gap | null = null
  readonly #damaged: number[] = []
  #summaries = 0
  #entries = 0
  #full = false

  constructor(request: BackwardRequest, max: LookedAtMax) {
    this.#request = request
    this.#max = max
    this.#next = request.before
    this.#mayPass = summaryTest(request.filter ?? undefined)
    this.#passes = entryTest(request.filter)
  }

  get done(): boolean {
    return this.#full || this.#summaries >= this.#max.summaries || this.#entries >= this.#max.entries
  }

  /** Whether the block must be opened with `take`; otherwise it is passed by. */
  wants(head: BlockHead): boolean {
    this.#summaries++
    if (head.first >= this.#next) return false
    // Blocks follow each other without a hole: what should be here was lost to damage.
    if (head.last < this.#next - 1 && !this.#leaveOut(head.last + 1)) return false
    if (this.#mayPass(head)) return true
    this.#next = head.first
    return false
  }

  /**
   * Leaves out a block whose head or, when it was wanted, body is damaged. Where it ends need not be known: what came after
   * it was looked at.
   */
  miss(first: number): void {
    this.#summaries++
    this.#damaged.push(first)
    if (first < this.#next) this.#leaveOut(first)
  }

  take(head: Pick<BlockHead, 'first' | 'last'>, body: Uint8Array): void {
    const { limit, bytesMax } = this.#request
    const passing = this.#passing(head, body)
    for (let at = passing.length - 1; at >= 0; at--) {
      const { seq, start, end } = passing[at] as Passing
      if (this.#seqs.length >= limit || (this.#seqs.length > 0 && this.#bytes + end - start > bytesMax)) {
        this.#full = true
        this.#next = seq + 1 // what lies between it and the last that was taken did not pass
        return
      }
      this.#seqs.push(seq)
      this.#parts.push(body.subarray(start, end))
      this.#bytes += end - start
    }
    this.#full = this.#seqs.length >= limit
    this.#next = head.first
  }

  /** The outcome. `ended`: there is no block before the last one that was handed over. */
  finish(ended: boolean): PackedBackward {
    return {
      seqs: Float64Array.from(this.#seqs),
      bytes: joinParts(this.#parts, this.#bytes),
      next: this.#next,
      gap: this.#gap,
      damaged: this.#damaged,
      ended: ended && !this.#full
    }
  }

  /** Everything from this entry up to the next is gone. False: something newer comes before it, so it is told the next time. */
  #leaveOut(from: number): boolean {
    if (this.#seqs.length > 0 || (this.#gap !== null && this.#gap.from > this.#next)) {
      this.#full = true
      return false
    }
    this.#gap = { from, to: this.#gap?.to ?? this.#next - 1 }
    this.#next = from
    return true
  }

  /** Where the block's passing entries lie, oldest first, for a block can only be read from its beginning. */
  #passing({ first, last }: Pick<BlockHead, 'first' | 'last'>, body: Uint8Array): Passing[] {
    const reader = new MsgpackReader(body)
    reader.array()
    const passing: Passing[] = []
    for (let seq = first; seq <= last && seq < this.#next; seq++) {
      const start = reader.at
      this.#entries++
      if (this.#passes(reader)) passing.push({ seq, start, end: reader.at })
    }
    return passing
  }
}

interface Passing {
  seq: number
  start: number
  end: number
}
