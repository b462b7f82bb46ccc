// Limits events a second of one connection. Pure but for the count it keeps; the clock is only asked when it runs empty.

/** A token bucket that holds one second's worth. */
export class RateBucket {
  #perSecond: number
  #tokens: number
  #filledAt: number

  /** `now` and all later times are ms on a clock that never goes back. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#filledAt = now
  }

  /** Whether the next event has to wait unless a refill brings something. */
  get empty(): boolean {
    return this.#tokens < 1
  }

  /** Counts one event, also beyond empty: a frame with many events is taken whole and waited for afterwards. */
  take(): void {
    this.#tokens--
  }

  /** Adds what time has brought; whether an event may be taken now. */
  refill(now: number): boolean {
    const brought = ((now - this.#filledAt) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#perSecond, this.#tokens + brought)
    this.#filledAt = now
    return !this.empty
  }
}
