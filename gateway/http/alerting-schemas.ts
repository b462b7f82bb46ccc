// JSON Schemas of rules, alerts, silences and deliveries, for validation and for the OpenAPI document.
import { severities } from '../../store/notification.ts'

/** States of alerts. */
export const alertStates = ['firing', 'acknowledged', 'resolved'] as const

const text = { type: 'string' }
const whole = { type: 'integer' }
const time = { type: 'string', format: 'date-time' }
const listOf = (items: object) => ({ type: 'array', items })
const texts = listOf(text)
const textsByName = { type: 'object', additionalProperties: text }
const severity = { type: 'string', enum: severities }

const object = (properties: Record<string, object>) => ({ type: 'object', properties })
const orNull = (schema: { type: string }) => ({ ...schema, type: [schema.type, 'null'] })

/** A list under `items`. */
export const itemsOf = (schema: object) => object({ items: listOf(schema) })

/** The `:id` of a path. */
export const idParams = { type: 'object', required: ['id'], properties: { id: text } }

/** Longest comment of an operator, in characters. */
const COMMENT_CHARS_MAX = 8192
export const comment = { type: 'string', maxLength: COMMENT_CHARS_MAX }

/** Which alerts a silence or a route is for; its own parser says what is wrong with one. */
export const match = {
  type: 'object',
  description: 'All that are given must hold; of a list, any. * stands for any text.',
  properties: {
    severityMin: severity,
    rules: texts,
    devices: texts,
    topics: texts,
    keys: texts,
    labels: textsByName
  }
}

const action = orNull(object({ at: time, actor: text, comment: text }))

export const alert = object({
  id: text,
  origin: { enum: ['rule', 'handler', 'api', 'alertmanager'] },
  rule: text,
  key: text,
  device: text,
  eventTopic: text,
  labels: textsByName,
  state: { enum: alertStates },
  severity,
  title: text,
  detail: text,
  runbook: text,
  count: { ...whole, description: 'How often its condition was met.' },
  firstAt: time,
  lastAt: time,
  changedAt: time,
  acknowledged: action,
  resolved: action,
  flapping: { type: 'boolean' }
})

const notification = { type: 'object', description: 'As the feed shows it.', additionalProperties: true }

export const story = object({
  alert,
  cause: { ...notification, type: ['object', 'null'], description: 'The notification that raised it.' },
  causeGone: { type: 'boolean', description: 'It had a cause, which retention has removed.' },
  entries: {
    ...listOf(notification),
    description: 'Its own notifications and its deliveries, in the order of the log.'
  },
  gone: { ...whole, description: 'Entries that retention has removed.' },
  truncated: { type: 'boolean', description: 'Whether there are older entries.' }
})

export const silence = object({
  id: text,
  state: { enum: ['pending', 'active', 'ended'] },
  match,
  from: time,
  until: time,
  comment: text,
  author: text,
  createdAt: time,
  ended: orNull(object({ at: time, actor: text }))
})

export const rule = object({
  name: text,
  type: { enum: ['threshold', 'count', 'rate', 'absent', 'offline', 'alarm'] },
  severity,
  topics: texts,
  devices: texts,
  condition: { type: 'object', description: 'The condition in the words of the file.' },
  key: { ...text, description: 'An expression, as are the parts in braces of title, detail and labels.' },
  title: text,
  detail: text,
  labels: textsByName,
  runbook: text,
  flapping: orNull(object({ count: whole, withinMs: whole })),
  line: { ...whole, description: 'Its first line in the file.' },
  keys: { ...whole, description: 'Keys with a state.' },
  evaluations: { ...whole, description: 'Since the server started, as are errors and raised.' },
  errors: whole,
  lastError: orNull(text),
  raised: whole,
  open: { ...whole, description: 'Open alerts.' }
})

export const handler = object({
  module: text,
  pattern: text,
  events: whole,
  errors: whole,
  lastError: orNull(text),
  slow: { ...whole, description: 'Times it held up the event loop.' },
  longestMs: { type: 'number' }
})

export const dryRun = object({
  from: time,
  to: { ...time, description: 'Where it ended.' },
  looked: { ...whole, description: 'Notifications that were looked at.' },
  complete: { type: 'boolean', description: 'False: it ended before `to`, at a limit.' },
  fired: whole,
  firings: {
    ...listOf(
      object({
        at: time,
        clearedAt: orNull(time),
        key: text,
        device: text,
        severity,
        title: text,
        count: whole,
        cause: { ...text, description: 'Cursor of the notification that raised it.' }
      })
    ),
    description: 'The first thousand of them.'
  },
  errors: whole,
  lastError: orNull(text)
})

export const channel = object({
  name: text,
  type: { enum: ['webhook', 'email', 'mqtt'] },
  target: { ...text, description: 'Where it leads, without what is secret.' },
  waiting: { ...whole, description: 'Deliveries that wait or are under way.' },
  circuit: { enum: ['closed', 'open', 'half-open'] },
  lastAttempt: orNull(object({ at: time, outcome: { enum: ['sent', 'failed', 'gave-up'] }, detail: text })),
  failed: {
    ...listOf(object({ id: text, failedAt: time, alerts: texts })),
    description: 'Deliveries that were given up and can be sent again.'
  }
})

export const outcome = object({ outcome: { enum: ['sent', 'failed', 'refused'] }, detail: text })

export const route = object({
  name: text,
  match,
  channels: texts,
  group: texts,
  groupWaitMs: whole,
  groupIntervalMs: whole,
  repeatIntervalMs: whole,
  escalate: listOf(object({ afterMs: whole, channels: texts })),
  quiet: listOf({ type: 'object' }),
  sendResolved: { type: 'boolean' },
  continue: { type: 'boolean' }
})

export const reloaded = object({ rules: whole, handlers: whole, channels: whole, routes: whole })
