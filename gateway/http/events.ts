// POST /v1/events: events from operators' systems, answered when they are durable.
import type { FastifyInstance } from 'fastify'
import { formatCursor } from '../../store/cursor.ts'
import { GatewayError } from '../errors.ts'
import { operatorOf } from './authorization.ts'
import type { HttpContext } from './context.ts'
import { parseEvents } from './posted-events.ts'
import { Publisher } from './publish.ts'

const KEY_LENGTH_MAX = 255

const event = {
  type: 'object',
  required: ['device', 'topic', 'payload'],
  additionalProperties: false,
  properties: {
    device: { type: 'string' },
    topic: { type: 'string' },
    payload: { description: 'Any JSON value. A text is stored as it is, anything else as its JSON.' },
    encoding: { enum: ['base64'], description: 'The payload’s text stands for these bytes.' },
    deviceAt: { type: 'integer', description: 'The device’s own time, ms since 1970 UTC.' }
  }
}

export function eventRoutes(app: FastifyInstance, { store: { log }, settings, now }: HttpContext): void {
  const publisher = new Publisher({ log, timeoutMs: settings.appendTimeoutMs, now })
  app.post('/v1/events', {
    config: {
      role: 'operator',
      summary: 'Stores one event or a list of them; answers when all are durable.',
      answers: {
        200: {
          description: 'All are durable',
          schema: {
            type: 'object',
            properties: {
              stored: { type: 'integer' },
              cursor: { type: 'string', description: 'A place in the log that all of them lie at or before.' }
            }
          }
        }
      }
    },
    schema: { body: { oneOf: [event, { type: 'array', minItems: 1, items: event }] } },
    // The parser says which field of which event is wrong, where a schema of alternatives would say that none fits.
    validatorCompiler: () => () => true,
    handler: async request => {
      const drafts = parseEvents(request.body)
      const { length } = drafts
      const key = idempotencyKey(request.headers['idempotency-key'])
      await publisher.publish({ drafts, scope: operatorOf(request).id, key })
      const { epoch, last } = log.bounds()
      return { stored: length, cursor: formatCursor(epoch, last) }
    }
  })
}

function idempotencyKey(header: string | string[] | undefined): string | undefined {
  const key = Array.isArray(header) ? header.join(', ') : header
  if (key !== undefined && (key === '' || key.length > KEY_LENGTH_MAX))
    throw new GatewayError('request-invalid', `Idempotency-Key must have 1 to ${KEY_LENGTH_MAX} characters`)
  return key
}
