// Picks single entries, by their sequences, out of the blocks that hold them; each block is opened once. Pure; runs beside
// the database, and in small slices over the recent blocks in memory.
import { joinParts } from './block-reader.ts'
import type { PackedEntries } from './block-reader.ts'
import { skipEntry } from './entry-codec.ts'
import { MsgpackReader } from './msgpack-reader.ts'

export interface PickRequest {
  /** In rising order, each once. */
  seqs: readonly number[]
  /** Most bytes to return; at least one entry is returned if there is one. */
  bytesMax: number
}

/** Entries as they are stored, in rising order. */
export interface PackedPick extends Pick<PackedEntries, 'seqs' | 'bytes' | 'damaged'> {
  /** How many of the request's sequences, from its first, were looked for. */
  done: number
}

/** While `next` names a sequence, give `take` the block that holds it, or call `pass` when none does. */
export class EntryPicker {
  readonly #request: PickRequest
  readonly #entriesMax: number
  readonly #seqs: number[] = []
  readonly #parts: Uint8Array[] = []
  readonly #damaged: number[] = []
  #done = 0
  #bytes = 0
  #entries = 0
  #full = false

  /** `entriesMax`: how many entries may be looked at before it is enough; a block more or less. */
  constructor(request: PickRequest, entriesMax: number) {
    this.#request = request
    this.#entriesMax = entriesMax
  }

  /** The next sequence to find; null when all are done, or enough for once. */
  get next(): number | null {
    if (this.#full || this.#entries >= this.#entriesMax) return null
    return this.#request.seqs[this.#done] ?? null
  }

  /** The next sequence is not there (any more). */
  pass(): void {
    this.#done++
  }

  /**
   * The block that holds the next sequence is damaged: its entries count as gone. `last` is the next sequence itself when it
   * is not known where the block ends.
   */
  miss(first: number, last: number): void {
    const { seqs } = this.#request
    if (this.#damaged.at(-1) !== first) this.#damaged.push(first)
    this.#entries++ // it was looked at: many of them are enough for once, too
    do this.#done++
    while ((seqs[this.#done] ?? Infinity) <= last)
  }

  /** Takes all that is wanted out of the last block that begins at or before the next sequence. */
  take(first: number, body: Uint8Array): void {
    const { seqs, bytesMax } = this.#request
    const reader = new MsgpackReader(body)
    const last = first + reader.array() - 1
    if ((seqs[this.#done] ?? 0) > last) return this.pass()
    let seq = first
    for (let wanted = seqs[this.#done]; wanted !== undefined && wanted <= last; wanted = seqs[this.#done]) {
      for (; seq < wanted; seq++) skipEntry(reader)
      const start = reader.at
      skipEntry(reader)
      seq++
      const bytes = reader.at - start
      this.#full = this.#seqs.length > 0 && this.#bytes + bytes > bytesMax
      if (this.#full) break
      this.#seqs.push(wanted)
      this.#parts.push(body.subarray(start, reader.at))
      this.#bytes += bytes
      this.#done++
    }
    this.#entries += seq - first
  }

  finish(): PackedPick {
    return {
      seqs: Float64Array.from(this.#seqs),
      bytes: joinParts(this.#parts, this.#bytes),
      done: this.#done,
      damaged: this.#damaged
    }
  }
}
