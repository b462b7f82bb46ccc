// An event's payload as a value inside a JSON or MessagePack message. Pure.
import { isUtf8 } from 'node:buffer'
import { Packr, Unpackr } from 'msgpackr'
import type { EventNotification } from '../../store/notification.ts'
import { messagePackShape, NESTING_MAX } from './messagepack-value.ts'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'bigint' })

/** Any value as MessagePack. */
export function pack(value: unknown): Buffer {
  return packr.pack(value)
}

/** The value that bytes hold as MessagePack; throws when they hold none. */
export function unpack(bytes: Uint8Array): unknown {
  if (messagePackShape(bytes) !== 'plain') throw new Error('not one plain MessagePack value')
  return unpackr.unpack(bytes)
}

export type PlainPayload = { is: 'json'; text: string } | { is: 'text'; text: string } | { is: 'bytes' }

/** What bytes without a stated format are: JSON if they parse as JSON, else text if they are UTF-8, else bytes. */
export function classify(payload: Buffer): PlainPayload {
  if (!isUtf8(payload)) return { is: 'bytes' }
  const text = payload.toString('utf8')
  return parseJson(text) === null ? { is: 'text', text } : { is: 'json', text }
}

/** The value of what is JSON and not nested too deeply; null for other text. */
export function parseJson(text: string): { value: unknown } | null {
  // Most text that is none is known by its first character, which spares an exception.
  if (!/^[\s\-0-9"{[tfn]/.test(text)) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  return text.length <= 2 * NESTING_MAX || !nestsDeeply(text) ? { value } : null
}

/**
 * The payload as JSON text without line breaks, and whether it is base64 of what JSON can't say. JSON is passed on as it
 * came, so that numbers keep every digit.
 */
export function payloadJson({ payload, format }: EventNotification): { json: string; base64: boolean } {
  const bytes = asBuffer(payload)
  if (format === 'msgpack') {
    const json = messagePackToJson(bytes)
    return json === null ? base64(bytes) : { json, base64: false }
  }
  const plain = classify(bytes)
  if (plain.is === 'bytes') return base64(bytes)
  if (plain.is === 'text') return { json: JSON.stringify(plain.text), base64: false }
  // Between the tokens of JSON, and only there, a line break is white space.
  const oneLine = /[\r\n]/.test(plain.text) ? plain.text.replace(/[\r\n]+/g, ' ') : plain.text
  return { json: oneLine, base64: false }
}

/** The payload as one MessagePack value: its own bytes, its JSON's value, text, or bytes as bin. */
export function payloadMessagePack({ payload, format }: EventNotification): Uint8Array {
  const bytes = asBuffer(payload)
  if (format === 'msgpack') return messagePackShape(bytes) === 'malformed' ? packr.pack(bytes) : bytes
  const plain = classify(bytes)
  if (plain.is === 'bytes') return packr.pack(bytes)
  return packr.pack(plain.is === 'json' ? JSON.parse(plain.text) : plain.text)
}

function base64(bytes: Buffer): { json: string; base64: true } {
  return { json: `"${bytes.toString('base64')}"`, base64: true }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function nestsDeeply(json: string): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (quoted) {
      if (code === 0x5c)
        at++ // a backslash and what it escapes
      else if (code === 0x22) quoted = false
    } else if (code === 0x22) quoted = true
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > NESTING_MAX) return true
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return false
}

function messagePackToJson(bytes: Buffer): string | null {
  try {
    return JSON.stringify(unpack(bytes), jsonValue) ?? null
  } catch {
    return null // an extension, or a map key that JSON has no word for
  }
}

function jsonValue(this: unknown, key: string, value: unknown): unknown {
  // As a number where JavaScript can hold it, else as text: digits are not lost in silence.
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  const own = (this as Record<string, unknown>)[key] // before Buffer's toJSON
  return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : value
}
