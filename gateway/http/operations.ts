// What a supervisor asks: whether it lives, whether it can take work, its metrics. None needs a token: a supervisor on
// the same network has none, and nothing here names a device.
import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { HttpContext } from './context.ts'

export function operationRoutes(
  app: FastifyInstance,
  { store, status, registry, version }: HttpContext
): void {
  app.get('/healthz', {
    config: { summary: 'Whether the process lives.', answers: { 200: { description: 'It does' } } },
    handler: async () => ({ status: 'live', version })
  })

  app.get('/readyz', {
    config: { summary: 'Whether the server can take work.', answers: { 200: { description: 'It can' } } },
    handler: async () => {
      const { phase } = status()
      if (phase !== 'serving')
        throw new GatewayError('not-ready', `the server is ${phase}`, { extra: { phase } })
      const health = store.log.health()
      if (health.writable) return { status: 'ready' }
      const extra = { phase, reason: health.code, since: new Date(health.since).toISOString() }
      throw new GatewayError('not-ready', `events can’t be stored: ${health.reason}`, { extra })
    }
  })

  app.get('/metrics', {
    config: {
      summary: 'Metrics in the Prometheus text format.',
      answers: { 200: { description: 'Metrics', type: 'text/plain' } }
    },
    handler: async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics())
  })
}
