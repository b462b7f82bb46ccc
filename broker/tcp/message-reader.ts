// Reads messages out of frames, for both sides of the raw TCP protocol. Pure.
import { FrameError, ValueReader, type FrameExtent } from './value-reader.ts'
import {
  messageTypes,
  type DeviceMessage,
  type EventBody,
  type EventMessage,
  type EventsMessage,
  type FrameProblem,
  type Hello,
  type Result,
  type ServerMessage,
  type Welcome
} from './messages.ts'

export interface DecodeOptions {
  /** Deepest nesting of a payload or of a field that is ignored. */
  nestingMax: number
}

/** One for all frames: they are read one after the other. */
const reader = new ValueReader()

const TOPIC_FIELD = 'topic'
const TEXT_LENGTH_MAX = 1024
const KEEPALIVE_MAX_S = 65_535
const STREAM_BYTES_MAX = 128

/** `rest` counts the elements that are left to read; a reader that takes fewer leaves fields of a later version. */
export interface Fields {
  value: ValueReader
  rest: number
  /** The topic that an event most likely has: that of the one before. */
  likelyTopic: string
}

export function decode<Message>(
  frame: FrameExtent,
  { nestingMax }: DecodeOptions,
  read: (type: number, fields: Fields) => Message,
  likelyTopic = ''
): Message | FrameProblem {
  try {
    if (frame.start === frame.end) throw new FrameError('not-an-array', 'the frame is empty')
    const value = reader
    value.begin(frame, nestingMax)
    const count = value.array()
    if (count < 0) throw new FrameError('not-an-array', 'a frame must hold one array')
    if (count === 0) throw new FrameError('unknown-type', 'the array must begin with a type')
    const fields = { value, rest: count - 1, likelyTopic }
    const message = read(value.integer('type'), fields)
    for (; fields.rest > 0; fields.rest--) value.skip()
    if (!value.done) throw new FrameError('trailing-bytes', 'bytes follow the array')
    return message
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return { type: 'problem', code: error.code, message: error.message }
  } finally {
    reader.finish()
  }
}

export function readDeviceMessage(type: number, fields: Fields): DeviceMessage {
  switch (type) {
    case messageTypes.event:
      return readEvent(fields)
    case messageTypes.events:
      return readEvents(fields)
    case messageTypes.ping:
      return { type: 'ping' }
    case messageTypes.hello:
      return readHello(fields)
    case messageTypes.result:
      return readResult(fields)
    case messageTypes.bye:
      return { type: 'bye', reason: optionalText(fields, 'reason') }
    default:
      throw new FrameError('unknown-type', `a device sends no messages of type ${type}`)
  }
}

export function readServerMessage(type: number, fields: Fields): ServerMessage {
  switch (type) {
    case messageTypes.ack:
      return { type: 'ack', seq: natural(next(fields, 'seq').integer('seq'), 'seq') }
    case messageTypes.welcome:
      return readWelcome(fields)
    case messageTypes.error: {
      const code = next(fields, 'code').text('code')
      const message = next(fields, 'message').text('message')
      if (!present(fields)) return { type: 'error', code, message, seq: undefined }
      return { type: 'error', code, message, seq: natural(next(fields, 'seq').integer('seq'), 'seq') }
    }
    case messageTypes.pong:
      return { type: 'pong' }
    case messageTypes.command: {
      const id = natural(next(fields, 'id').integer('id'), 'id')
      const topic = next(fields, TOPIC_FIELD).text(TOPIC_FIELD)
      return { type: 'command', id, topic, payload: next(fields, 'payload').extent() }
    }
    case messageTypes.bye: {
      const code = next(fields, 'code').text('code')
      return { type: 'bye', code, reason: optionalText(fields, 'reason') }
    }
    default:
      throw new FrameError('unknown-type', `a server sends no messages of type ${type}`)
  }
}

function readEvent(fields: Fields): EventMessage {
  const seq = positive(next(fields, 'seq').integer('seq'), 'seq')
  const topic = next(fields, TOPIC_FIELD).text(TOPIC_FIELD, fields.likelyTopic)
  const payload = next(fields, 'payload').extent()
  return { type: 'event', seq, topic, payload, deviceAt: optionalTime(fields) }
}

