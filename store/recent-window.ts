// The newest committed batches, in memory up to a limit of bytes, for followers and reads that are a little behind.
import type { Batch } from './store.ts'

const ITEM_BYTES = 250 // what an entry costs as objects beside its encoded bytes, about

interface Held {
  batch: Batch
  bytes: number
}

export class RecentWindow {
  readonly #bytesMax: number
  readonly #held: Held[] = []
  #start = 0 // index of the oldest that is held; those before it are cut off now and then
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Lowest sequence that is held, or null. */
  get first(): number | null {
    return this.#held[this.#start]?.batch.first ?? null
  }

  /** Adds the batch that follows the newest one. `bodyBytes` is the memory of its payloads. */
  push(batch: Batch, bodyBytes: number): void {
    const bytes = bodyBytes + batch.items.length * ITEM_BYTES
    this.#held.push({ batch, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax && this.#start < this.#held.length) this.#drop()
  }

  /** Forgets batches that lie before `seq` altogether. */
  forgetBefore(seq: number): void {
    for (let oldest = this.#held[this.#start]; oldest && oldest.batch.last < seq;) {
      this.#drop()
      oldest = this.#held[this.#start]
    }
  }

  /** The batch that holds `seq`, or null. */
  find(seq: number): Batch | null {
    let low = this.#start
    let high = this.#held.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const batch = this.#held[middle]?.batch
      if (batch === undefined) return null
      if (seq < batch.first) high = middle - 1
      else if (seq > batch.last) low = middle + 1
      else return batch
    }
    return null
  }

  #drop(): void {
    this.#bytes -= this.#held[this.#start]?.bytes ?? 0
    this.#start++
    if (this.#start * 2 < this.#held.length && this.#start < this.#held.length) return
    this.#held.splice(0, this.#start)
    this.#start = 0
  }
}
