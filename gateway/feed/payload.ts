// An event's payload as a value inside a JSON or MessagePack message. Pure.
import { isUtf8 } from 'node:buffer'
import { Packr, Unpackr } from 'msgpackr'
import type { EventNotification } from '../../store/notification.ts'
import { jsonShape } from './json-shape.ts'
import { JsonWriter } from './json-writer.ts'
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
 * Writes the payload as JSON without line breaks; `base64`: of what JSON can't say. JSON is passed on as it came, so that
 * numbers keep every digit.
 */
export function writePayload(writer: JsonWriter, { payload, format }: EventNotification): 'value' | 'base64' {
  if (format === 'msgpack') return writeMessagePack(writer, payload)
  const shape = jsonShape(payload)
  if (shape === 'line') writer.raw(payload)
  else if (!isUtf8(payload)) return writeBase64(writer, payload)
  else if (shape === 'json') writer.raw(onOneLine(payload))
  else writer.text(asBuffer(payload).toString('utf8'))
  return 'value'
}

/** The payload as `writePayload` writes it, as text. */
export function payloadJson(event: EventNotification): { json: string; base64: boolean } {
  const writer = new JsonWriter()
  const base64 = writePayload(writer, event) === 'base64'
  return { json: writer.since(0).toString('utf8'), base64 }
}

function writeMessagePack(writer: JsonWriter, payload: Uint8Array): 'value' | 'base64' {
  const json = messagePackToJson(asBuffer(payload))
  if (json === null) return writeBase64(writer, payload)
  writer.json(json)
  return 'value'
}

function writeBase64(writer: JsonWriter, bytes: Uint8Array): 'base64' {
  writer.json(`"${asBuffer(bytes).toString('base64')}"`)
  return 'base64'
}

/** Between the tokens of JSON, and only there, a line break is white space. */
function onOneLine(json: Uint8Array): Uint8Array {
  if (!json.includes(LINE_FEED) && !json.includes(CARRIAGE_RETURN)) return json
  const line = Uint8Array.from(json)
  for (let at = 0; at < line.length; at++)
    if (line[at] === LINE_FEED || line[at] === CARRIAGE_RETURN) line[at] = SPACE
  return line
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20

/** The payload as one MessagePack value: its own bytes, its JSON's value, text, or bytes as bin. */
export function payloadMessagePack({ payload, format }: EventNotification): Uint8Array {
  const bytes = asBuffer(payload)
  if (format === 'msgpack') return messagePackShape(bytes) === 'malformed' ? packr.pack(bytes) : bytes
  if (!isUtf8(bytes)) return packr.pack(bytes)
  const text = bytes.toString('utf8')
  const json = parseJson(text)
  return packr.pack(json === null ? text : json.value)
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
