// Bytes that no server may accept, for every port, made up at random. Each flaw is wrong for certain, whatever its noise.
import { generate } from 'mqtt-packet'
import { pack } from 'msgpackr'
import { encodeHello } from '../../broker/tcp/frame-codec.ts'
import type { Random } from '../helpers/random.ts'

export type Port = 'mqtt' | 'mqtt-websocket' | 'tcp' | 'http' | 'feed'

/** What is sent on one connection, and what must come of it. */
export interface Flawed {
  bytes: Buffer
  /** Malformed packets, frames or requests in it. */
  count: number
  /** What the server owes: to end the connection, or so many answers that match, or its end. */
  owes: 'end' | RegExp
}

export interface FlawOptions {
  random: Random
  /** One of the connections that are open at a time; its device's name. */
  slot: number
  token: string
}

type Maker = (options: FlawOptions) => Buffer

/** Malformed messages of the feed, and requests over HTTP, that leave their connection open go many at a time. */
const TOGETHER = 50
/** A close frame of a WebSocket server; nothing else that it sends has this byte. */
const CLOSE = /\x88/g

export function flawedFor(port: Port, options: FlawOptions): Flawed {
  const { random } = options
  switch (port) {
    case 'mqtt':
      return { bytes: random.of(mqttFlaws)(options), count: 1, owes: 'end' }
    case 'mqtt-websocket': {
      const upgrade = websocketUpgrade('/mqtt', 'mqtt')
      const flaw =
        random.below(4) === 0 ? random.of(websocketFlaws)(options) : frame(2, random.of(mqttFlaws)(options))
      return { bytes: Buffer.concat([upgrade, flaw]), count: 1, owes: CLOSE }
    }
    case 'tcp':
      return { bytes: random.of(tcpFlaws)(options), count: 1, owes: 'end' }
    case 'http': {
      if (random.below(2) === 0) return { bytes: random.of(httpFlaws)(options), count: 1, owes: 'end' }
      const requests = Array.from({ length: TOGETHER }, () => random.of(requestFlaws)(options))
      return { bytes: Buffer.concat(requests), count: TOGETHER, owes: /HTTP\/1\.1 4\d\d/g }
    }
    case 'feed': {
      const upgrade = websocketUpgrade('/v1/feed', 'tocsin.v1.json', options.token)
      if (random.below(2) === 0)
        return { bytes: Buffer.concat([upgrade, random.of(websocketFlaws)(options)]), count: 1, owes: CLOSE }
      const messages = Array.from({ length: TOGETHER }, () => frame(1, random.of(messageFlaws)(options)))
      return { bytes: Buffer.concat([upgrade, ...messages]), count: TOGETHER, owes: /"type":"error"/g }
    }
  }
}

/** The beginning of what a client of this port would send, to be sent byte by byte. */
export function beginningFor(port: Port, slot: number): Buffer {
  switch (port) {
    case 'mqtt':
      return connectPacket(slot, 4)
    case 'tcp':
      return hello(slot)
    case 'http':
    case 'feed':
    case 'mqtt-websocket':
      return websocketUpgrade('/v1/feed', 'tocsin.v1.json')
  }
}

function noise(random: Random, most = 64): Buffer {
  return Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)))
}

function connectPacket(slot: number, protocolVersion: 4 | 5): Buffer {
  const clientId = `flawed-${slot}`
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion,
    clientId,
    clean: true,
    keepalive: 60
  })
}

/** A packet of this first byte. */
function mqttPacket(first: number, body: Buffer): Buffer {
  const length: number[] = []
  for (let rest = body.length; ;) {
    const digit = rest % 128
    rest = Math.floor(rest / 128)
    length.push(rest > 0 ? digit | 0x80 : digit)
    if (rest === 0) return Buffer.concat([Buffer.from([first, ...length]), body])
  }
}

/** A UTF-8 string of MQTT. */
function mqttText(bytes: Buffer | string): Buffer {
  const text = Buffer.from(bytes as string)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(text.length)
  return Buffer.concat([length, text])
}

/** After a CONNECT that is in order. */
function afterConnect(make: (random: Random) => Buffer): Maker {
  return ({ random, slot }) => Buffer.concat([connectPacket(slot, 4), make(random), noise(random)])
}

