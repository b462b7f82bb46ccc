// An MQTT client on a plain socket: light enough for hundreds in one process, and it does only what it is told.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  generate,
  parser,
  type IConnackPacket,
  type IDisconnectPacket,
  type IPublishPacket,
  type Packet
} from 'mqtt-packet'

type Version = 4 | 5

export interface RawMqttOptions {
  /** 127.0.0.1 without. */
  host?: string
  port: number
  clientId: string
  version?: Version
  clean?: boolean
  username?: string
  password?: string
  /** 0 without; nothing is sent by itself to keep the connection alive. */
  keepaliveS?: number
  /** Called with each message; QoS 1 is acknowledged by itself afterwards. */
  onMessage?: (packet: IPublishPacket) => void
}

/** One connection. */
export class RawMqttClient implements AsyncDisposable {
  readonly socket: Socket
  readonly closed: Promise<void>
  readonly #version: Version
  readonly #answers = new Map<string, (packet: Packet) => void>()
  connack: IConnackPacket | null = null
  /** What the server said at its goodbye. */
  disconnect: IDisconnectPacket | null = null
  ended = false
  #nextId = 1

  private constructor(socket: Socket, { version = 4, onMessage }: RawMqttOptions) {
    this.socket = socket
    this.#version = version
    const reader = parser({ protocolVersion: version })
    reader.on('packet', packet => this.#take(packet, onMessage))
    socket.on('data', chunk => reader.parse(chunk))
    socket.on('error', () => {}) // "close" follows
    this.closed = new Promise(resolve =>
      socket.once('close', () => {
        this.ended = true
        resolve()
      })
    )
  }

  /** Connects; resolves with the server's CONNACK in place, be it a refusal. Throws when there was none. */
  static async connect(options: RawMqttOptions): Promise<RawMqttClient> {
    const { port, clientId, version = 4, clean = true, username, password, keepaliveS = 0 } = options
    const socket = connect({ port, host: options.host ?? '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const client = new RawMqttClient(socket, options)
    const answered = client.#answer('connack')
    client.#send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: version,
      clientId,
      clean,
      keepalive: keepaliveS,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: Buffer.from(password) })
    })
    await Promise.race([answered, client.closed])
    if (client.connack === null) throw new Error('the server closed the connection without CONNACK')
    return client
  }

  async subscribe(topic: string, qos: 0 | 1): Promise<void> {
    const messageId = this.#allocate()
    const answered = this.#answer(`suback ${messageId}`)
    this.#send({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos }] })
    await answered
  }

  /** Publishes at QoS 1; calls back with the PUBACK's reason code. */
  publish(topic: string, payload: Buffer | string, onAck: (reasonCode: number) => void): void {
    const messageId = this.#allocate()
    this.#answers.set(`puback ${messageId}`, packet => {
      onAck('reasonCode' in packet ? (packet.reasonCode ?? 0) : 0)
    })
    this.#send({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId })
  }

  /** Sends a packet as it is; calls back with the answer of this kind that has this packet id. */
  exchange(
    packet: Packet,
    { answer, messageId }: { answer: 'puback' | 'pubrec' | 'pubcomp'; messageId: number },
    onAnswer: (packet: Packet) => void
  ): void {
    this.#answers.set(`${answer} ${messageId}`, onAnswer)
    this.#send(packet)
  }

  /** Resolves when the server has answered. */
  async ping(): Promise<void> {
    const answered = this.#answer('pingresp')
    this.#send({ cmd: 'pingreq' })
    await answered
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.closed
  }

  #answer(key: string): Promise<Packet> {
    return new Promise(resolve => this.#answers.set(key, resolve))
  }

  #allocate(): number {
    const id = this.#nextId
    this.#nextId = (id % 65_535) + 1
    return id
  }

  #send(packet: Packet): void {
    this.socket.write(generate(packet, { protocolVersion: this.#version }))
  }

  #take(packet: Packet, onMessage: ((packet: IPublishPacket) => void) | undefined): void {
    if (packet.cmd === 'publish') {
      onMessage?.(packet)
      if (packet.qos === 1 && packet.messageId !== undefined)
        this.#send({ cmd: 'puback', messageId: packet.messageId })
      return
    }
    if (packet.cmd === 'connack') this.connack = packet
    if (packet.cmd === 'disconnect') this.disconnect = packet
    const key = 'messageId' in packet ? `${packet.cmd} ${packet.messageId}` : packet.cmd
    const answer = this.#answers.get(key)
    this.#answers.delete(key)
    answer?.(packet)
  }
}
