// /v1/tokens: operators' tokens.
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { hashToken, newToken } from '../../store/credentials.ts'
import { roles } from '../../store/store.ts'
import type { Role, TokenRow } from '../../store/store.ts'
import { GatewayError } from '../errors.ts'
import type { HttpContext } from './context.ts'
import { timeText, token as tokenSchema } from './schemas.ts'

export function tokenRoutes(app: FastifyInstance, { store: { tokens }, now }: HttpContext): void {
  app.get('/v1/tokens', {
    config: {
      role: 'admin',
      summary: 'All tokens, without their secrets.',
      answers: {
        200: {
          description: 'All',
          schema: { type: 'object', properties: { items: { type: 'array', items: tokenSchema } } }
        }
      }
    },
    handler: async () => ({ items: tokens.list().map(describeToken) })
  })

  app.post<{ Body: { role: Role; name: string } }>('/v1/tokens', {
    config: {
      role: 'admin',
      summary: 'Creates a token. It is in this answer and nowhere else.',
      answers: {
        201: {
          description: 'Created',
          schema: { ...tokenSchema, properties: { ...tokenSchema.properties, token: { type: 'string' } } }
        }
      }
    },
    schema: {
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['role', 'name'],
        properties: { role: { enum: roles }, name: { type: 'string', minLength: 1, maxLength: 200 } }
      }
    },
    handler: async ({ body: { role, name } }, reply) => {
      const token = newToken()
      const row = { id: randomBytes(5).toString('hex'), hash: hashToken(token), role, name, createdAt: now() }
      await tokens.put(row)
      return reply.code(201).send({ ...describeToken(row), token })
    }
  })

  app.delete<{ Params: { id: string } }>('/v1/tokens/:id', {
    config: {
      role: 'admin',
      summary: 'Revokes a token; feed connections that it opened are closed.',
      answers: { 204: { description: 'Revoked' } }
    },
    schema: { params: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] } },
    handler: async ({ params: { id } }, reply) => {
      const admins = tokens.list().filter(({ role }) => role === 'admin')
      if (admins.length === 1 && admins[0]?.id === id)
        throw new GatewayError('last-admin', 'create another admin token first')
      if (!(await tokens.remove(id)))
        throw new GatewayError('token-unknown', `no token has the id "${id.slice(0, 40)}"`)
      return reply.code(204).send()
    }
  })
}

function describeToken({ id, role, name, createdAt }: TokenRow): object {
  return { id, role, name, createdAt: timeText(createdAt) }
}
