// Times at which a route is quiet, in a time zone's own hours. Pure.
import { severities } from '../../store/notification.ts'
import type { Severity } from '../../store/notification.ts'
import type { QuietHours } from './route.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
/** Quiet for longer than this is looked at again. */
const LONGEST_MINUTES = 8 * DAY_MINUTES

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const formats = new Map<string, Intl.DateTimeFormat>()

/** When the quiet time that `at` lies in ends, ms since 1970 UTC; null: it is not quiet for an alert of this severity. */
export function quietUntil(
  quiet: readonly QuietHours[],
  { at, severity }: { at: number; severity: Severity }
): number | null {
  const silent = quiet.filter(
    ({ except }) => except === null || severities.indexOf(severity) < severities.indexOf(except)
  )
  const isQuiet = (time: number) => silent.some(hours => covers(hours, time))
  if (!isQuiet(at)) return null
  let from = Math.floor(at / MINUTE_MS)
  let to = from + 1
  const end = from + LONGEST_MINUTES
  // Quarters of an hour are where hours change in every time zone; then the minute between two of them.
  while (to < end && isQuiet(to * MINUTE_MS)) {
    from = to
    to = (Math.floor(to / 15) + 1) * 15
  }
  while (to - from > 1) {
    const middle = (from + to) >> 1
    if (isQuiet(middle * MINUTE_MS)) from = middle
    else to = middle
  }
  return to * MINUTE_MS
}

/** The quiet times of a route. To find an end takes a millisecond, so it is found once for all alerts that wait for it. */
export class QuietTimes {
  readonly #quiet: readonly QuietHours[]
  readonly #spells = new Map<Severity, { from: number; until: number }>()

  constructor(quiet: readonly QuietHours[]) {
    this.#quiet = quiet
  }

  /** As `quietUntil`. */
  until(at: number, severity: Severity): number | null {
    if (this.#quiet.length === 0) return null
    const spell = this.#spells.get(severity)
    if (spell !== undefined && spell.from <= at && at < spell.until) return spell.until
    const until = quietUntil(this.#quiet, { at, severity })
    if (until !== null) this.#spells.set(severity, { from: at, until })
    return until
  }
}

/** Whether a time zone is known by this IANA name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

function covers({ timeZone, times, days }: QuietHours, at: number): boolean {
  const { day, minute } = localTime(timeZone, at)
  const on = (weekday: number) => days.length === 0 || days.includes(weekday)
  if (times.length === 0) return on(day)
  const before = (day + 6) % 7
  return times.some(({ from, to }) =>
    from < to
      ? on(day) && minute >= from && minute < to
      : (on(day) && minute >= from) || (on(before) && minute < to)
  )
}

function localTime(timeZone: string, at: number): { day: number; minute: number } {
  const found: Record<string, string> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(at)) found[type] = value
  const hour = Number(found['hour']) % 24
  return { day: weekdays.indexOf(found['weekday'] ?? ''), minute: hour * 60 + Number(found['minute']) }
}

// Making one takes a hundred times as long as using it.
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23'
    })
    formats.set(timeZone, format)
  }
  return format
}