function readEvents(fields: Fields): EventsMessage {
  const firstSeq = positive(next(fields, 'firstSeq').integer('firstSeq'), 'firstSeq')
  const value = next(fields, 'events')
  const count = value.array()
  if (count < 1) throw new FrameError('field-invalid', 'events must be an array of one or more events')
  const events: EventBody[] = []
  let { likelyTopic } = fields
  for (let index = 0; index < count; index++) {
    const length = value.array()
    if (length < 0) throw new FrameError('field-invalid', 'each of events must be an array')
    const item: Fields = { value, rest: length, likelyTopic }
    const topic = next(item, TOPIC_FIELD).text(TOPIC_FIELD, likelyTopic)
    likelyTopic = topic
    const payload = next(item, 'payload').extent()
    events.push({ topic, payload, deviceAt: optionalTime(item) })
    for (; item.rest > 0; item.rest--) value.skip()
  }
  return { type: 'events', firstSeq, events }
}

function readHello(fields: Fields): Hello {
  const hello: Hello = { type: 'hello', version: 0, device: '', token: null, keepaliveS: null, stream: null }
  const seen = readMap(fields, 'hello', (key, value) => {
    switch (key) {
      case 'v':
        hello.version = value.integer('hello.v')
        return true
      case 'device':
        hello.device = value.text('hello.device')
        return true
      case 'token':
        if (!value.nil()) hello.token = value.textOrBytes('hello.token')
        return true
      case 'keepaliveS':
        if (!value.nil()) hello.keepaliveS = keepalive(value.integer('hello.keepaliveS'))
        return true
      case 'stream':
        if (!value.nil()) hello.stream = streamName(value.text('hello.stream'))
        return true
      default:
        return false
    }
  })
  require(seen, 'hello', ['v', 'device'])
  return hello
}

function readWelcome(fields: Fields): Welcome {
  const welcome: Welcome = { type: 'welcome', session: '', lastSeq: 0, windowEvents: 0, frameBytesMax: 0 }
  const seen = readMap(fields, 'welcome', (key, value) => {
    switch (key) {
      case 'session':
        welcome.session = value.text('welcome.session')
        return true
      case 'lastSeq':
      case 'windowEvents':
      case 'frameBytesMax':
        welcome[key] = natural(value.integer(`welcome.${key}`), `welcome.${key}`)
        return true
      default:
        return false
    }
  })
  require(seen, 'welcome', ['session', 'lastSeq', 'windowEvents', 'frameBytesMax'])
  return welcome
}

function readResult(fields: Fields): Result {
  const id = natural(next(fields, 'id').integer('id'), 'id')
  const ok = next(fields, 'ok').boolean('ok')
  return { type: 'result', id, ok, payload: next(fields, 'payload').extent() }
}

/** Reads a map; `read` returns false for a key it does not know. Keys are never names of an object's properties. */
function readMap(
  fields: Fields,
  name: string,
  read: (key: string, value: ValueReader) => boolean
): Set<string> {
  const value = next(fields, name)
  const pairs = value.map()
  if (pairs < 0) throw new FrameError('field-invalid', `${name} must be a map`)
  const seen = new Set<string>()
  for (let index = 0; index < pairs; index++) {
    const key = value.text(`a key of ${name}`)
    if (read(key, value)) seen.add(key)
    else value.skip()
  }
  return seen
}

function require(seen: Set<string>, name: string, keys: string[]): void {
  for (const key of keys) {
    if (!seen.has(key)) throw new FrameError('field-invalid', `${name}.${key} is missing`)
  }
}

function next(fields: Fields, field: string): ValueReader {
  if (fields.rest <= 0) throw new FrameError('field-invalid', `${field} is missing`)
  fields.rest--
  return fields.value
}

/** Whether an optional field is there; a nil counts as absent. */
function present(fields: Fields): boolean {
  if (fields.rest <= 0) return false
  if (!fields.value.nil()) return true
  fields.rest--
  return false
}

function optionalTime(fields: Fields): number | undefined {
  return present(fields) ? next(fields, 'deviceAt').number('deviceAt') : undefined
}

function optionalText(fields: Fields, field: string): string {
  return present(fields) ? next(fields, field).text(field).slice(0, TEXT_LENGTH_MAX) : ''
}

function natural(value: number, field: string): number {
  if (value < 0) throw new FrameError('field-invalid', `${field} must be 0 or more`)
  return value
}

function positive(value: number, field: string): number {
  if (value < 1) throw new FrameError('field-invalid', `${field} must be 1 or more`)
  return value
}

function keepalive(seconds: number): number {
  if (seconds < 1 || seconds > KEEPALIVE_MAX_S) {
    throw new FrameError('field-invalid', `hello.keepaliveS must be 1 to ${KEEPALIVE_MAX_S}`)
  }
  return seconds
}

function streamName(name: string): string {
  if (name.length === 0 || Buffer.byteLength(name) > STREAM_BYTES_MAX || /\p{Cc}/u.test(name)) {
    throw new FrameError(
      'field-invalid',
      `hello.stream must be 1 to ${STREAM_BYTES_MAX} bytes without control characters`
    )
  }
  return name
}
