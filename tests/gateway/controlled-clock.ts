// Time that stands still until a test moves it.
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock, Timer } from '../../gateway/clock.ts'

/** Turns of the event loop that are let pass wherever time stops on its way: enough for chains of promises. */
const TURNS = 5

interface Waiting {
  at: number
  /** Sets timers of the same time in the order in which they were set. */
  order: number
  callback: () => void
}

/** Begins at a round time, so that what a test sees is easily read. */
export class ControlledClock implements Clock {
  #now: number
  #made = 0
  readonly #timers = new Set<Waiting>()

  constructor(startAt = Date.UTC(2026, 0, 1)) {
    this.#now = startAt
  }

  /** May be handed over without its clock. */
  readonly now = (): number => this.#now

  /** Timers that have not run. */
  get timers(): number {
    return this.#timers.size
  }

  setTimer(ms: number, callback: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#made++, callback }
    this.#timers.add(timer)
    return { clear: () => void this.#timers.delete(timer) }
  }

  /**
   * Moves time on by this much, stopping at each timer that falls due on the way, in order, those included that are set
   * meanwhile. Before it begins and after each stop promises and the event loop have their turn, and then `settle`, for
   * what takes longer than that, like a write to a log.
   */
  async advance(ms: number, settle: () => Promise<void> = async () => {}): Promise<void> {
    const until = this.#now + ms
    const rest = async () => {
      for (let turns = 0; turns < TURNS; turns++) await turn()
      await settle()
    }
    await rest()
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await rest()
    }
    this.#now = until
    await rest()
  }

  /** Moves time on without running what falls due: for what is over anyway when time is looked at again. */
  jump(ms: number): void {
    this.#now += ms
  }

  /** Sets the time of day forward or back, as people do and a machine that slept: timers that are set take as long as before. */
  set(byMs: number): void {
    this.#now += byMs
    for (const timer of this.#timers) timer.at += byMs
  }

  #next(until: number): Waiting | null {
    let next: Waiting | null = null
    for (const timer of this.#timers) {
      if (timer.at > until) continue
      if (next === null || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer
    }
    return next
  }
}
