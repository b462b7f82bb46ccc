// GET /v1/overview: how the server does and has done, for a page that shows it.
import type { FastifyInstance } from 'fastify'
import { sampleColumns } from '../overview/overview.ts'
import type { HttpContext } from './context.ts'
import { timeText } from './schemas.ts'

const numbers = { type: 'array', items: { type: ['number', 'null'] } }

const schema = {
  type: 'object',
  properties: {
    at: { type: 'string', format: 'date-time' },
    version: { type: 'string' },
    writable: { type: 'boolean', description: 'Whether events can be stored.' },
    unwritableReason: { type: 'string', description: 'Why not; empty while they can.' },
    devices: {
      type: 'object',
      properties: {
        known: { type: 'integer', description: 'Registered, or seen at any time.' }
      }
    },
    behind: { type: 'integer', description: 'Notifications that rules have not judged yet.' },
    intervalMs: { type: 'integer', description: 'Time between two samples.' },
    samples: {
      type: 'object',
      description:
        'By column, oldest first: numbers of the moment, rates and quantiles of the time since the sample before.',
      properties: {
        at: { type: 'array', items: { type: 'integer' }, description: 'ms since 1970 UTC.' },
        ...Object.fromEntries(sampleColumns.map(name => [name, numbers]))
      }
    }
  }
}

export function overviewRoute(
  app: FastifyInstance,
  { store, overview, directory, alerting, settings, version, now }: HttpContext
): void {
  app.get<{ Querystring: { after?: number } }>('/v1/overview', {
    config: {
      role: 'viewer',
      summary: 'How the server does, and samples of how it did.',
      answers: { 200: { description: 'It', schema } }
    },
    schema: {
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: {
          after: { type: 'integer', description: 'Only samples after this time, ms since 1970 UTC.' }
        }
      }
    },
    handler: async ({ query: { after = 0 } }) => {
      const health = store.log.health()
      const samples = overview.samplesAfter(after)
      return {
        at: timeText(now()),
        version,
        writable: health.writable,
        unwritableReason: health.writable ? '' : health.reason,
        devices: { known: directory.size },
        behind: alerting.behind,
        intervalMs: settings.sampleMs,
        samples
      }
    }
  })
}
