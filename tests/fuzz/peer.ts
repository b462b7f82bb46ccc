// One connection of a fuzzing client: sends what it is given, checks what comes back, and knows which answers it waits
// for. What is wrong it notes; nothing is thrown while packets come in.
import net from 'node:net'
import { parser, type IConnackPacket, type IPublishPacket, type Packet } from 'mqtt-packet'
import type { Version } from '../broker/conformance/wire.ts'

/** What the server must do with a connection: keep it, end it, or either, when it was sent what may mean anything. */
export type Fate = 'kept' | 'ended' | 'either'

export interface PeerOptions {
  port: number
  version: Version
  clientId: string
  /** Most messages of QoS 1 and 2 it may be sent at a time. */
  receiveMaximum: number
}

/** A message that the server has sent and that is not acknowledged to the end. */
export interface Delivery {
  packet: IPublishPacket
  /** What the client is to send next; null: it waits for PUBREL. */
  next: 'puback' | 'pubrec' | 'pubcomp' | null
}

const fromServers = new Set<Packet['cmd']>([
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'pingresp',
  'disconnect'
])

/** A connection, from the first byte to its close. */
export class Peer {
  readonly version: Version
  readonly clientId: string
  readonly problems: string[] = []
  readonly deliveries = new Map<number, Delivery>()
  readonly closed: Promise<void>
  fate: Fate = 'kept'
  /** Why the server must end it. */
  reason = ''
  connack: IConnackPacket | null = null
  /** The reason code of the server's DISCONNECT. */
  goodbye: number | null = null
  ended = false
  /** Whether nothing more may be sent, because the server waits for the rest of a packet. */
  stuck = false
  onDelivery: (packet: IPublishPacket) => void = () => undefined
  readonly #socket: net.Socket
  readonly #receiveMaximum: number
  readonly #answers = new Map<string, ((packet: Packet) => void)[]>()

  constructor({ port, version, clientId, receiveMaximum }: PeerOptions) {
    this.version = version
    this.clientId = clientId
    this.#receiveMaximum = receiveMaximum
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    const reader = parser({ protocolVersion: version })
    reader.on('packet', (packet: Packet) => this.#take(packet))
    reader.on('error', (error: Error) => this.problems.push(`what came can not be read: ${error.message}`))
    this.#socket.on('data', chunk => reader.parse(chunk))
    this.#socket.on('error', () => undefined) // "close" follows
    this.closed = new Promise(resolve => {
      this.#socket.once('close', () => {
        this.ended = true
        resolve()
      })
    })
  }

  /** Whether it can be used: nothing stands against sending more. */
  get usable(): boolean {
    return !this.ended && !this.stuck && this.fate === 'kept'
  }

  get accepted(): boolean {
    return (this.connack?.reasonCode ?? this.connack?.returnCode) === 0
  }

  /** Answers that have not come, by what they answer. */
  get waiting(): string[] {
    return [...this.#answers].flatMap(([key, callbacks]) => callbacks.map(() => key))
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  /** From now on the answer is waited for. Answers to the same question come in the order of the questions. */
  expect(answer: string, callback: (packet: Packet) => void = () => undefined): void {
    const waiting = this.#answers.get(answer)
    if (waiting === undefined) this.#answers.set(answer, [callback])
    else waiting.push(callback)
  }

  mustEnd(reason: string): void {
    if (this.fate !== 'kept') return
    this.fate = 'ended'
    this.reason = reason
  }

  /** Closes it from this side. */
  leave({ reset = false } = {}): void {
    if (reset) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  /** The next step for a message that was delivered; returns the acknowledgement's header, or null when it is not due. */
  acknowledge(delivery: Delivery): number | null {
    const { packet, next } = delivery
    if (next === null) return null
    if (next === 'pubrec') delivery.next = null
    else this.deliveries.delete(packet.messageId ?? 0)
    return { puback: 0x40, pubrec: 0x50, pubcomp: 0x70 }[next]
  }

  #take(packet: Packet): void {
    if (!fromServers.has(packet.cmd)) return this.#problem(`a server does not send ${packet.cmd}`)
    if (this.goodbye !== null) return this.#problem(`${packet.cmd} comes after DISCONNECT`)
    if (this.connack === null && packet.cmd !== 'connack') this.#problem(`${packet.cmd} comes before CONNACK`)
    switch (packet.cmd) {
      case 'connack':
        if (this.connack !== null) this.#problem('a second CONNACK')
        this.connack = packet
        return this.#answer('connack', packet)
      case 'publish':
        return this.#deliver(packet)
      case 'pubrel':
        return this.#released(packet.messageId ?? 0)
      case 'disconnect':
        if (this.version < 5) this.#problem('DISCONNECT comes before MQTT 5')
        this.goodbye = packet.reasonCode ?? 0
        return
      default:
        return this.#answer('messageId' in packet ? `${packet.cmd} ${packet.messageId}` : packet.cmd, packet)
    }
  }

  #answer(key: string, packet: Packet): void {
    const waiting = this.#answers.get(key)
    const callback = waiting?.shift()
    if (callback === undefined) return this.#breach(`${key} answers nothing`)
    if (waiting?.length === 0) this.#answers.delete(key)
    callback(packet)
  }

  #deliver(packet: IPublishPacket): void {
    if (packet.topic === '') this.#problem('a message without a topic')
    if (packet.qos > 0) {
      const messageId = packet.messageId ?? 0
      if (messageId === 0) this.#problem('a message with packet id 0')
      if ((this.deliveries.get(messageId)?.packet.topic ?? '') !== '')
        this.#breach(`packet id ${messageId} is used for a second message`)
      this.deliveries.set(messageId, { packet, next: packet.qos === 1 ? 'puback' : 'pubrec' })
      const inFlight = [...this.deliveries.values()].filter(delivery => delivery.packet.topic !== '').length
      if (inFlight > this.#receiveMaximum)
        this.#breach(`${inFlight} messages in flight, ${this.#receiveMaximum} are allowed`)
    } else if (packet.dup) this.#problem('DUP at QoS 0')
    this.onDelivery(packet)
  }

  #released(messageId: number): void {
    const delivery = this.deliveries.get(messageId)
    if (delivery !== undefined) {
      if (delivery.next !== null && delivery.next !== 'pubcomp')
        this.#breach(`PUBREL ${messageId} before PUBREC`)
      delivery.next = 'pubcomp'
      return
    }
    // Of a session that goes on, or in answer to a PUBREC of something that was not there.
    const packet: IPublishPacket = {
      cmd: 'publish',
      topic: '',
      payload: '',
      qos: 2,
      dup: false,
      retain: false,
      messageId
    }
    this.deliveries.set(messageId, { packet, next: 'pubcomp' })
  }

  // Only who knows what it has sent can say that this is wrong.
  #breach(text: string): void {
    if (this.fate !== 'either') this.#problem(text)
  }

  #problem(text: string): void {
    this.problems.push(text)
  }
}
