import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import * as codec from '../../broker/tcp/frame-codec.ts'
import { FrameReader } from '../../broker/tcp/frame-codec.ts'
import { byeCodes, errorCodes, messageTypes } from '../../broker/tcp/messages.ts'
import type { DeviceMessage, FrameProblem, ServerMessage } from '../../broker/tcp/messages.ts'

type Json = Record<string, unknown>

interface Vectors {
  limits: { frameBytesMax: number; nestingMax: number }
  valid: { name: string; from: 'device' | 'server'; hex: string; message: Json; canonical: boolean }[]
  invalid: { name: string; from: 'device' | 'server'; hex: string; code: string }[]
}

const folder = new URL('../../../docs/protocol/', import.meta.url)
const vectors: Vectors = JSON.parse(readFileSync(new URL('vectors/tcp.json', folder), 'utf8'))
const { limits } = vectors

/** What a receiver makes of the bytes: the first frame's message or the problem. */
function receive(
  from: 'device' | 'server',
  bytes: Buffer
): DeviceMessage | ServerMessage | FrameProblem | null {
  const reader = new FrameReader(limits.frameBytesMax)
  reader.push(bytes)
  const frame = reader.next()
  if (!(frame instanceof Uint8Array)) return frame
  return from === 'device' ? codec.decodeDeviceFrame(frame, limits) : codec.decodeServerFrame(frame, limits)
}

function encode(from: 'device' | 'server', message: DeviceMessage | ServerMessage): Buffer {
  switch (message.type) {
    case 'hello':
      return codec.encodeHello(message)
    case 'event':
      return codec.encodeEvent(message)
    case 'events':
      return codec.encodeEvents(message)
    case 'ping':
      return codec.encodePing()
    case 'result':
      return codec.encodeResult(message)
    case 'welcome':
      return codec.encodeWelcome(message)
    case 'ack':
      return codec.encodeAck(message.seq)
    case 'error':
      return codec.encodeError(message)
    case 'pong':
      return codec.encodePong()
    case 'command':
      return codec.encodeCommand(message)
    case 'bye':
      return from === 'server' && 'code' in message
        ? codec.encodeServerBye(message)
        : codec.encodeDeviceBye(message.reason)
  }
}

/** A message as the vectors write it: bytes as hex under a key with `Hex`, absent values as null. */
function asJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJson)
  if (typeof value !== 'object' || value === null) return value ?? null
  const json: Json = {}
  for (const [key, field] of Object.entries(value)) {
    if (field instanceof Uint8Array) json[`${key}Hex`] = Buffer.from(field).toString('hex')
    else json[key] = asJson(field)
  }
  return json
}

describe('valid frames', () => {
  test.each(vectors.valid)('$name', ({ from, hex, message, canonical }) => {
    const bytes = Buffer.from(hex, 'hex')
    const received = receive(from, bytes)
    expect(asJson(received)).toEqual(message)
    if (!canonical || received === null || received.type === 'problem') return
    expect(encode(from, received).toString('hex')).toBe(hex)
  })
})

describe('invalid frames', () => {
  test.each(vectors.invalid)('$name: $code', ({ from, hex, code }) => {
    expect(receive(from, Buffer.from(hex, 'hex'))).toMatchObject({ type: 'problem', code })
  })

  test('name the field that is wrong', () => {
    const missing = vectors.invalid.find(({ name }) => name === 'hello without a device')
    expect(receive('device', Buffer.from(missing?.hex ?? '', 'hex'))).toMatchObject({
      message: 'hello.device is missing'
    })
  })
})

test('a frame cut short anywhere is never a message, and no frame makes the decoder throw', () => {
  for (const { from, hex } of vectors.valid) {
    const whole = Buffer.from(hex, 'hex')
    const frame = whole.subarray(4)
    for (let length = 0; length < frame.length; length++) {
      const decode = from === 'device' ? codec.decodeDeviceFrame : codec.decodeServerFrame
      expect(decode(Buffer.from(frame.subarray(0, length)), limits).type).toBe('problem')
    }
    for (let at = 0; at < frame.length; at++) {
      for (const byte of [0x00, 0x7f, 0x80, 0x90, 0xa0, 0xc1, 0xc6, 0xdb, 0xdd, 0xdf, 0xff]) {
        const twisted = Buffer.from(frame)
        twisted[at] = byte
        expect(typeof codec.decodeDeviceFrame(twisted, limits).type).toBe('string')
      }
    }
  }
})

test('a frame between others is read as it is alone, whole or cut short', () => {
  for (const { from, hex } of [...vectors.valid, ...vectors.invalid]) {
    if (from !== 'device') continue
    const frame = Buffer.from(hex, 'hex').subarray(4)
    const bytes = Buffer.concat([Buffer.alloc(3, 0xc0), frame, Buffer.alloc(40, 0x01)])
    for (let length = 0; length <= frame.length; length++) {
      const alone = codec.decodeDeviceFrame(Buffer.from(frame.subarray(0, length)), limits)
      const between = codec.decodeDeviceFrameAt({ bytes, start: 3, end: 3 + length }, limits, 'temperature')
      expect(asJson(between)).toEqual(asJson(alone))
    }
  }
})

test.each([
  ['plant/1', 'plant/1'],
  ['plant/1', 'plant/2'],
  ['plant/1', 'plant/12'],
  ['plant/12', 'plant/1'],
  ['é', 'xx'],
  ['xx', 'é'],
  ['é', 'é'],
  ['', ''],
  ['t', '']
])('the topic %j is that, where %j was expected', (topic, likely) => {
  const payload = Buffer.of(0)
  const event = { topic, payload, deviceAt: undefined }
  const decode = (frame: Buffer) =>
    codec.decodeDeviceFrameAt({ bytes: frame, start: 4, end: frame.length }, limits, likely)
  expect(decode(codec.encodeEvent({ seq: 1, ...event }))).toEqual({ type: 'event', seq: 1, ...event })
  const events = [event, { ...event, topic: likely }, event]
  expect(decode(codec.encodeEvents({ firstSeq: 1, events }))).toEqual({ type: 'events', firstSeq: 1, events })
})

