// Reads the routes of the alerting file.
import { severities } from '../../store/notification.ts'
import { suggest } from '../../store/suggestion.ts'
import type { Fields, Place } from '../alerting/yaml-reader.ts'
import { parseMatch } from '../alerts/parse-match.ts'
import { isTimeZone } from './quiet-hours.ts'
import type { EscalationStep, QuietHours, Route } from './route.ts'

const FIELDS = [
  'name',
  'match',
  'channels',
  'group',
  'groupWait',
  'groupInterval',
  'repeatInterval',
  'escalate',
  'quiet',
  'sendResolved',
  'continue'
]
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const NAME = /^[A-Za-z0-9._-]{1,100}$/
const LABEL = /^[A-Za-z_][A-Za-z0-9_.-]*$/
const INTERVAL_LEAST_MS = 10

/** Reads a list of routes, to channels of these names. */
export function parseRoutes(list: Place, channels: ReadonlySet<string>): Route[] {
  const names = new Set<string>()
  return (list.items() ?? []).flatMap((place, index) => {
    const fields = place.fields(FIELDS)
    if (fields === undefined) return []
    const name = nameOf(fields, index)
    if (names.has(name)) place.problem(`there are two routes of the name "${name}"`)
    names.add(name)
    return [routeOf(name, { fields, channels })]
  })
}

function routeOf(
  name: string,
  { fields, channels }: { fields: Fields; channels: ReadonlySet<string> }
): Route {
  const match = fields.at('match')
  const told = fields.need('channels')
  return {
    name,
    match: (match && parseMatch(match)) || {},
    channels: told === undefined ? [] : channelsOf(told, channels),
    group: groupOf(fields),
    groupWaitMs: duration(fields, 'groupWait', { otherwise: 30_000 }),
    groupIntervalMs: duration(fields, 'groupInterval', { otherwise: 300_000, least: INTERVAL_LEAST_MS }),
    repeatIntervalMs: duration(fields, 'repeatInterval', { otherwise: 4 * 3_600_000 }),
    escalate:
      fields
        .at('escalate')
        ?.items()
        ?.flatMap(place => stepOf(place, channels)) ?? [],
    quiet: fields.at('quiet')?.items()?.flatMap(quietOf) ?? [],
    sendResolved: fields.at('sendResolved')?.flag() ?? true,
    continue: fields.at('continue')?.flag() ?? false
  }
}

function nameOf(fields: Fields, index: number): string {
  const place = fields.at('name')
  const name = place?.text() ?? `route-${index + 1}`
  if (!NAME.test(name)) place?.problem('must be 1 to 100 letters, digits, dots, _ or -')
  return name
}

function groupOf(fields: Fields): string[] {
  const place = fields.at('group')
  if (place === null) return ['rule']
  if (Array.isArray(place.value) && place.value.length === 0) return []
  const names = place.texts() ?? []
  for (const name of names)
    if (!LABEL.test(name))
      place.problem(`"${name}" is none of rule, device, key, severity, and no name of a label`)
  return names
}

function duration(
  fields: Fields,
  name: string,
  { otherwise, least = 0 }: { otherwise: number; least?: number }
): number {
  const place = fields.at(name)
  const ms = place?.durationMs() ?? otherwise
  if (ms < least) place?.problem(`must be at least ${least}ms`)
  return ms
}

function channelsOf(place: Place, channels: ReadonlySet<string>): string[] {
  const names = place.texts() ?? []
  if (Array.isArray(place.value) && place.value.length === 0) place.problem('must name a channel')
  for (const name of names) {
    if (channels.has(name)) continue
    const meant = suggest(name, [...channels])
    place.problem(`there is no channel "${name}"${meant === null ? '' : `; did you mean ${meant}?`}`)
  }
  return [...new Set(names)]
}

function stepOf(place: Place, channels: ReadonlySet<string>): EscalationStep[] {
  const fields = place.fields(['after', 'channels'])
  const afterMs = fields?.need('after')?.durationMs()
  const told = fields?.need('channels')
  if (afterMs === undefined || told === undefined) return []
  return [{ afterMs, channels: channelsOf(told, channels) }]
}

function quietOf(place: Place): QuietHours[] {
  const fields = place.fields(['timeZone', 'times', 'days', 'except'])
  if (fields === undefined) return []
  const zone = fields.need('timeZone')
  const timeZone = zone?.text()
  if (timeZone === undefined) return []
  if (!isTimeZone(timeZone)) {
    zone?.problem(`"${timeZone}" is no time zone; use a name such as Europe/Berlin`)
    return []
  }
  if (!fields.has('times') && !fields.has('days')) place.problem('needs times or days')
  const days = fields.at('days')?.items() ?? []
  return [
    {
      timeZone,
      times: spansOf(fields.at('times')),
      days: days.flatMap(day => {
        const word = day.oneOf(DAYS)
        return word === undefined ? [] : [DAYS.indexOf(word)]
      }),
      except: fields.at('except')?.oneOf(severities) ?? null
    }
  ]
}

function spansOf(place: Place | null): { from: number; to: number }[] {
  return (place?.texts() ?? []).flatMap(text => {
    const [, fromHour, fromMinute, toHour, toMinute] = /^(\d\d?):(\d\d)-(\d\d?):(\d\d)$/.exec(text) ?? []
    const from = Number(fromHour) * 60 + Number(fromMinute)
    const to = Number(toHour) * 60 + Number(toMinute)
    const valid = from < 1440 && to <= 1440 && from !== to && Number(fromMinute) < 60 && Number(toMinute) < 60
    if (valid) return [{ from, to }]
    place?.problem(`"${text}" is no time of the day; write it as 22:00-06:00`)
    return []
  })
}
