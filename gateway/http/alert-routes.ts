// /v1/alerts: what is wrong, the story of each, and what operators do about it.
import type { FastifyInstance } from 'fastify'
import type { Severity } from '../../store/notification.ts'
import { severities } from '../../store/notification.ts'
import type { AlertQuery, AlertRow } from '../../store/store.ts'
import { alertJson } from '../alerts/alert-json.ts'
import type { AlertJson } from '../alerts/alert-json.ts'
import { alertNumberOf, alertOfRow } from '../alerts/alert-row.ts'
import { storyOf } from '../alerts/alert-story.ts'
import type { Alert } from '../alerts/alert.ts'
import { GatewayError } from '../errors.ts'
import { alert, alertStates, comment, idParams, story } from './alerting-schemas.ts'
import { operatorOf } from './authorization.ts'
import type { HttpContext } from './context.ts'
import { durableOptions, durably } from './durable.ts'

const PAGE_DEFAULT = 100

interface Query {
  states?: NonNullable<AlertQuery['states']>
  severityMin?: Severity
  rules?: string[]
  devices?: string[]
  keys?: string[]
  cursor?: string
  limit: number
}

const actions = {
  acknowledge: 'Says that somebody takes care of an alert: nobody is told of it any more but its end.',
  resolve: 'Ends an alert.'
} as const

export function alertRoutes(app: FastifyInstance, context: HttpContext): void {
  const { alerting, store, now, settings } = context
  const { book } = alerting
  const durable = durableOptions(context)
  const texts = (description: string, items: object = { type: 'string' }) => ({
    type: 'array',
    items,
    maxItems: settings.filterTermsMax,
    description
  })

  app.get<{ Querystring: Query }>('/v1/alerts', {
    config: {
      role: 'viewer',
      summary: 'Alerts, newest first.',
      answers: {
        200: {
          description: 'A page',
          schema: {
            type: 'object',
            properties: {
              items: { type: 'array', items: alert },
              next: { type: ['string', 'null'], description: 'Cursor of the next page; null after the last.' }
            }
          }
        }
      }
    },
    schema: {
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: {
          states: texts('States. May be repeated.', { type: 'string', enum: alertStates }),
          severityMin: { type: 'string', enum: severities, description: 'Least severity.' },
          rules: texts('Names of rules. May be repeated.'),
          devices: texts('Device ids. May be repeated.'),
          keys: texts('Keys. May be repeated.'),
          cursor: { type: 'string', maxLength: 64, description: 'The last page’s `next`.' },
          limit: {
            type: 'integer',
            minimum: 1,
            maximum: settings.pageMax,
            default: Math.min(PAGE_DEFAULT, settings.pageMax)
          }
        }
      }
    },
    handler: async ({ query }) => listAlerts(context, query)
  })

  app.get<{ Params: { id: string } }>('/v1/alerts/:id', {
    config: {
      role: 'viewer',
      summary: 'An alert and its story: what raised it, what became of it, and who was told.',
      answers: { 200: { description: 'It', schema: story } }
    },
    schema: { params: idParams },
    handler: async ({ params: { id } }) =>
      (await storyOf(id, { tables: store.tables, log: store.log, book })) ?? unknownAlert(id)
  })

  for (const [name, summary] of Object.entries(actions) as [keyof typeof actions, string][])
    app.post<{ Params: { id: string }; Body: { comment?: string } | undefined }>(`/v1/alerts/:id/${name}`, {
      config: {
        role: 'operator',
        summary,
        answers: { 200: { description: 'The alert, as it is now', schema: alert } }
      },
      schema: { params: idParams, body: commentBody },
      handler: async request => {
        const { id } = request.params
        const actor = operatorOf(request).name
        return durably(durable, () => {
          const changed = book[name](id, { at: now(), actor, comment: request.body?.comment ?? '' })
          if (changed.ok) return alertJson(changed.alert)
          if (changed.code === 'alert-unknown') unknownAlert(id)
          throw new GatewayError('alert-resolved', `${id} is resolved, which is final`)
        })
      }
    })
}

/** `comment` may be left out, and so may the body. */
const commentBody = { type: ['object', 'null'], additionalProperties: false, properties: { comment } }

function unknownAlert(id: string): never {
  throw new GatewayError('alert-unknown', `there is no alert "${id.slice(0, 40)}", or none any more`)
}

async function listAlerts(
  { alerting, store }: HttpContext,
  { cursor, limit, ...filter }: Query
): Promise<{ items: AlertJson[]; next: string | null }> {
  const before = cursor === undefined ? undefined : decodeCursor(cursor)
  // One more than wanted says whether there is another page.
  const rows = await store.tables.alerts({ ...filter, ...(before && { before }), limit: limit + 1 })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(row => alertJson(newest(row, alerting.book.byId(row.id)))),
    next: rows.length > limit && last !== undefined ? encodeCursor(last.id) : null
  }
}

/** Counts are in memory before they are in the table; a state or a severity shows when it is durable, as the filter has it. */
function newest(row: AlertRow, open: Alert | undefined): Alert {
  return open?.state === row.state && open.severity === row.severity ? open : alertOfRow(row)
}

function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url')
}

function decodeCursor(cursor: string): number {
  const id = Buffer.from(cursor, 'base64url').toString()
  const number = alertNumberOf(id)
  if (number === null || encodeCursor(id) !== cursor)
    throw new GatewayError('cursor-invalid', 'use a cursor that this list gave')
  return number
}
