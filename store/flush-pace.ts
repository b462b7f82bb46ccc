// When followers of the log flush what they have for their subscribers: at once when idle; under load with pauses that grow
// with what a flush costs.

/** Of the time between two flushes under load, at most a fifth is spent flushing, as long as `flushMs` allows. */
const PAUSE_PER_COST = 4

/**
 * A flush costs about as much for one notification as for ten (a system call a subscriber), so waiting makes each
 * cheaper but later. The pause is a multiple of the last flush's own cost: a few subscribers cost tens of microseconds
 * and get a batch about every millisecond, thousands cost milliseconds and get one every `flushMs`, the longest pause
 * there is.
 */
export class FlushPace {
  readonly #flush: () => void
  readonly #flushMs: number
  #scheduled: NodeJS.Timeout | NodeJS.Immediate | null = null
  #notBefore = 0

  constructor(flush: () => void, flushMs: number) {
    this.#flush = flush
    this.#flushMs = flushMs
  }

  /** Flushes soon; further calls until then change nothing. Never in this turn: the devices' acknowledgements go first. */
  request(): void {
    if (this.#scheduled !== null) return
    const waitMs = this.#notBefore - performance.now()
    // Timers count whole milliseconds; a wait of less than half of one is none.
    this.#scheduled = waitMs < 0.5 ? setImmediate(() => this.#run()) : setTimeout(() => this.#run(), waitMs)
  }

  stop(): void {
    if (this.#scheduled instanceof Object && 'refresh' in this.#scheduled) clearTimeout(this.#scheduled)
    else if (this.#scheduled !== null) clearImmediate(this.#scheduled)
    this.#scheduled = null
  }

  #run(): void {
    this.#scheduled = null
    const startedMs = performance.now()
    this.#flush()
    const endedMs = performance.now()
    this.#notBefore = endedMs + Math.min(this.#flushMs, (endedMs - startedMs) * PAUSE_PER_COST)
  }
}
