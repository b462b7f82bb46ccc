// An MQTT client that keeps its session over any number of connections, as the specification asks of one: what it was not
// told is over, it sends again, and a QoS 2 message it takes once. What it takes is in the order of the wire.
import net from 'node:net'
import { generate, parser, type IConnackPacket, type IPublishPacket, type Packet } from 'mqtt-packet'
import { eventually } from '../helpers/eventually.ts'
import { connectPacket } from './raw-mqtt.ts'

export interface FaithfulOptions {
  clientId: string
  version: 4 | 5
  /** MQTT 5: most messages that it is sent before it has acknowledged them. */
  receiveMaximum?: number
}

/** A message as it was taken: at QoS 2 once, at QoS 1 as often as it came. */
export interface Taken {
  topic: string
  payload: string
  qos: 0 | 1 | 2
  dup: boolean
  identifiers: number[]
}

interface Outgoing {
  packet: IPublishPacket
  released: boolean
}

/** One client, with a session that lasts where it does not ask for a clean one. */
export class FaithfulClient implements Disposable {
  readonly taken: Taken[] = []
  /** Whether the server had its session when it connected last. */
  sessionPresent = false
  readonly #options: FaithfulOptions
  /** What it published at QoS 1 and 2 and is not over, by packet id, oldest first. */
  readonly #outgoing = new Map<number, Outgoing>()
  /** QoS 2 packet ids that came in and are not released. */
  readonly #incoming = new Set<number>()
  readonly #granted = new Set<number>()
  #socket: net.Socket | null = null
  #connack: IConnackPacket | null = null
  #nextId = 1

  constructor(options: FaithfulOptions) {
    this.#options = options
  }

  /** Messages that it published and that are not over. */
  get unfinished(): number {
    return this.#outgoing.size
  }

  get connected(): boolean {
    return this.#socket !== null
  }

  /** Connects, and sends again what is not over. Throws when that is refused. */
  async connect(port: number, { clean = false } = {}): Promise<void> {
    this.drop()
    const { clientId, version, receiveMaximum } = this.#options
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    this.#connack = null
    const reader = parser({ protocolVersion: version })
    reader.on('packet', (packet: Packet) => {
      if (this.#socket === socket) this.#take(packet)
    })
    socket.on('data', chunk => reader.parse(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = null
    })
    const properties = {
      sessionExpiryInterval: 3600,
      ...(receiveMaximum === undefined ? {} : { receiveMaximum })
    }
    this.#send(
      connectPacket(clientId, version, { clean, ...(version === 5 ? { properties } : {}) }) as Packet
    )
    await eventually(() => this.#connack !== null || !this.connected, { what: 'CONNACK', everyMs: 1 })
    if (!this.#accepted) throw new Error(`${clientId} was not let in`)
  }

  /** Loses its connection: what is under way is lost with it. */
  drop(): void {
    const socket = this.#socket
    this.#socket = null
    socket?.resetAndDestroy()
  }

  /** Subscribes; resolves with SUBACK. `identifier`: MQTT 5 only. */
  async subscribe(filter: string, qos: 0 | 1 | 2, identifier?: number): Promise<void> {
    const messageId = this.#allocate()
    const properties = identifier === undefined ? {} : { properties: { subscriptionIdentifier: identifier } }
    this.#send({ cmd: 'subscribe', messageId, subscriptions: [{ topic: filter, qos }], ...properties })
    await eventually(() => this.#granted.delete(messageId), { what: 'SUBACK' })
  }

  /** Publishes; at QoS 1 and 2 again at each connection until it is over. */
  publish(topic: string, payload: string, qos: 0 | 1 | 2): void {
    const packet: IPublishPacket = { cmd: 'publish', topic, payload, qos, dup: false, retain: false }
    if (qos > 0) {
      packet.messageId = this.#allocate()
      this.#outgoing.set(packet.messageId, { packet, released: false })
    }
    this.#send(packet)
  }

  [Symbol.dispose](): void {
    this.drop()
  }

  get #accepted(): boolean {
    return (this.#connack?.reasonCode ?? this.#connack?.returnCode) === 0
  }

  #take(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack':
        this.#connack = packet
        if (this.#accepted) this.#goOn(packet.sessionPresent)
        return
      case 'publish':
        return this.#takeMessage(packet)
      case 'pubrel':
        this.#incoming.delete(packet.messageId ?? 0)
        return this.#send({ cmd: 'pubcomp', messageId: packet.messageId ?? 0 })
      case 'pubrec':
        return this.#release(packet.messageId ?? 0)
      case 'puback':
      case 'pubcomp':
        this.#outgoing.delete(packet.messageId ?? 0)
        return
      case 'suback':
        this.#granted.add(packet.messageId ?? 0)
        return
      default:
    }
  }

  // Where the server has lost the session, what was not over begins anew.
  #goOn(sessionPresent: boolean): void {
    this.sessionPresent = sessionPresent
    if (!sessionPresent) this.#incoming.clear()
    for (const [messageId, outgoing] of this.#outgoing) {
      outgoing.released &&= sessionPresent
      if (outgoing.released) this.#send({ cmd: 'pubrel', messageId })
      else this.#send({ ...outgoing.packet, dup: sessionPresent })
    }
  }

  #takeMessage({ topic, payload, qos, dup, messageId = 0, properties }: IPublishPacket): void {
    if (qos === 1) this.#send({ cmd: 'puback', messageId })
    if (qos === 2) this.#send({ cmd: 'pubrec', messageId })
    if (qos === 2 && this.#incoming.has(messageId)) return
    if (qos === 2) this.#incoming.add(messageId)
    const identifiers = [properties?.subscriptionIdentifier ?? []].flat()
    this.taken.push({ topic, payload: payload.toString(), qos, dup, identifiers })
  }

  #release(messageId: number): void {
    const outgoing = this.#outgoing.get(messageId)
    if (outgoing !== undefined) outgoing.released = true
    this.#send({ cmd: 'pubrel', messageId })
  }

  #allocate(): number {
    for (;;) {
      const id = this.#nextId
      this.#nextId = (id % 65_535) + 1
      if (!this.#outgoing.has(id)) return id
    }
  }

  #send(packet: Packet): void {
    this.#socket?.write(generate(packet, { protocolVersion: this.#options.version }))
  }
}
