// Work at an even rate: what is due is done every millisecond.

const TICK_MS = 1

/** Calls `work` so many times a second until it is stopped. What a busy moment has held up is made good. */
export class Pace {
  readonly #perSecond: number
  readonly #work: () => void
  #timer: NodeJS.Timeout | null = null

  constructor(perSecond: number, work: () => void) {
    this.#perSecond = perSecond
    this.#work = work
  }

  start(): void {
    const startedMs = performance.now()
    let done = 0
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startedMs) / 1000) * this.#perSecond
      while (done < due) {
        done++
        this.#work()
      }
    }, TICK_MS)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
