// What a device sent around a firing, read from the firing's place in the log in both directions. Pure but for the reads.
import type { EventNotification, Notification, NotificationPage } from '../../api/shapes.ts'
import { numbersOf } from '../../format.ts'
import type { TimeRange } from './lanes.ts'

/** Pages of the device's events around a cursor. */
export interface Reads {
  /** Newest first. */
  before: (cursor: string) => Promise<NotificationPage>
  after: (cursor: string) => Promise<NotificationPage>
}

export interface ReadLimits {
  /** Most events in each direction. */
  eventsMax: number
  /** Most requests in each direction: a page may be empty though there are more. */
  pagesMax: number
}

export interface FoundEvents {
  /** In the order of the log. */
  events: EventNotification[]
  /** Whether all of the range was read. */
  complete: boolean
}

/** The events of a range around what caused a firing, with it. */
export async function eventsAround(
  cause: Notification,
  { range, reads, limits }: { range: TimeRange; reads: Reads; limits: ReadLimits }
): Promise<FoundEvents> {
  const older = await readOn(cause.cursor, reads.before, { isWanted: at => at >= range.from, limits })
  const newer = await readOn(cause.cursor, reads.after, { isWanted: at => at <= range.to, limits })
  const own = cause.kind === 'event' ? [cause] : []
  return {
    events: [...older.events.toReversed(), ...own, ...newer.events],
    complete: older.complete && newer.complete
  }
}

async function readOn(
  from: string,
  read: (cursor: string) => Promise<NotificationPage>,
  { isWanted, limits }: { isWanted: (at: number) => boolean; limits: ReadLimits }
): Promise<FoundEvents> {
  const events: EventNotification[] = []
  let place = from
  for (let pages = 0; pages < limits.pagesMax; pages++) {
    const page = await read(place)
    place = page.cursor
    for (const item of page.items) {
      if (!isWanted(item.at)) return { events, complete: true }
      if (item.kind !== 'event') continue
      if (events.length >= limits.eventsMax) return { events, complete: false }
      events.push(item)
    }
    if (!page.more) return { events, complete: true }
  }
  return { events, complete: false }
}

/** The numbers in payloads, and what is true (1) or false (0), each as long as `times`; null where an event has none. */
export interface Values {
  times: number[]
  fields: { name: string; values: (number | null)[]; steps: boolean }[]
}

/** Fields that the text of a rule names come first. */
export function valuesOf(events: readonly EventNotification[], text: string): Values {
  const fields = new Map<string, Values['fields'][number]>()
  for (const [at, { payload }] of events.entries()) {
    const numbers = numbersOf(payload)
    const truths = truthsOf(payload)
    for (const [name, value] of [...numbers, ...truths]) {
      let field = fields.get(name)
      if (field === undefined) {
        field = { name, values: Array.from({ length: events.length }, () => null), steps: truths.has(name) }
        fields.set(name, field)
      }
      field.values[at] = value
    }
  }
  return { times: events.map(({ at }) => at), fields: namedFirst([...fields.values()], text) }
}

function namedFirst(fields: Values['fields'], text: string): Values['fields'] {
  const plain = text.replaceAll('.?', '.')
  const isNamed = ({ name }: { name: string }) => plain.includes(`payload.${name}`)
  return fields.toSorted((one, other) => Number(isNamed(other)) - Number(isNamed(one)))
}

function truthsOf(payload: unknown): Map<string, number> {
  if (typeof payload === 'boolean') return new Map([['value', Number(payload)]])
  if (typeof payload !== 'object' || payload === null) return new Map()
  return new Map(
    Object.entries(payload).flatMap(([name, value]): [string, number][] =>
      typeof value === 'boolean' ? [[name, Number(value)]] : []
    )
  )
}
