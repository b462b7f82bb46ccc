// When followers of the log flush what they have for their subscribers: at once when idle; under load with pauses that grow
// with what a flush costs.
import { performance, type EventLoopUtilization } from 'node:perf_hooks'

/** Of the time between two flushes under load, at most a fifth is spent flushing, as long as `flushMs` allows. */
const PAUSE_PER_COST = 4
/** Part of the time that the event loop must have had nothing to do, for it to have time to spare; looked at so often. */
const SPARE_IDLE = 0.1
const LOOKED_AT_MS = 50
/** By how much the cost that counts may rise from one flush to the next, and what it is at least, ms. */
const COST_RISE = 1.25
const COST_MS_MIN = 0.1

/** How long to pause, from what flushes took. */
export class FlushCost {
  /** What a flush costs, ms. A collection of garbage, or much that came at once, makes one longer, not the next. */
  #costMs = 0

  /** The pause after a flush that took so long, ms. */
  pauseMs(tookMs: number, { hasSpareTime }: { hasSpareTime: boolean }): number {
    this.#costMs = Math.min(tookMs, Math.max(COST_MS_MIN, this.#costMs) * COST_RISE)
    return this.#costMs * (hasSpareTime ? Math.min(this.#costMs, PAUSE_PER_COST) : PAUSE_PER_COST)
  }
}

/**
 * A flush costs about as much for one notification as for ten (a system call a subscriber), so waiting makes each
 * cheaper but later. The pause is a multiple of a flush's own cost: a few subscribers cost tens of microseconds
 * and get a batch with every commit, thousands cost milliseconds and get one every `flushMs`, the longest pause there is.
 * While the event loop has time to spare, that multiple is the cost in milliseconds: a hundred subscribers, which cost
 * one, have no use for a pause of four.
 */
export class FlushPace {
  readonly #flush: () => void
  readonly #flushMs: number
  readonly #cost = new FlushCost()
  #scheduled: NodeJS.Timeout | NodeJS.Immediate | null = null
  #notBefore = 0
  #hasSpareTime = true
  #lookedAtMs = 0
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()

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
    if (endedMs - this.#lookedAtMs >= LOOKED_AT_MS) this.#lookForSpareTime(endedMs)
    const pauseMs = this.#cost.pauseMs(endedMs - startedMs, { hasSpareTime: this.#hasSpareTime })
    this.#notBefore = endedMs + Math.min(this.#flushMs, pauseMs)
  }

  #lookForSpareTime(nowMs: number): void {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization)
    this.#hasSpareTime = utilization < 1 - SPARE_IDLE
    this.#utilization = now
    this.#lookedAtMs = nowMs
  }
}
