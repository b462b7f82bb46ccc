// What the feed is asked to show, from and to the page's address. Pure.
import { kinds, severities } from '../api/shapes.ts'
import type { Kind, Notification, Severity } from '../api/shapes.ts'
import type { FeedFilter } from './feed-connection.ts'

export interface FeedQuery {
  /** MQTT topic filters. */
  topics: readonly string[]
  devices: readonly string[]
  kinds: readonly Kind[]
  severityMin: Severity
  /** What must stand somewhere in a notification, in any case. The page looks for it itself. */
  text: string
}

export const everything: FeedQuery = { topics: [], devices: [], kinds: [], severityMin: 'info', text: '' }

/** Reads the address; what makes no sense there is passed by. */
export function queryOfAddress(parameters: URLSearchParams): FeedQuery {
  const severityMin = severities.find(severity => severity === parameters.get('severityMin'))
  return {
    topics: parameters.getAll('topics').filter(topic => topic !== ''),
    devices: parameters.getAll('devices').filter(device => device !== ''),
    kinds: kinds.filter(kind => parameters.getAll('kinds').includes(kind)),
    severityMin: severityMin ?? 'info',
    text: parameters.get('text') ?? ''
  }
}

/** The address's query for it, without the question mark; what filters nothing is left out. */
export function addressOfQuery({ topics, devices, kinds, severityMin, text }: FeedQuery): string {
  const parameters = new URLSearchParams()
  for (const topic of topics) parameters.append('topics', topic)
  for (const device of devices) parameters.append('devices', device)
  for (const kind of kinds) parameters.append('kinds', kind)
  if (severityMin !== 'info') parameters.set('severityMin', severityMin)
  if (text !== '') parameters.set('text', text)
  return parameters.toString()
}

/** The part of it that the server filters by. */
export function filterOfQuery({ topics, devices, kinds, severityMin }: FeedQuery): FeedFilter {
  return {
    ...(topics.length > 0 && { topics }),
    ...(devices.length > 0 && { devices }),
    ...(kinds.length > 0 && { kinds }),
    ...(severityMin !== 'info' && { severityMin })
  }
}

/** Terms of a list that is typed with commas between them; they may hold spaces. */
export function termsOf(text: string): string[] {
  const terms = text.split(',').map(term => term.trim())
  return [...new Set(terms.filter(term => term !== ''))]
}

/** Tells whether the text stands in any of a notification's values, in any case. */
export function textTest(text: string): (notification: Notification) => boolean {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return () => true
  return notification => valuesText(notification).toLowerCase().includes(wanted)
}

function valuesText(notification: Notification): string {
  const { device, severity, kind } = notification
  const common = `${device}\n${severity}\n${kind}\n`
  switch (notification.kind) {
    case 'event':
      return `${common}${notification.topic}\n${payloadText(notification.payload)}\n${notification.source}`
    case 'presence':
      return `${common}${notification.status}\n${notification.reason}`
    case 'alert': {
      const { alert, rule, key, state, title, detail, actor = '', comment = '' } = notification
      return common + [alert, rule, key, state, title, detail, actor, comment].join('\n')
    }
    case 'delivery': {
      const { alert, alerts = [], channel, outcome, detail } = notification
      return common + [alert, ...alerts, channel, outcome, detail].join('\n')
    }
  }
}

/** A payload on one line: a text as it is, everything else as JSON. */
export function payloadText(payload: unknown): string {
  return typeof payload === 'string' ? payload : (JSON.stringify(payload) ?? '')
}
