// How maintenance of the log rests between its slices. Pure.

/**
 * Rest after a slice, as a multiple of what it took. A slice holds up the commits behind it and takes processor time that
 * devices want: so it gets a twentieth of the time while that is enough, and at most a quarter.
 */
const REST_MAX = 19
const REST_MIN = 3
/** Longest rest, ms: after a slice that a slow disk has held up, more rest is of no use. */
const PAUSE_MS_MAX = 100

export class MaintenancePace {
  readonly #intervalMs: number
  #rest = REST_MAX

  /** `intervalMs`: between two passes. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** How long to rest after a slice that took so long, ms. */
  pauseMs(sliceMs: number): number {
    return Math.min(sliceMs * this.#rest, PAUSE_MS_MAX)
  }

  /** A pass that takes longer than what lies between two makes the next one hurry; a short one gives it time again. */
  passTook(passMs: number): void {
    if (passMs > this.#intervalMs) this.#rest = Math.max(REST_MIN, this.#rest / 2)
    else if (passMs < this.#intervalMs / 4) this.#rest = Math.min(REST_MAX, this.#rest * 2)
  }
}
