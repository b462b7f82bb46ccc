// MQTT over WebSocket (MQTT 5.0 and 3.1.1 section 6), and what an underlying transport must be (4.2, 7.1.1).
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { generate, parser, type Packet } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { eventually } from '../../helpers/eventually.ts'
import { connectPacket } from '../raw-mqtt.ts'
import { names } from './conversation.ts'
import { connected, publish, settled, sharedServer, subscribe } from './suite.ts'
import { versions, type Version } from './wire.ts'

const server = sharedServer()
const name = names()
let http: Server

beforeAll(async () => {
  http = createServer().listen(0, '127.0.0.1')
  http.on('upgrade', (request, socket, head) => server().server.handleUpgrade(request, socket, head))
  await once(http, 'listening')
})
afterAll(() => {
  http.close()
})

const url = () => `ws://127.0.0.1:${(http.address() as AddressInfo).port}/mqtt`

interface WebSocketClient {
  socket: WebSocket
  packets: Packet[]
  /** Whether each frame that came was a binary one. */
  frames: boolean[]
  send(...packets: object[]): void
  closed: () => boolean
}

async function open(version: Version, subprotocols = ['mqtt']): Promise<WebSocketClient> {
  const socket = new WebSocket(url(), subprotocols)
  const packets: Packet[] = []
  const frames: boolean[] = []
  let closed = false
  const reader = parser({ protocolVersion: version })
  reader.on('packet', (packet: Packet) => packets.push(packet))
  socket.on('message', (data: Buffer, binary) => {
    frames.push(binary)
    reader.parse(data)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => (closed = true))
  await once(socket, 'open')
  const send = (...sent: object[]) => socket.send(bytesOf(version, ...sent))
  return { socket, packets, frames, send, closed: () => closed }
}

function bytesOf(version: Version, ...packets: object[]): Buffer {
  return Buffer.concat(packets.map(packet => generate(packet as Packet, { protocolVersion: version })))
}

const kinds = (client: WebSocketClient) => client.packets.map(({ cmd }) => cmd)

describe.each(versions)('MQTT over WebSocket, protocol level %i', version => {
  test('[MQTT-6.0.0-1] packets come in binary frames, and large messages whole', async () => {
    const client = await open(version)
    const topic = name('t')
    client.send(connectPacket(name('c'), version), subscribe(topic, 1))
    await eventually(() => kinds(client).includes('suback'))
    const payload = 'x'.repeat(300_000)
    const publisher = await connected(server(), name('p'), 4)
    publisher.send(publish(topic, payload))
    await eventually(() => kinds(client).includes('publish'))
    const message = client.packets.find(packet => packet.cmd === 'publish')
    expect(message?.payload.toString()).toBe(payload)
    expect(client.frames.every(Boolean)).toBe(true)
    client.socket.terminate()
  })

  test('[MQTT-6.0.0-1] a text frame ends the connection', async () => {
    const client = await open(version)
    client.send(connectPacket(name('c'), version))
    await eventually(() => kinds(client).includes('connack'))
    client.socket.send('\u0030\u0000') // no more than text, though it could be read as bytes
    await eventually(client.closed)
    const early = await open(version)
    early.socket.send(bytesOf(version, connectPacket(name('c'), version)).toString('latin1'))
    await eventually(early.closed)
    expect(early.packets).toEqual([])
  })

  test('[MQTT-6.0.0-2] frames need not be aligned with packets', async () => {
    const client = await open(version)
    const sent = bytesOf(
      version,
      connectPacket(name('c'), version),
      { cmd: 'pingreq' },
      publish(name('t'), 'm', { qos: 1, messageId: 1 }),
      { cmd: 'pingreq' }
    )
    for (let at = 0; at < sent.length - 9; at++) client.socket.send(sent.subarray(at, at + 1))
    client.socket.send(sent.subarray(sent.length - 9))
    await eventually(() => client.packets.length === 4)
    expect(kinds(client).toSorted()).toEqual(['connack', 'pingresp', 'pingresp', 'puback'])
    client.socket.terminate()
  })

  test('[MQTT-6.0.0-4] the subprotocol that is chosen is mqtt, also among others', async () => {
    for (const offered of [['mqtt'], ['chat', 'mqtt'], ['mqttv3.1', 'mqtt']]) {
      const { socket } = await open(version, offered)
      expect(socket.protocol).toBe('mqtt')
      socket.terminate()
    }
  })
})

test('[MQTT-6.0.0-3] without the subprotocol there is no connection', async () => {
  for (const offered of [[], ['chat']]) {
    const socket = new WebSocket(url(), offered)
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error.message).toContain('400')
  }
})

test('[MQTT-4.2.0-1] [MQTT-7.1.1-1] [MQTT-7.0.0-2] TCP and WebSocket carry the same, in order, without any extension', async () => {
  const client = await open(4)
  const topic = name('t')
  client.send(connectPacket(name('c'), 4), subscribe(topic, 0))
  await eventually(() => kinds(client).includes('suback'))
  const publisher = await connected(server(), name('p'), 4)
  const expected = Array.from({ length: 500 }, (_, index) => String(index))
  publisher.send(...expected.map(payload => publish(topic, payload)))
  await settled(publisher)
  const messages = () => client.packets.filter(packet => packet.cmd === 'publish')
  await eventually(() => messages().length === expected.length)
  expect(messages().map(({ payload }) => payload.toString())).toEqual(expected)
  client.socket.terminate()
})
