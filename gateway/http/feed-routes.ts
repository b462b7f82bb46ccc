// GET /v1/feed without an upgrade: server-sent events.
import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import { filterOfQuery } from '../feed/filter.ts'
import { operatorOf } from './authorization.ts'
import type { HttpContext } from './context.ts'
import { cursorParameter, filterParameters } from './schemas.ts'

export function feedRoutes(app: FastifyInstance, { feed, settings }: HttpContext): void {
  app.get<{ Querystring: Record<string, unknown> & { after?: string } }>('/v1/feed', {
    exposeHeadRoute: false,
    config: {
      role: 'viewer',
      summary: 'The live feed as server-sent events; `Last-Event-ID` resumes. Also a WebSocket.',
      answers: { 200: { description: 'A stream', type: 'text/event-stream', schema: { type: 'string' } } }
    },
    schema: {
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: { ...filterParameters, after: cursorParameter }
      }
    },
    handler: async (request, reply) => {
      if (!/\btext\/event-stream\b/i.test(request.headers.accept ?? ''))
        throw new GatewayError(
          'not-acceptable',
          'ask with "Accept: text/event-stream", or upgrade to a WebSocket'
        )
      const filter = filterOfQuery(request.query, settings.filterTermsMax)
      // An EventSource that comes back repeats its URL; where it had come to is in the header.
      const resumed = request.headers['last-event-id']
      const after = typeof resumed === 'string' && resumed !== '' ? resumed : request.query.after
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value)
      feed.openStream(reply.raw, { filter, after, token: operatorOf(request), session: request.session })
      reply.hijack()
    }
  })
}
