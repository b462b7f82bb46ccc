// When a group is looked at: every interval since the last look, but for the times at which there is nothing to look for.
// Times are ms since 1970 UTC.
import type { Route } from './route.ts'

export const NEVER = Number.POSITIVE_INFINITY

/** Plain data: it is saved. null: none. */
export interface SavedSchedule {
  lookedAt: number | null
  flushAt: number | null
  toldAt: number
}

type Times = Pick<Route, 'groupIntervalMs' | 'repeatIntervalMs'>

export class GroupSchedule {
  #times: Times
  /** The last regular look; null: there was none. */
  #lookedAt: number | null = null
  /** The next one; NEVER while there is nothing to look for. */
  #flushAt: number
  /** When something was last told; 0: never. */
  #toldAt = 0

  constructor(times: Times, flushAt: number) {
    this.#times = times
    this.#flushAt = flushAt
  }

  static restore(times: Times, { lookedAt, flushAt, toldAt }: SavedSchedule): GroupSchedule {
    const schedule = new GroupSchedule(times, flushAt ?? NEVER)
    schedule.#lookedAt = lookedAt
    schedule.#toldAt = toldAt
    return schedule
  }

  get flushAt(): number {
    return this.#flushAt
  }

  saved(): SavedSchedule {
    const flushAt = this.#flushAt === NEVER ? null : this.#flushAt
    return { lookedAt: this.#lookedAt, flushAt, toldAt: this.#toldAt }
  }

  use(times: Times): void {
    this.#times = times
  }

  /** Something has come up at this time: the next look that the interval gives is made. The first one is due anyway. */
  lookSoon(at: number): void {
    if (this.#lookedAt === null) return
    const { groupIntervalMs } = this.#times
    const looks = Math.max(1, Math.floor((at - this.#lookedAt) / groupIntervalMs) + 1)
    this.lookBy(this.#lookedAt + looks * groupIntervalMs)
  }

  /** Looks at this time at the latest. */
  lookBy(at: number): void {
    this.#flushAt = Math.min(this.#flushAt, at)
  }

  told(at: number): void {
    this.#toldAt = at
  }

  /** From now on repeats are due as if it had been told now, if it was not told. */
  begin(at: number): void {
    this.#toldAt ||= at
  }

  /** Whether a repeat is due. One is passed over if, by the time of day, another has fallen due since. */
  takeRepeat(at: number, now: number): boolean {
    const { repeatIntervalMs } = this.#times
    if (repeatIntervalMs === 0 || this.#toldAt === 0 || at < this.#toldAt + repeatIntervalMs) return false
    const missed = Math.floor((now - at) / repeatIntervalMs)
    if (missed <= 0) return true
    this.#toldAt = at + (missed - 1) * repeatIntervalMs
    return false
  }

  /**
   * A look was made. `again`: when what is hindered may be told, NEVER: nothing is. `fires`: there is something that may be
   * repeated.
   */
  looked({ at, now, again, fires }: { at: number; now: number; again: number; fires: boolean }): void {
    const { groupIntervalMs } = this.#times
    this.#lookedAt = at
    const next = Math.min(again, fires ? this.#repeatAt(at) : NEVER)
    // Of the looks at what is hindered that fell due while nobody looked, the last is enough.
    const missed = next === at + groupIntervalMs ? Math.floor((now - at) / groupIntervalMs) : 0
    this.#flushAt = missed > 1 ? at + missed * groupIntervalMs : next
  }

  /** The regular look from which on firing alerts are told again. */
  #repeatAt(at: number): number {
    const { repeatIntervalMs, groupIntervalMs } = this.#times
    if (repeatIntervalMs === 0 || this.#toldAt === 0) return NEVER
    const looks = Math.ceil((this.#toldAt + repeatIntervalMs - at) / groupIntervalMs)
    return at + Math.max(1, looks) * groupIntervalMs
  }
}
