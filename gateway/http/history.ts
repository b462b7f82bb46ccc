// GET /v1/notifications: history in pages, forward or newest first, the long-poll that waits for the next, and single
// notifications.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { formatCursor } from '../../store/cursor.ts'
import type { Filter } from '../../store/store.ts'
import type { Notification } from '../../store/notification.ts'
import { GatewayError } from '../errors.ts'
import { filterOfQuery } from '../feed/filter.ts'
import { notificationJson, notificationListJson } from '../feed/messages.ts'
import { readCursor, resolveStart, resolveStartBackward, resolveStartThrough } from '../feed/recovery.ts'
import type { StartBackward } from '../feed/recovery.ts'
import { enterSubscriber } from '../feed/subscriber-places.ts'
import type { HttpContext } from './context.ts'
import {
  beforeParameter,
  cursorParameter,
  filterParameters,
  JSON_TYPE,
  notification,
  notificationPage,
  throughParameter
} from './schemas.ts'

const PAGE_DEFAULT = 100
const PAGE_BYTES_MAX = 4 * 1024 * 1024
/** Time one request may spend passing by what its filter does not want, before it answers how far it came. */
const SEARCH_MS = 1000

interface Query extends Record<string, unknown> {
  after?: string
  before?: string
  through?: string
  limit?: number
  wait?: string
}

interface Page {
  items: Notification[]
  next: number
  more: boolean
  gap: { from: string; to: string } | null
}

export function historyRoutes(app: FastifyInstance, context: HttpContext): void {
  pageRoute(app, context)
  singleRoute(app, context)
}

function pageRoute(app: FastifyInstance, context: HttpContext): void {
  const { settings } = context
  app.get<{ Querystring: Query }>('/v1/notifications', {
    exposeHeadRoute: false,
    config: {
      role: 'viewer',
      summary:
        'Notifications after a cursor; with `wait`, waits for the first when there are none. Or those before one, newest first.',
      answers: { 200: { description: 'A page', schema: notificationPage } }
    },
    schema: {
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...filterParameters,
          after: cursorParameter,
          before: beforeParameter,
          through: throughParameter,
          limit: {
            type: 'integer',
            minimum: 1,
            maximum: settings.pageMax,
            default: Math.min(PAGE_DEFAULT, settings.pageMax)
          },
          wait: { type: 'string', description: 'Longest time to wait, such as `25s` or `500ms`.' }
        }
      }
    },
    handler: async (request, reply) => {
      const { after, before, through, limit = PAGE_DEFAULT, wait } = request.query
      const filter = filterOfQuery(request.query, settings.filterTermsMax)
      if (before !== undefined || through !== undefined) {
        if (after !== undefined || wait !== undefined)
          throw new GatewayError(
            'request-invalid',
            'before and through read backward: leave out after and wait'
          )
        if (before !== undefined && through !== undefined)
          throw new GatewayError('request-invalid', 'give either before or through')
        const bounds = context.store.log.bounds()
        const start =
          through === undefined
            ? resolveStartBackward(before ?? '', bounds)
            : resolveStartThrough(through, bounds)
        return sendPage(reply, context, await readPageBackward(context, { filter, start, limit }))
      }
      const waitMs = Math.min(wait === undefined ? 0 : parseWait(wait), settings.waitMaxMs)
      const leave = waitMs > 0 ? enterSubscriber(context, 'long-poll') : null
      const waiting = new AbortController()
      const stop = () => waiting.abort()
      const timer = setTimeout(stop, waitMs)
      reply.raw.once('close', stop)
      context.draining.addEventListener('abort', stop)
      if (context.draining.aborted) stop()
      try {
        const page = await readPage(context, {
          filter,
          after,
          limit,
          signal: waitMs > 0 ? waiting.signal : null
        })
        return sendPage(reply, context, page)
      } finally {
        clearTimeout(timer)
        context.draining.removeEventListener('abort', stop)
        leave?.()
      }
    }
  })
}

