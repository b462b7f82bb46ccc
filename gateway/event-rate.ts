// How many events came over the last minute, from the counts of two whole minutes. Pure.

const MINUTE_MS = 60_000

/** Counts by the log's time, in whole minutes since 1970. */
export interface MinuteCounts {
  /** The minute of the last event. */
  minute: number
  /** Events of that minute. */
  minuteEvents: number
  /** Events of the minute before it. */
  minuteEventsBefore: number
}

/** The minute that a time, ms since 1970, lies in. */
export function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS)
}

/** When a minute ends, ms since 1970. */
export function endOfMinute(minute: number): number {
  return (minute + 1) * MINUTE_MS
}

/** Counts one event. Called for every event there is: whole numbers, no division. */
export function countEvent(counts: MinuteCounts, minute: number): void {
  if (counts.minute !== minute) {
    counts.minuteEventsBefore = counts.minute === minute - 1 ? counts.minuteEvents : 0
    counts.minuteEvents = 0
    counts.minute = minute
  }
  counts.minuteEvents++
}

/**
 * Events over the minute before `now`, ms since 1970, to one decimal: those of its minute so far, and of the minute
 * before as much as the last 60 seconds cover of it, as if its events had come evenly.
 */
export function eventsPerMinute(
  { minute, minuteEvents, minuteEventsBefore }: MinuteCounts,
  now: number
): number {
  const covered = 1 - (now % MINUTE_MS) / MINUTE_MS
  const age = minuteOf(now) - minute
  if (age > 1) return 0
  // Before its minute only by a clock that was set back: the log's time waits for it.
  const estimate =
    age === 1 ? minuteEvents * covered : minuteEvents + minuteEventsBefore * (age === 0 ? covered : 0)
  return Math.round(estimate * 10) / 10
}
