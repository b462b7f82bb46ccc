// One MQTT publisher and many subscribers of its topic. It sends a burst, waits until all of it has reached everybody,
// and sends the next: every server does the same work, at its own speed. Or it sends at an even rate, as fast as servers
// take it. Deliveries are counted by their bytes.
import type { Socket } from 'node:net'
import { Awaited, openMany, openSocket } from './connections.ts'
import type { Load } from './load.ts'
import { Pace } from './pace.ts'
import {
  CONNACK_BYTES,
  mqttConnect,
  mqttPublish,
  mqttSubscribe,
  PUBACK_BYTES,
  SUBACK_BYTES
} from './mqtt-bytes.ts'
import { jsonPayload } from './payload.ts'

export interface FanOutOptions {
  port: number
  subscribers: number
  payloadBytes: number
  qos: 0 | 1
  /** Messages that the publisher sends in one write. */
  burst: number
  /** Messages a second, one by one, whatever becomes of them; 0 sends the next burst when everybody has the last. */
  perSecond: number
}

const TOPIC = 'bench/all/temperature'
const CONNECTS_AT_ONCE = 50
/** Standstill after which the rest of a burst is taken for lost. */
const LOST_MS = 3000

export async function createFanOut(options: FanOutOptions): Promise<Load> {
  const ready = new Awaited(options.subscribers)
  const subscribers = await openMany(options.subscribers, CONNECTS_AT_ONCE, async index => {
    const subscriber = new Subscriber(options, { ready, onDeliveries: count => rounds.delivered(count) })
    subscriber.socket = await openSocket({
      port: options.port,
      onBytes: (bytes, length) => subscriber.received(bytes, length)
    })
    subscriber.socket.write(
      Buffer.concat([mqttConnect(`subscriber-${index}`), mqttSubscribe(TOPIC, options.qos)])
    )
    return subscriber
  })
  const publisher = await openSocket({ port: options.port, onBytes: () => {} })
  publisher.write(mqttConnect('publisher'))
  const rounds = new Rounds(publisher, { ...options, subscribers: subscribers.length })
  await ready.promise
  if (options.perSecond > 0) {
    const pace = new Pace(options.perSecond, () => rounds.send())
    return {
      start: () => pace.start(),
      stop: () => pace.stop(),
      counts: () => ({ events: rounds.deliveries, lost: 0 })
    }
  }
  return {
    start: () => rounds.start(),
    stop: () => rounds.stop(),
    counts: () => ({ events: rounds.deliveries, lost: rounds.lost })
  }
}

/** The bursts, one after another. */
class Rounds {
  deliveries = 0
  lost = 0
  readonly #publisher: Socket
  readonly #burst: Buffer
  readonly #each: number
  #left = 0
  #running = false
  #progress = 0
  #watch: NodeJS.Timeout | null = null
  #stopped: (() => void) | null = null

  constructor(publisher: Socket, { subscribers, payloadBytes, qos, burst }: FanOutOptions) {
    const payload = jsonPayload(payloadBytes)
    const packets = Array.from({ length: burst }, (_, index) =>
      mqttPublish({ topic: TOPIC, payload, qos, messageId: index + 1 })
    )
    this.#publisher = publisher
    this.#burst = Buffer.concat(packets)
    this.#each = burst * subscribers
  }

  start(): void {
    this.#running = true
    this.#watch = setInterval(() => this.#giveUpIfStuck(), LOST_MS)
    this.#next()
  }

  stop(): Promise<void> {
    this.#running = false
    return new Promise(resolve => {
      this.#stopped = () => {
        if (this.#watch !== null) clearInterval(this.#watch)
        resolve()
      }
      if (this.#left === 0) this.#stopped()
    })
  }

  /** Sends one burst that nobody waits for. */
  send(): void {
    this.#publisher.write(this.#burst)
  }

  delivered(count: number): void {
    this.deliveries += count
    this.#left -= count
    if (this.#left <= 0) this.#next()
  }

  #next(): void {
    this.#left = 0
    if (!this.#running) return this.#stopped?.()
    this.#left = this.#each
    this.#publisher.write(this.#burst)
  }

  #giveUpIfStuck(): void {
    if (this.deliveries === this.#progress && this.#left > 0) {
      this.lost += this.#left
      this.#next()
    }
    this.#progress = this.deliveries
  }
}

interface SubscriberContext {
  ready: Awaited
  onDeliveries: (count: number) => void
}

class Subscriber {
  socket: Socket | null = null
  readonly #context: SubscriberContext
  readonly #qos: 0 | 1
  readonly #packetBytes: number
  /** Where the packet id stands in a PUBLISH. */
  readonly #idAt: number
  readonly #greeting = CONNACK_BYTES + SUBACK_BYTES
  #receivedBytes = 0
  #deliveries = 0
  #carry: Buffer | null = null

  constructor({ payloadBytes, qos }: FanOutOptions, context: SubscriberContext) {
    const payload = jsonPayload(payloadBytes)
    this.#context = context
    this.#qos = qos
    this.#packetBytes = mqttPublish({ topic: TOPIC, payload, qos, messageId: 1 }).length
    this.#idAt = this.#packetBytes - payload.length - 2
  }

  received(bytes: Buffer, length: number): void {
    let from = 0
    if (this.#receivedBytes < this.#greeting) {
      from = Math.min(length, this.#greeting - this.#receivedBytes)
      this.#receivedBytes += from
      if (this.#receivedBytes < this.#greeting) return
      this.#context.ready.count()
    }
    if (from === length) return
    if (this.#qos === 1) return this.#acknowledge(bytes, from, length)
    this.#receivedBytes += length - from
    const deliveries = Math.floor((this.#receivedBytes - this.#greeting) / this.#packetBytes)
    const more = deliveries - this.#deliveries
    this.#deliveries = deliveries
    if (more > 0) this.#context.onDeliveries(more)
  }

  #acknowledge(bytes: Buffer, from: number, length: number): void {
    const read = bytes.subarray(from, length)
    const chunk = this.#carry === null ? read : Buffer.concat([this.#carry, read])
    const count = Math.floor(chunk.length / this.#packetBytes)
    const end = count * this.#packetBytes
    this.#carry = end === chunk.length ? null : Buffer.from(chunk.subarray(end))
    if (count === 0) return
    const acks = Buffer.allocUnsafe(count * PUBACK_BYTES)
    for (let index = 0; index < count; index++) {
      const id = chunk.readUInt16BE(index * this.#packetBytes + this.#idAt)
      acks.writeUInt32BE(0x40020000 | id, index * PUBACK_BYTES)
    }
    this.socket?.write(acks)
    this.#context.onDeliveries(count)
  }
}