function singleRoute(app: FastifyInstance, { store: { log } }: HttpContext): void {
  app.get<{ Params: { cursor: string } }>('/v1/notifications/:cursor', {
    config: {
      role: 'viewer',
      summary: 'One notification.',
      answers: { 200: { description: 'It', schema: notification } }
    },
    schema: {
      params: { type: 'object', properties: { cursor: { type: 'string' } }, required: ['cursor'] }
    },
    handler: async ({ params: { cursor } }, reply) => {
      const place = readCursor(cursor)
      const { epoch } = log.bounds()
      const found = place.epoch === epoch ? await log.get(place.seq) : null
      if (found === null)
        throw new GatewayError('notification-unknown', `there is no notification ${cursor}, or none any more`)
      return reply.type(JSON_TYPE).send(notificationJson(epoch, found))
    }
  })
}

/** Reads on until there is something to tell, or nothing and no wish (or no more time) to wait. */
async function readPage(
  { store: { log }, hub }: HttpContext,
  request: { filter: Filter; after: string | undefined; limit: number; signal: AbortSignal | null }
): Promise<Page> {
  const { filter, limit, signal } = request
  const { epoch, ...bounds } = log.bounds()
  const start = resolveStart(request.after, { epoch, ...bounds })
  const searchUntilMs = performance.now() + SEARCH_MS
  let { gap } = start
  let at = start.after
  for (;;) {
    const { items, next, more, gap: taken } = await log.read(at, { limit, bytesMax: PAGE_BYTES_MAX, filter })
    if (taken)
      gap = { from: gap?.from ?? formatCursor(epoch, taken.from - 1), to: formatCursor(epoch, taken.to) }
    at = next
    if (items.length > 0 || (gap && !more)) return { items, next, more, gap }
    if (more && performance.now() < searchUntilMs) {
      await nextTurn() // what is in memory is searched on the event loop's time
      continue
    }
    if (more || signal === null || signal.aborted) return { items, next, more, gap }
    await hub.changed(filter, at, signal)
  }
}

/**
 * The page before a place, newest first. Unlike a forward page it is filled as far as the time allows: whoever looks back
 * wants the last so many, and nothing new comes for which one could ask again.
 */
async function readPageBackward(
  { store: { log } }: HttpContext,
  request: { filter: Filter; start: StartBackward; limit: number }
): Promise<Page> {
  const { filter, start, limit } = request
  const searchUntilMs = performance.now() + SEARCH_MS
  const { epoch } = log.bounds()
  const items: Notification[] = []
  let { gap } = start
  let bytesLeft = PAGE_BYTES_MAX
  let at = start.before
  for (;;) {
    const wanted = { limit: limit - items.length, bytesMax: bytesLeft, filter }
    const { items: found, next, more, gap: lost } = await log.readBack(at, wanted)
    if (lost && items.length > 0) return { items, next: at, more: true, gap } // the next page begins with it
    if (lost) gap = { from: formatCursor(epoch, lost.from - 1), to: gap?.to ?? formatCursor(epoch, lost.to) }
    items.push(...found)
    for (const item of found) if (item.kind === 'event') bytesLeft -= item.payload.length
    at = next
    const filled = items.length >= limit || bytesLeft <= 0
    if (filled || !more || performance.now() >= searchUntilMs) return { items, next, more, gap }
    await nextTurn()
  }
}

function sendPage(reply: FastifyReply, { store }: HttpContext, page: Page): FastifyReply {
  return reply.type(JSON_TYPE).send(pageJson(store.log.bounds().epoch, page))
}

function pageJson(epoch: string, { items, next, more, gap }: Page): string {
  const missing = gap ? `,"gap":${JSON.stringify(gap)}` : ''
  return `{"items":[${notificationListJson(epoch, items)}],"cursor":"${formatCursor(epoch, next)}","more":${more}${missing}}`
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000 }

function parseWait(text: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)$/.exec(text) ?? []
  const factor = unitMs[unit ?? '']
  if (number === undefined || factor === undefined)
    throw new GatewayError('request-invalid', 'wait must be a number and a unit (ms, s, m), such as 25s')
  return Number(number) * factor
}
