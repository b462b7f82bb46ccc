// What a feed client sends: one object with a `type`. Pure.
import { GatewayError } from '../errors.ts'
import { unpack } from './payload.ts'

export type FeedRequest =
  | { type: 'auth'; token: string }
  | { type: 'subscribe'; id: string; filter: unknown; after: string | undefined }
  | { type: 'unsubscribe'; id: string }
  | { type: 'ping' }

/** Longest subscription id, in characters. */
export const ID_LENGTH_MAX = 64

export type Decoded = { ok: true; value: Record<string, unknown> } | { ok: false; message: string }

/** The object in a message's bytes. One that holds none is a client that speaks something else. */
export function decodeMessage(data: Buffer, binary: boolean, format: 'json' | 'msgpack'): Decoded {
  if (binary !== (format === 'msgpack'))
    return { ok: false, message: `this subprotocol takes ${format === 'json' ? 'text' : 'binary'} messages` }
  try {
    const value: unknown = format === 'json' ? JSON.parse(data.toString('utf8')) : unpack(data)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { ok: true, value: value as Record<string, unknown> }
    return { ok: false, message: 'every message must be one object with a type' }
  } catch {
    return {
      ok: false,
      message: `the message is not ${format === 'json' ? 'JSON' : 'one MessagePack value'}`
    }
  }
}

/** Reads a request; throws `message-invalid`, naming the field. Unknown fields are ignored. */
export function parseRequest(value: Record<string, unknown>): FeedRequest {
  const { type } = value
  switch (type) {
    case 'auth':
      return { type, token: text(value, 'token', 512) }
    case 'subscribe': {
      const { filter, after } = value
      return {
        type,
        id: text(value, 'id', ID_LENGTH_MAX),
        filter,
        after: after == null ? undefined : text(value, 'after', 64)
      }
    }
    case 'unsubscribe':
      return { type, id: text(value, 'id', ID_LENGTH_MAX) }
    case 'ping':
      return { type }
    default:
      throw new GatewayError('message-invalid', 'type must be one of auth, subscribe, unsubscribe, ping')
  }
}

/** The id of a message that was not understood, so that the client knows which. */
export function idOf(value: Record<string, unknown>): string | undefined {
  const { id } = value
  return typeof id === 'string' && id.length <= ID_LENGTH_MAX ? id : undefined
}

function text(value: Record<string, unknown>, field: string, lengthMax: number): string {
  const given = value[field]
  if (typeof given !== 'string' || given === '' || given.length > lengthMax)
    throw new GatewayError('message-invalid', `${field} must be a text of 1 to ${lengthMax} characters`)
  return given
}
