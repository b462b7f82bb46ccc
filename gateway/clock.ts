// The time of day and timers, as parts of the gateway are given them; tests give them time that they move themselves.

export interface Timer {
  clear(): void
}

export interface Clock {
  /** ms since 1970 UTC. */
  now(): number
  /** Calls back once, no sooner than in `ms`. It does not keep the process alive. */
  setTimer(ms: number, callback: () => void): Timer
}

/**
 * Who waits for a time of day looks at the clock this often, ms: timers run on, unmoved, when the clock is set forward, or
 * when the machine slept.
 */
export const CLOCK_LOOK_MS = 10_000

// setTimeout takes no more. Whoever is called looks at the time again anyway.
const TIMER_MAX_MS = 2 ** 31 - 1

/** The machine's own. */
export const systemClock: Clock = {
  now: Date.now,
  setTimer(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), TIMER_MAX_MS))
    timer.unref()
    return { clear: () => clearTimeout(timer) }
  }
}