const mqttFlaws: [Maker, ...Maker[]] = [
  ({ random }) => Buffer.concat([Buffer.from([0x00]), noise(random)]),
  ({ random }) =>
    mqttPacket(0x10, Buffer.concat([mqttText('MQTX'), Buffer.from([4, 2, 0, 60]), noise(random)])),
  ({ slot }) =>
    mqttPacket(
      0x10,
      Buffer.concat([mqttText('MQTT'), Buffer.from([4, 3, 0, 60]), mqttText(`flawed-${slot}`)])
    ),
  ({ random }) => mqttPacket(0x30, Buffer.concat([mqttText('too/early'), noise(random)])),
  afterConnect(random => Buffer.from([0x30 | (random.below(2) * 8), 0xff, 0xff, 0xff, 0xff, 0x7f])),
  afterConnect(() => Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])),
  afterConnect(random => mqttPacket(0x36, Buffer.concat([mqttText('qos/3'), noise(random)]))),
  afterConnect(random => mqttPacket(0x30, Buffer.concat([mqttText('wild/#'), noise(random)]))),
  afterConnect(random => mqttPacket(0x30, Buffer.concat([mqttText('nul\0'), noise(random)]))),
  afterConnect(random =>
    mqttPacket(0x30, Buffer.concat([mqttText(Buffer.from([0xc3, 0x28])), noise(random)]))
  ),
  afterConnect(() => mqttPacket(0x32, Buffer.concat([mqttText('id/0'), Buffer.from([0, 0])]))),
  afterConnect(() => mqttPacket(0x80, Buffer.concat([Buffer.from([0, 1]), mqttText('a'), Buffer.from([0])]))),
  afterConnect(() => mqttPacket(0x82, Buffer.concat([Buffer.from([0, 1]), mqttText('a'), Buffer.from([3])]))),
  afterConnect(() => mqttPacket(0x82, Buffer.from([0, 1]))),
  afterConnect(() =>
    mqttPacket(0x82, Buffer.concat([Buffer.from([0, 1]), mqttText('a/#/b'), Buffer.from([0])]))
  ),
  afterConnect(random => mqttPacket(0x40, Buffer.concat([Buffer.from([0, 1, 0]), noise(random)]))),
  afterConnect(() => Buffer.from([0xc1, 0x00])),
  afterConnect(() => Buffer.from([0xf0, 0x00])),
  afterConnect(() => connectPacket(0, 4)),
  ({ slot }) =>
    Buffer.concat([
      connectPacket(slot, 5),
      mqttPacket(0x30, Buffer.concat([mqttText('a'), Buffer.from([2, 0x7e, 0])]))
    ]),
  ({ slot }) => Buffer.concat([connectPacket(slot, 5), mqttPacket(0xf0, Buffer.from([0x18]))])
]

function hello(slot: number): Buffer {
  return encodeHello({ version: 1, device: `flawed-${slot}`, token: null, keepaliveS: null, stream: null })
}

function tcpFrame(body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

const afterHello =
  (make: (random: Random) => Buffer): Maker =>
  ({ random, slot }) =>
    Buffer.concat([hello(slot), make(random), noise(random)])

const deep = Buffer.concat([Buffer.alloc(200, 0x91), Buffer.from([0xc0])])

const tcpFlaws: [Maker, ...Maker[]] = [
  ({ random }) => Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), noise(random)]),
  () => Buffer.alloc(4),
  ({ random }) => tcpFrame(Buffer.concat([Buffer.from([0xc1]), noise(random)])),
  () => tcpFrame(pack(['1', { v: 1 }])),
  ({ slot }) => tcpFrame(pack([1, { v: 7, device: `flawed-${slot}` }])),
  ({ slot }) => tcpFrame(pack([3, 1, `early/${slot}`, null])),
  () => tcpFrame(pack({ type: 1 })),
  afterHello(random => tcpFrame(pack([200 + random.below(50), 1]))),
  afterHello(() => tcpFrame(pack([3, 'one', 'a', 1]))),
  afterHello(() => tcpFrame(pack([3, -1, 'a', 1]))),
  afterHello(() => tcpFrame(pack([3, 5, 'a', 1]))),
  afterHello(() => tcpFrame(pack([3, 1]))),
  afterHello(() => tcpFrame(Buffer.concat([Buffer.from([0x94, 3, 1, 0xa1, 0x61]), deep]))),
  afterHello(() => tcpFrame(Buffer.concat([pack([7]), Buffer.from([0])]))),
  afterHello(() => tcpFrame(Buffer.from([0x92, 3]))),
  afterHello(() => tcpFrame(Buffer.from([0x94, 3, 1, 0xa2, 0xc3, 0x28, 0xc0]))),
  afterHello(() => Buffer.from([0x00, 0x10, 0x00, 0x00])),
  ({ slot }) => Buffer.concat([hello(slot), hello(slot)])
]

