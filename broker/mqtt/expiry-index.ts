// Which topics' messages expire when, by the second: what is due is found without looking at the rest, and what is
// replaced leaves nothing behind.

/** Pairs of a topic and the time when its message expires, ms since 1970. */
export class ExpiryIndex {
  readonly #bySecond = new Map<number, Set<string>>()
  /** Nothing is due before this second. */
  #from = Infinity

  add(topic: string, expiresAt: number): void {
    const second = secondOf(expiresAt)
    const topics = this.#bySecond.get(second)
    if (topics === undefined) this.#bySecond.set(second, new Set([topic]))
    else topics.add(topic)
    this.#from = Math.min(this.#from, second)
  }

  remove(topic: string, expiresAt: number): void {
    const second = secondOf(expiresAt)
    const topics = this.#bySecond.get(second)
    topics?.delete(topic)
    if (topics?.size === 0) this.#bySecond.delete(second)
  }

  /** Takes out at most `max` topics whose time has passed. */
  take(now: number, max: number): string[] {
    const until = Math.floor(now / 1000)
    const taken: string[] = []
    for (const second of this.#seconds(until)) {
      const topics = this.#bySecond.get(second)
      if (topics === undefined) continue
      for (const topic of topics) {
        if (taken.length >= max) return taken
        topics.delete(topic)
        taken.push(topic)
      }
      this.#bySecond.delete(second)
    }
    this.#from = this.#bySecond.size === 0 ? Infinity : until + 1
    return taken
  }

  // After a long pause, or with a clock that jumped, the seconds that have something are fewer than those that passed.
  *#seconds(until: number): Iterable<number> {
    if (until - this.#from > this.#bySecond.size) {
      for (const second of this.#bySecond.keys()) if (second <= until) yield second
    } else for (let second = this.#from; second <= until; second++) yield second
  }
}

// The first whole second at which it has expired.
function secondOf(expiresAt: number): number {
  return Math.ceil(expiresAt / 1000)
}
