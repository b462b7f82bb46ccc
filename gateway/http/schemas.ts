// JSON Schemas that several routes share, for validation and for the OpenAPI document.
import { kinds, severities } from '../../store/notification.ts'
import { roles } from '../../store/store.ts'

/** The content type of answers that are written as text. */
export const JSON_TYPE = 'application/json; charset=utf-8'

const texts = (description: string, items: object = { type: 'string' }) => ({
  type: 'array',
  items,
  description
})

/** A filter as query parameters; what they hold is checked by the filter's own parser. */
export const filterParameters = {
  topics: texts('MQTT topic filters, any of which must match. May be repeated.'),
  kinds: texts('Kinds of notification. May be repeated.', { type: 'string', enum: kinds }),
  devices: texts('Device ids. May be repeated.'),
  severityMin: { type: 'string', enum: severities, description: 'Least severity.' }
}

export const cursorParameter = {
  type: 'string',
  maxLength: 64,
  description: 'A cursor, `earliest`, or absent for now.'
}

export const beforeParameter = {
  type: 'string',
  maxLength: 64,
  description:
    'A cursor, or `latest`: notifications before it, the newest first. Not together with `after` or `wait`.'
}

export const throughParameter = {
  type: 'string',
  maxLength: 64,
  description: 'A cursor: as `before`, but with the notification at the cursor itself.'
}

const time = { type: 'string', format: 'date-time' }
const nullable = (schema: { type: string }) => ({ ...schema, type: [schema.type, 'null'] })

/** A notification; fields beyond the common ones depend on its kind. */
export const notification = {
  type: 'object',
  required: ['cursor', 'at', 'kind', 'device', 'severity'],
  properties: {
    cursor: { type: 'string' },
    at: { type: 'integer', description: 'Time of receipt, ms since 1970 UTC.' },
    kind: { enum: kinds },
    device: { type: 'string' },
    severity: { enum: severities }
  },
  additionalProperties: true
}

export const notificationPage = {
  type: 'object',
  required: ['items', 'cursor', 'more'],
  properties: {
    items: { type: 'array', items: notification },
    cursor: {
      type: 'string',
      description:
        'Where to read on: the next `after`, or the next `before` where this page was asked for by it.'
    },
    more: {
      type: 'boolean',
      description: 'Whether there is more now; before the page where it was asked for by `before`.'
    },
    gap: {
      type: 'object',
      description: 'What is missing: after `from`, up to and including `to`.',
      properties: { from: { type: 'string' }, to: { type: 'string' } }
    }
  }
}

export const device = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    registered: { type: 'boolean' },
    createdAt: nullable(time),
    presence: {
      type: ['object', 'null'],
      properties: {
        status: { enum: ['online', 'offline'] },
        since: time,
        reason: { type: 'string' },
        session: { type: 'string' },
        order: { type: 'integer' }
      }
    },
    firstSeenAt: nullable(time),
    lastSeenAt: nullable(time),
    events: { type: 'integer' },
    eventsPerMinute: {
      type: 'number',
      description: 'Over the last minute, about; since the server started.'
    },
    last: {
      type: ['object', 'null'],
      description: 'The last event; null when there was none, or none that is still kept.',
      required: ['cursor', 'at', 'topic'],
      properties: {
        cursor: { type: 'string' },
        at: { type: 'integer', description: 'Time of receipt, ms since 1970 UTC.' },
        topic: { type: 'string' },
        payload: { description: 'As the feed shows it; absent when truncated.' },
        encoding: { enum: ['base64'] },
        truncated: { const: true, description: 'The payload is long; the event at the cursor has it.' }
      }
    }
  }
}

export const token = {
  type: 'object',
  properties: { id: { type: 'string' }, role: { enum: roles }, name: { type: 'string' }, createdAt: time }
}

export const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' }
  }
}

/** RFC 3339 of ms since 1970. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