const text = (value: string) => Buffer.from(value, 'latin1')

const httpFlaws: [Maker, ...Maker[]] = [
  ({ random }) => Buffer.concat([text('\x16\x03\x01'), noise(random), text('\r\n\r\n')]),
  () => text('GET\r\n\r\n'),
  () => text('GET / HTTP/9.9\r\n\r\n'),
  () => text('GET /healthz HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n'),
  () => text('POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'),
  () =>
    text('POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx'),
  () => text('POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
  () => text(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
  ({ token }) =>
    text(
      `POST /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n{`
    )
]

/** A request that is HTTP, and wrong. */
function post(path: string, body: string, token: string): Buffer {
  return text(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

const requestFlaws: [Maker, ...Maker[]] = [
  ({ random, token }) => post('/v1/events', `{"device": ${'['.repeat(random.below(200))}`, token),
  ({ token }) => post('/v1/events', '{"device":"a","topic":"a/#","payload":1}', token),
  ({ token }) => post('/v1/events', '{"device":7,"topic":[],"payload":1}', token),
  ({ token }) => post('/v1/events', '[]', token),
  ({ token }) => post('/v1/silences', '{"matchers": "all"}', token),
  ({ random }) => post('/v1/events', '{}', `wrong-${random.below(1e6)}`),
  ({ random, token }) =>
    text(
      `GET /v1/notifications?after=${random.below(1e9)}! HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`
    ),
  ({ random }) => text(`GET /${random.below(1e9)} HTTP/1.1\r\nHost: a\r\n\r\n`)
]

function websocketUpgrade(path: string, protocol: string, token?: string): Buffer {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
  return text(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${protocol}\r\n${authorization}\r\n`
  )
}

/** A frame of a WebSocket client; its mask is 0, so that the payload stays as it is. */
function frame(opcode: number, payload: Buffer): Buffer {
  const short = payload.length < 126
  const head = Buffer.alloc((short ? 2 : 4) + 4)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | (short ? payload.length : 126)
  if (!short) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

const websocketFlaws: [Maker, ...Maker[]] = [
  ({ random }) => frame(3 + random.below(5), noise(random)),
  () => Buffer.from([0x81, 0x01, 0x61]), // not masked
  () => Buffer.from([0xf1, 0x81, 0, 0, 0, 0, 0x61]), // reserved bits
  () => Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), // 2^63 bytes
  () => frame(9, Buffer.alloc(126)), // a ping that is too long
  () => Buffer.from([0x80, 0x81, 0, 0, 0, 0, 0x61]), // a continuation of nothing
  () => frame(8, Buffer.from([0x00])), // half a close code
  () => frame(1, Buffer.from([0xc3, 0x28])) // not UTF-8
]

const messageFlaws: [Maker, ...Maker[]] = [
  ({ random }) => text(`{"type":"subscribe","id":${random.below(1e6)},"filter":{}}`),
  () => text('{"type":"subscribe","id":"a","filter":{"topics":["a/#/b"]}}'),
  () => text('{"type":"subscribe","id":"a","filter":{"kinds":["nonsense"]}}'),
  () => text('{"type":"subscribe","id":"a","filter":{"severityMin":9}}'),
  ({ random }) => text(`{"type":"subscribe","id":"a","filter":{},"after":"${random.below(1e9)}!"}`),
  ({ random }) => text(`{"type":"unsubscribe","id":"none-${random.below(1e6)}"}`),
  ({ random }) => text(`{"type":"type-${random.below(1e6)}"}`)
]
