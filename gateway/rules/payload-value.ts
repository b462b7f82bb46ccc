// An event's payload as the value that expressions see. Pure.
import { isUtf8 } from 'node:buffer'
import type { EventNotification } from '../../store/notification.ts'
import { parseJson, unpack } from '../feed/payload.ts'

/**
 * JSON's value, a MessagePack value, text, or null for bytes. What MessagePack has and JSON has not (NaN, infinities, dates
 * that are none) is null: a comparison with it is an error rather than true or false by chance.
 */
export function payloadValue({ payload, format }: EventNotification): unknown {
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  if (format === 'msgpack') return messagePackValue(bytes)
  if (!isUtf8(bytes)) return null
  const text = bytes.toString('utf8')
  const json = parseJson(text)
  return json === null ? text : json.value
}

function messagePackValue(bytes: Buffer): unknown {
  try {
    return tamed(unpack(bytes))
  } catch {
    return null // not one value, or one with extensions
  }
}

// Nesting is limited by `unpack`.
function tamed(value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'bigint':
      // Like every other number where that loses nothing.
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    case 'object':
      return tamedObject(value)
    default:
      return value ?? null
  }
}

function tamedObject(value: object | null): unknown {
  if (Array.isArray(value)) return value.map(tamed)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value
  if (value === null || value instanceof Uint8Array) return value
  const fields = value as Record<string, unknown>
  for (const name of Object.keys(fields)) fields[name] = tamed(fields[name])
  return fields
}
