// MQTT 3.1.1 publishers at QoS 1. Their packets are made beforehand, and of the answers only the bytes are counted.
import type { Socket } from 'node:net'
import { Awaited, openMany, openSocket } from './connections.ts'
import type { Load } from './load.ts'
import { CONNACK_BYTES, mqttConnect, mqttPublish, PUBACK_BYTES } from './mqtt-bytes.ts'
import { Pace } from './pace.ts'
import { jsonPayload, nowMicroseconds, SENT_AT, SENT_DIGITS } from './payload.ts'

export interface PublishersOptions {
  port: number
  publishers: number
  payloadBytes: number
  /** Most events of a publisher that are not acknowledged. */
  inflight: number
  /** Events a second of all together; 0 sends the next one as soon as one is acknowledged. */
  perSecond: number
  /** Whether the time of sending is written into the payload. */
  stamped: boolean
}

const CONNECTS_AT_ONCE = 50

export async function createPublishers(options: PublishersOptions): Promise<Load> {
  const connected = new Awaited(options.publishers)
  const publishers = await openMany(options.publishers, CONNECTS_AT_ONCE, async index => {
    const publisher = new Publisher(index, options, connected)
    publisher.socket = await openSocket({
      port: options.port,
      onBytes: (_bytes, length) => publisher.received(length)
    })
    publisher.socket.write(mqttConnect(`publisher-${index}`))
    return publisher
  })
  await connected.promise
  let next = 0
  const pace = new Pace(options.perSecond, () => publishers[next++ % publishers.length]?.send(1))
  return {
    start: () => {
      if (options.perSecond > 0) return pace.start()
      for (const publisher of publishers) publisher.begin()
    },
    stop: async () => {
      pace.stop()
      for (const publisher of publishers) publisher.end()
      await Promise.all(publishers.map(publisher => publisher.idle()))
    },
    counts: () => {
      let acknowledged = 0
      let late = 0
      for (const publisher of publishers) {
        acknowledged += publisher.acknowledged
        late += publisher.late
      }
      return { events: acknowledged, late }
    }
  }
}

/** One publisher. Answers come in the order of the packets, so a slot whose answer came may be sent again. */
class Publisher {
  socket: Socket | null = null
  acknowledged = 0
  /** Events that were due while all that may be in flight were. */
  late = 0
  readonly #connected: Awaited
  readonly #inflight: number
  readonly #stamped: boolean
  /** `#inflight` packets of equal length. */
  readonly #packets: Buffer
  readonly #packetBytes: number
  readonly #stampAt: number
  #receivedBytes = 0
  #sent = 0
  #endless = false
  #whenIdle: (() => void) | null = null

  constructor(index: number, { payloadBytes, inflight, stamped }: PublishersOptions, connected: Awaited) {
    const payload = jsonPayload(payloadBytes)
    const packets = Array.from({ length: inflight }, (_, slot) =>
      mqttPublish({ topic: `bench/device-${index}/temperature`, payload, qos: 1, messageId: slot + 1 })
    )
    this.#connected = connected
    this.#inflight = inflight
    this.#stamped = stamped
    this.#packets = Buffer.concat(packets)
    this.#packetBytes = this.#packets.length / inflight
    this.#stampAt = this.#packetBytes - payload.length + SENT_AT
  }

  begin(): void {
    this.#endless = true
    this.send(this.#inflight)
  }

  end(): void {
    this.#endless = false
  }

  idle(): Promise<void> {
    if (this.#sent === this.acknowledged) return Promise.resolve()
    return new Promise(resolve => (this.#whenIdle = resolve))
  }

  send(count: number): void {
    const room = this.#inflight - (this.#sent - this.acknowledged)
    if (count > room) this.late += count - room
    let left = Math.min(count, room)
    while (left > 0) {
      const slot = this.#sent % this.#inflight
      const run = Math.min(left, this.#inflight - slot)
      if (this.#stamped) this.#stamp(slot, run)
      this.socket?.write(this.#packets.subarray(slot * this.#packetBytes, (slot + run) * this.#packetBytes))
      this.#sent += run
      left -= run
    }
  }

  received(length: number): void {
    if (this.#receivedBytes < CONNACK_BYTES && this.#receivedBytes + length >= CONNACK_BYTES)
      this.#connected.count()
    this.#receivedBytes += length
    const acknowledged = Math.floor((this.#receivedBytes - CONNACK_BYTES) / PUBACK_BYTES)
    const more = acknowledged - this.acknowledged
    if (more <= 0) return
    if (acknowledged > this.#sent) throw new Error('The server acknowledged more than was sent')
    this.acknowledged = acknowledged
    if (this.#endless) this.send(more)
    else if (acknowledged === this.#sent) this.#whenIdle?.()
  }

  #stamp(slot: number, count: number): void {
    const digits = String(nowMicroseconds()).padStart(SENT_DIGITS, '0')
    for (let index = slot; index < slot + count; index++)
      this.#packets.write(digits, index * this.#packetBytes + this.#stampAt, 'latin1')
  }
}
