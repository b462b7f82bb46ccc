// /v1/silences: what operators want to hear nothing of, and for how long.
import type { FastifyInstance } from 'fastify'
import { matchOfJson } from '../alerts/parse-match.ts'
import { silenceJson } from '../alerts/silence.ts'
import type { SilenceDraft } from '../alerts/silence.ts'
import { GatewayError } from '../errors.ts'
import { comment, idParams, itemsOf, match, silence } from './alerting-schemas.ts'
import { operatorOf } from './authorization.ts'
import type { HttpContext } from './context.ts'
import { durableOptions, durably } from './durable.ts'
import { parseDuration, parseTime } from './moments.ts'

interface Body {
  match: unknown
  from?: string
  until?: string
  for?: string
  comment?: string
}

export function silenceRoutes(app: FastifyInstance, context: HttpContext): void {
  const { now } = context
  const { silences } = context.alerting
  const durable = durableOptions(context)

  app.get('/v1/silences', {
    config: {
      role: 'viewer',
      summary: 'All silences that are kept, newest first.',
      answers: { 200: { description: 'All', schema: itemsOf(silence) } }
    },
    handler: async () => {
      const at = now()
      return { items: silences.list().map(one => silenceJson(one, at)) }
    }
  })

  app.get<{ Params: { id: string } }>('/v1/silences/:id', {
    config: {
      role: 'viewer',
      summary: 'One silence.',
      answers: { 200: { description: 'It', schema: silence } }
    },
    schema: { params: idParams },
    handler: async ({ params: { id } }) => silenceJson(silences.get(id) ?? unknownSilence(id), now())
  })

  app.post<{ Body: Body }>('/v1/silences', {
    config: {
      role: 'operator',
      summary: 'Keeps alerts from being told for a time. They are raised and resolved all the same.',
      answers: { 201: { description: 'Added', schema: silence } }
    },
    schema: {
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['match'],
        properties: {
          match: { description: match.description },
          from: { type: 'string', format: 'date-time', description: 'Default: now.' },
          until: { type: 'string', format: 'date-time' },
          for: { type: 'string', description: 'In place of until: a duration such as 2h.' },
          comment
        }
      }
    },
    handler: async (request, reply) => {
      const at = now()
      const draft = draftOf(request.body, { at, author: operatorOf(request).name })
      const added = await durably(durable, () => silences.add(draft, at))
      if (!added.ok)
        throw new GatewayError('silences-limit', 'alerting.silencesMax silences wait or hold; end some first')
      return reply.code(201).send(silenceJson(added.silence, at))
    }
  })

  app.delete<{ Params: { id: string } }>('/v1/silences/:id', {
    config: {
      role: 'operator',
      summary: 'Ends a silence now. It stays in the list for a while.',
      answers: { 200: { description: 'It, as it is now', schema: silence } }
    },
    schema: { params: idParams },
    handler: async request => {
      const { id } = request.params
      const at = now()
      const ended = await durably(durable, () => silences.end(id, at, operatorOf(request).name))
      return silenceJson(ended.ok ? ended.silence : unknownSilence(id), at)
    }
  })
}

function draftOf(body: Body, { at, author }: { at: number; author: string }): SilenceDraft {
  const parsed = matchOfJson(body.match)
  if (!parsed.ok) throw new GatewayError('request-invalid', `body/match ${parsed.message}`)
  // Who means every alert can say so: {"rules": ["*"]}.
  if (Object.keys(parsed.match).length === 0)
    throw new GatewayError('request-invalid', 'body/match must say which alerts; {"rules": ["*"]} is all')
  if ((body.until === undefined) === (body.for === undefined))
    throw new GatewayError('request-invalid', 'body must have either until or for')
  const from = body.from === undefined ? at : parseTime(body.from, 'from')
  const until =
    body.until === undefined ? from + parseDuration(body.for ?? '', 'for') : parseTime(body.until, 'until')
  if (until <= Math.max(from, at))
    throw new GatewayError('request-invalid', 'body/until must be after from, and to come')
  return { match: parsed.match, from, until, comment: body.comment ?? '', author }
}

function unknownSilence(id: string): never {
  throw new GatewayError('silence-unknown', `there is no silence "${id.slice(0, 40)}", or none any more`)
}
