// /v1/devices: what is known of devices, and their registration.
import type { FastifyInstance } from 'fastify'
import { hashToken, newToken } from '../../store/credentials.ts'
import type { DeviceRow } from '../../store/store.ts'
import { GatewayError } from '../errors.ts'
import type { HttpContext } from './context.ts'
import { devicesJson, isKnownDevice } from './device-json.ts'
import { isDeviceId } from './posted-events.ts'
import { device as deviceSchema, JSON_TYPE } from './schemas.ts'

const PAGE_DEFAULT = 100

interface Query {
  search?: string
  status?: 'online' | 'offline' | 'unknown'
  cursor?: string
  limit: number
}

const credentials = { type: 'object', properties: { id: { type: 'string' }, token: { type: 'string' } } }
const params = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] }

export function deviceRoutes(app: FastifyInstance, context: HttpContext): void {
  const { store, settings, now } = context
  const { devices } = store

  app.get<{ Querystring: Query }>('/v1/devices', {
    config: {
      role: 'viewer',
      summary: 'Devices that are registered or were seen, in order of their ids.',
      answers: {
        200: {
          description: 'A page',
          schema: {
            type: 'object',
            properties: {
              items: { type: 'array', items: deviceSchema },
              cursor: { type: ['string', 'null'], description: 'For the next page; null after the last.' }
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
          search: { type: 'string', maxLength: 256, description: 'Text that the id contains, in any case.' },
          status: { enum: ['online', 'offline', 'unknown'] },
          cursor: { type: 'string', maxLength: 1400, description: 'The last page’s cursor.' },
          limit: {
            type: 'integer',
            minimum: 1,
            maximum: settings.pageMax,
            default: Math.min(PAGE_DEFAULT, settings.pageMax)
          }
        }
      }
    },
    handler: async (request, reply) => {
      const { page, next } = pageOf(context, request.query)
      const items = await devicesJson(context, page)
      return reply.type(JSON_TYPE).send(`{"items":[${items.join(',')}],"cursor":${JSON.stringify(next)}}`)
    }
  })

  app.get<{ Params: { id: string } }>('/v1/devices/:id', {
    config: {
      role: 'viewer',
      summary: 'One device.',
      answers: { 200: { description: 'It', schema: deviceSchema } }
    },
    schema: { params },
    handler: async ({ params: { id } }, reply) => {
      if (!isKnownDevice(context, id)) unknownDevice(id)
      const [json] = await devicesJson(context, [id])
      return reply.type(JSON_TYPE).send(json)
    }
  })

  app.post<{ Body: { id: string } }>('/v1/devices', {
    config: {
      role: 'admin',
      summary: 'Registers a device. Its token is in this answer and nowhere else.',
      answers: { 201: { description: 'Registered', schema: credentials } }
    },
    schema: {
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['id'],
        properties: { id: { type: 'string' } }
      }
    },
    handler: async ({ body: { id } }, reply) => {
      if (!isDeviceId(id))
        throw new GatewayError('request-invalid', 'id must have 1 to 256 bytes and no control characters')
      if (devices.get(id))
        throw new GatewayError('device-exists', `"${id}" is registered; rotate its token instead`)
      return reply.code(201).send(await writeToken({ id, createdAt: now() }))
    }
  })

  app.post<{ Params: { id: string } }>('/v1/devices/:id/rotate', {
    config: {
      role: 'admin',
      summary: 'Gives a device a new token and ends the old one.',
      answers: { 200: { description: 'Rotated', schema: credentials } }
    },
    schema: { params },
    handler: async ({ params: { id } }) => {
      const row = devices.get(id)
      return row ? writeToken(row) : unknownDevice(id)
    }
  })

  app.delete<{ Params: { id: string } }>('/v1/devices/:id', {
    config: {
      role: 'admin',
      summary: 'Ends a device’s registration. What it sent stays in the log.',
      answers: { 204: { description: 'Removed' } }
    },
    schema: { params },
    handler: async ({ params: { id } }, reply) => {
      if (!(await devices.remove(id))) unknownDevice(id)
      return reply.code(204).send()
    }
  })

  async function writeToken(
    row: Pick<DeviceRow, 'id' | 'createdAt'>
  ): Promise<{ id: string; token: string }> {
    const token = newToken()
    await devices.put({ id: row.id, createdAt: row.createdAt, tokenHash: hashToken(token) })
    return { id: row.id, token }
  }
}

function unknownDevice(id: string): never {
  throw new GatewayError('device-unknown', `no device "${id.slice(0, 100)}" is registered or was seen`)
}

/** The ids of a page, and the cursor of the next; null after the last. */
function pageOf(
  context: HttpContext,
  { search = '', status, cursor, limit }: Query
): { page: string[]; next: string | null } {
  const ids = context.directory.ids()
  const wanted = search.toLowerCase()
  const page: string[] = []
  for (let at = cursor === undefined ? 0 : indexAfter(ids, decodeCursor(cursor)); at < ids.length; at++) {
    const id = ids[at] ?? ''
    if (!id.toLowerCase().includes(wanted)) continue
    if (status && (context.directory.get(id)?.presence?.status ?? 'unknown') !== status) continue
    if (!isKnownDevice(context, id)) continue
    if (page.length === limit) return { page, next: encodeCursor(page.at(-1) ?? '') }
    page.push(id)
  }
  return { page, next: null }
}

/** Index of the first id after this one. */
function indexAfter(ids: readonly string[], id: string): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ids[middle] ?? '') <= id) low = middle + 1
    else high = middle
  }
  return low
}

function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url')
}

function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  if (encodeCursor(id) !== cursor)
    throw new GatewayError('cursor-invalid', 'use a cursor that this list gave')
  return id
}
