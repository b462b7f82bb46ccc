// Latencies of many deliveries, counted by tenths of a millisecond.

/** In ms. */
export interface Latency {
  median: number
  p99: number
  max: number
  count: number
}

const PER_MS = 10
const SLOTS = 300_000

export class Latencies {
  readonly #counts = new Uint32Array(SLOTS)
  #count = 0

  /** Notes a delivery of now that was sent at this `performance.now()`. */
  note(sentMs: number): void {
    const slot = Math.floor((performance.now() - sentMs) * PER_MS)
    const within = Math.min(SLOTS - 1, Math.max(0, slot))
    this.#counts[within] = (this.#counts[within] ?? 0) + 1
    this.#count++
  }

  clear(): void {
    this.#counts.fill(0)
    this.#count = 0
  }

  summary(): Latency {
    const [median, p99, max] = [this.#quantile(0.5), this.#quantile(0.99), this.#quantile(1)]
    return { median, p99, max, count: this.#count }
  }

  #quantile(part: number): number {
    let below = 0
    for (const [slot, count] of this.#counts.entries()) {
      below += count
      if (count > 0 && below >= this.#count * part) return slot / PER_MS
    }
    return Number.NaN
  }
}