test('integers and times of every width survive the way', () => {
  const values = [1, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, 2 ** 53 - 1]
  for (const value of values) {
    const frame = codec.encodeEvent({ seq: value, topic: 't', payload: Buffer.of(0), deviceAt: value })
    expect(receive('device', frame)).toMatchObject({ seq: value, deviceAt: value })
  }
  for (const deviceAt of [0, -1, -1.5, 0.25]) {
    const frame = codec.encodeEvent({ seq: 1, topic: 't', payload: Buffer.of(0), deviceAt })
    expect(receive('device', frame)).toMatchObject({ deviceAt })
  }
})

test('texts and batches of every length survive the way', () => {
  for (const length of [1, 31, 32, 255, 256, 20_000]) {
    const topic = 'é'.repeat(length / 2) + 'x'.repeat(length % 2)
    const frame = codec.encodeEvent({ seq: 1, topic, payload: Buffer.of(0), deviceAt: undefined })
    expect(receive('device', frame)).toMatchObject({ topic })
  }
  for (const count of [1, 15, 16, 5000]) {
    const event = { topic: 't', payload: Buffer.of(0), deviceAt: undefined }
    const frame = codec.encodeEvents({ firstSeq: 1, events: Array.from({ length: count }, () => event) })
    const message = receive('device', frame)
    expect(message?.type === 'events' && message.events.length).toBe(count)
  }
})

describe('FrameReader', () => {
  const frames = [codec.encodePing(), Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.alloc(256, 7)])]
  const stream = Buffer.concat([...frames, ...frames, ...frames])

  test.each([1, 2, 3, 4, 5, 7, 64, 261, 10_000])('gives the same frames from pieces of %d bytes', size => {
    const reader = new FrameReader(300)
    const got: string[] = []
    for (let at = 0; at < stream.length; at += size) {
      reader.push(Buffer.from(stream.subarray(at, at + size)))
      for (let frame = reader.next(); frame instanceof Uint8Array; frame = reader.next()) {
        got.push(frame.toString('hex'))
      }
    }
    const wanted = [...frames, ...frames, ...frames].map(frame => frame.subarray(4).toString('hex'))
    expect(got).toEqual(wanted)
    expect(reader.heldBytes).toBe(0)
  })

  test('keeps frames apart that it gave out from those that come later', () => {
    const reader = new FrameReader(300)
    const [, frame = Buffer.alloc(0)] = frames
    reader.push(Buffer.from(frame.subarray(0, 10)))
    reader.next()
    reader.push(Buffer.concat([frame.subarray(10), Buffer.from(frame.subarray(0, 10))]))
    const first = reader.next()
    expect(reader.next()).toBeNull()
    reader.push(Buffer.alloc(250, 9))
    reader.next()
    expect(first).toEqual(Buffer.alloc(256, 7))
  })

  test('holds what has arrived, not what is promised', () => {
    const reader = new FrameReader(2 ** 26)
    reader.push(Buffer.from([3, 255, 255, 255, 1, 2]))
    expect(reader.next()).toBeNull()
    expect(reader.heldBytes).toBe(6)
  })

  test('takes what is pushed while frames wait', () => {
    const reader = new FrameReader(300)
    reader.push(stream.subarray(0, 100))
    reader.push(stream.subarray(100))
    let count = 0
    while (reader.next() instanceof Uint8Array) count++
    expect(count).toBe(6)
  })

  test('takes a large frame in small pieces in time that grows with its size', () => {
    const reader = new FrameReader(2 ** 23)
    const bytes = 2 ** 22
    const head = Buffer.alloc(4)
    head.writeUInt32BE(bytes)
    reader.push(head)
    reader.next()
    const started = performance.now()
    for (let at = 0; at < bytes; at += 64) {
      reader.push(Buffer.alloc(64))
      if (at + 64 < bytes && reader.next() !== null) throw new Error('a frame came too early')
    }
    expect(reader.next()).toHaveLength(bytes)
    expect(performance.now() - started).toBeLessThan(5000) // quadratic: minutes
  })
})

describe('the page about the protocol', () => {
  const page = readFileSync(new URL('tcp.md', folder), 'utf8').replaceAll(/ +\|/g, ' |')

  test.each(Object.entries({ ...errorCodes, ...byeCodes }))(
    'says of %s to come back: %s',
    (code, comeBack) => {
      expect(page).toContain(`| \`${code}\` | ${comeBack} |`)
    }
  )

  test('names no code that is never sent', () => {
    const named = [...page.matchAll(/^\| `([a-z0-9-]+)` \| (?:later|fixed) \|/gm)].map(([, code]) => code)
    expect(named.sort()).toEqual(Object.keys({ ...errorCodes, ...byeCodes }).sort())
  })

  test.each(Object.entries(messageTypes))('shows %s as type %d', (name, type) => {
    expect(page).toContain(`| ${type} ${name} | \`[${type}`)
  })

  test('shows bytes that are what it says', () => {
    const frames = [...page.matchAll(/^\| (device →|← server) \| `([0-9a-f ]+)` \| (\w+)/gm)]
    expect(frames).toHaveLength(4)
    for (const [, direction, hex = '', said = ''] of frames) {
      const from = direction === 'device →' ? 'device' : 'server'
      expect(receive(from, Buffer.from(hex.replaceAll(' ', ''), 'hex'))?.type).toBe(said)
    }
  })
})
