// Thousands of devices that are connected and mostly silent, over MQTT or raw TCP. A check has each of them send an event
// and a ping, and counts the answers.
import type { Socket } from 'node:net'
import { encodeEvent, encodeHello, encodePing } from '../../broker/tcp/frame-codec.ts'
import { messageTypes, PROTOCOL_VERSION } from '../../broker/tcp/messages.ts'
import { Awaited, openMany, openSocket } from './connections.ts'
import type { Load } from './load.ts'
import {
  CONNACK_BYTES,
  mqttConnect,
  mqttPublish,
  PINGREQ,
  PINGRESP_BYTES,
  PUBACK_BYTES
} from './mqtt-bytes.ts'
import { jsonPayload } from './payload.ts'

export interface CrowdOptions {
  port: number
  protocol: 'mqtt' | 'tcp'
  devices: number
  /** Number of the first device, for its name. */
  first: number
  /** Connects under way at the same time. */
  atOnce: number
  keepaliveS: number
  payloadBytes: number
}

const CHECK_MS = 30_000

/** Answers of the server, of all devices together. */
interface Answers {
  acknowledged: number
  pongs: number
}

/** What a device says, and how its answers are counted. */
interface Talk {
  hello: Buffer
  check(): Buffer
  /** Counts what came; true when it holds the answer to hello. */
  received(bytes: Buffer, length: number, answers: Answers): boolean
}

export async function createCrowd(options: CrowdOptions): Promise<Load> {
  const answers: Answers = { acknowledged: 0, pongs: 0 }
  const talk = options.protocol === 'mqtt' ? mqttTalk : tcpTalk
  let closed = 0
  let connectMs = 0
  let devices: { socket: Socket; talk: Talk }[] = []

  const connect = async (index: number) => {
    const own = talk(`crowd-${options.protocol}-${options.first + index}`, options)
    const greeted = new Awaited(1)
    const socket = await openSocket({
      port: options.port,
      onBytes: (bytes, length) => {
        if (own.received(bytes, length, answers)) greeted.count()
      },
      onClose: () => {
        closed++
        greeted.count() // refused: it is counted, and the others go on
      }
    })
    socket.write(own.hello)
    await greeted.promise
    return { socket, talk: own }
  }

  return {
    start: async () => {
      const startedMs = performance.now()
      devices = await openMany(options.devices, options.atOnce, connect)
      connectMs = performance.now() - startedMs
    },
    check: async () => {
      answers.acknowledged = 0
      answers.pongs = 0
      for (const { socket, talk: own } of devices) socket.write(own.check())
      const deadlineMs = performance.now() + CHECK_MS
      const whole = () => answers.acknowledged >= devices.length && answers.pongs >= devices.length
      while (!whole() && performance.now() < deadlineMs) await new Promise(resolve => setTimeout(resolve, 10))
    },
    stop: () => {},
    counts: () => ({ connected: devices.length, connectMs, closed, ...answers })
  }
}

function mqttTalk(id: string, { keepaliveS, payloadBytes }: CrowdOptions): Talk {
  const event = { topic: `crowd/${id}`, payload: jsonPayload(payloadBytes), qos: 1, messageId: 1 } as const
  let connack = 0
  let checked = 0
  return {
    hello: mqttConnect(id, keepaliveS),
    check: () => {
      checked = 0
      return Buffer.concat([mqttPublish(event), PINGREQ])
    },
    received: (bytes, length, answers) => {
      if (connack < CONNACK_BYTES) {
        connack += length
        return connack >= CONNACK_BYTES
      }
      // PUBACK may come before or after PINGRESP; together they have these many bytes.
      for (let index = 0; index < length; index++) {
        const wholeBefore = checked === PUBACK_BYTES + PINGRESP_BYTES
        if (wholeBefore) throw new Error(`The server answers more than was asked: ${bytes[index]}`)
        checked++
        if (checked === PUBACK_BYTES) answers.acknowledged++
        if (checked === PUBACK_BYTES + PINGRESP_BYTES) answers.pongs++
      }
      return false
    }
  }
}

function tcpTalk(id: string, { keepaliveS, payloadBytes }: CrowdOptions): Talk {
  const payload = Buffer.concat([
    Buffer.of(0xd9, jsonPayload(payloadBytes).length),
    Buffer.from(jsonPayload(payloadBytes))
  ])
  let seq = 0
  let carry: Buffer = Buffer.alloc(0)
  return {
    hello: encodeHello({ version: PROTOCOL_VERSION, device: id, token: null, keepaliveS, stream: null }),
    check: () =>
      Buffer.concat([
        encodeEvent({ seq: ++seq, topic: `crowd/${id}`, payload, deviceAt: undefined }),
        encodePing()
      ]),
    received: (bytes, length, answers) => {
      const chunk = Buffer.concat([carry, bytes.subarray(0, length)])
      let at = 0
      let welcome = false
      while (at + 4 <= chunk.length && at + 4 + chunk.readUInt32BE(at) <= chunk.length) {
        const type = chunk[at + 5]
        if (type === messageTypes.welcome) welcome = true
        else if (type === messageTypes.ack) answers.acknowledged++
        else if (type === messageTypes.pong) answers.pongs++
        else throw new Error(`The server answered with a frame of type ${type}`)
        at += 4 + chunk.readUInt32BE(at)
      }
      carry = chunk.subarray(at)
      return welcome
    }
  }
}
