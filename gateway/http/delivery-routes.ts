// /v1/channels, /v1/routes, /v1/deliveries: who is told by what, and how that does.
import type { FastifyInstance } from 'fastify'
import type { ChannelStatus } from '../delivery/dispatcher.ts'
import { GatewayError } from '../errors.ts'
import { channel, idParams, itemsOf, outcome, route } from './alerting-schemas.ts'
import type { HttpContext } from './context.ts'
import { durableOptions, durably } from './durable.ts'
import { timeText } from './schemas.ts'

export function deliveryRoutes(app: FastifyInstance, context: HttpContext): void {
  const { alerting } = context
  const { dispatcher } = alerting
  const durable = durableOptions(context)

  app.get('/v1/channels', {
    config: {
      role: 'viewer',
      summary: 'The channels, and how each does.',
      answers: { 200: { description: 'All', schema: itemsOf(channel) } }
    },
    handler: async () => ({ items: dispatcher.channels().map(channelJson) })
  })

  app.post<{ Params: { name: string } }>('/v1/channels/:name/test', {
    config: {
      role: 'operator',
      summary: 'Sends a test through a channel; answers with what became of it.',
      answers: { 200: { description: 'What became of it', schema: outcome } }
    },
    schema: {
      params: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } }
    },
    handler: async ({ params: { name } }) => {
      const result = await dispatcher.test(name)
      if (result === null) throw unknownChannel(`there is no channel "${name.slice(0, 100)}"`)
      return { outcome: result.outcome, detail: result.detail }
    }
  })

  app.get('/v1/routes', {
    config: {
      role: 'viewer',
      summary: 'The routes, in the order in which they are tried.',
      answers: { 200: { description: 'All', schema: itemsOf(route) } }
    },
    handler: async () => ({ items: alerting.routes() })
  })

  app.post<{ Params: { id: string } }>('/v1/deliveries/:id/resend', {
    config: {
      role: 'operator',
      summary: 'Sends a delivery again that was given up.',
      answers: { 202: { description: 'It is intended, durably' } }
    },
    schema: { params: idParams },
    handler: async ({ params: { id } }, reply) => {
      const resent = await durably(durable, () => dispatcher.resend(id))
      if (!resent.ok) {
        if (resent.code === 'channel-unknown') throw unknownChannel('its channel is there no more')
        throw new GatewayError(
          'delivery-unknown',
          `no delivery "${id.slice(0, 100)}" was given up, or it is too long ago`
        )
      }
      return reply.code(202).send()
    }
  })
}

function unknownChannel(message: string): GatewayError {
  return new GatewayError('channel-unknown', message)
}

function channelJson({ lastAttempt, failed, ...rest }: ChannelStatus): Record<string, unknown> {
  return {
    ...rest,
    lastAttempt: lastAttempt && { ...lastAttempt, at: timeText(lastAttempt.at) },
    failed: failed.map(({ failedAt, ...one }) => ({ ...one, failedAt: timeText(failedAt) }))
  }
}
