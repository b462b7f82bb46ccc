// One MQTT connection as this room sees it: a guard between mqtt-packet's parser and aedes. It keeps the order of what
// arrives, hands aedes what aedes does (CONNECT, DISCONNECT), and gives the rest to the session.
import { generate, type Packet } from 'mqtt-packet'
import type { MqttDetails } from '../../store/notification.ts'
import type { Identity } from '../identity.ts'
import type { Admission, AdmissionRefusal, ConnectionLimits } from '../limits.ts'
import type { PresenceSession } from '../presence.ts'
import type { AedesClient } from './aedes-internals.ts'
import { findPacket } from './fast-path.ts'
import { sayGoodbye } from './goodbye.ts'
import type { ConnectionOutbox, Outbox } from './outbox.ts'
import type { WireVersion } from './publish-encoder.ts'
import { reason, type ReasonCode } from './reason-codes.ts'
import type { RoomQueue } from './room-queue.ts'
import { encodePubrel, type SessionConnection } from './sender.ts'
import type { Session } from './session.ts'

/** What a connection needs of the server. */
export interface ConnectionContext {
  outbox: Outbox
  limits: ConnectionLimits
  room: RoomQueue
  unsentBytesMax: number
  /** Most unfinished publishes of one connection; it is not read from while there are more. */
  receiveMax: number
  packetBytesMax: number
  publish(connection: Connection, packet: Extract<Packet, { cmd: 'publish' }>): void
  subscribe(connection: Connection, packet: Packet, done: () => void): void
  unsubscribe(connection: Connection, packet: Packet, done: () => void): void
  /** PUBREL: forgets a received QoS 2 packet id; calls back, when that is durable, with whether it was known. */
  release(connection: Connection, packetId: number, done: (known: boolean) => void): void
  /** The connection is over. Called once. */
  ended(connection: Connection): void
}

/** What is known of a connection when its socket is accepted. */
export type AcceptedSocket = Pick<Connection, 'address' | 'admission' | 'openedAt'>

type State = 'new' | 'connecting' | 'open' | 'closed'

/** Bytes taken from a client that does not read its answers; then it is not read from until it does. */
const READ_UNHEARD_MAX = 65_536
const PINGRESP = Buffer.of(0xd0, 0)

/** A connection, from the accepted socket to its end. */
export class Connection implements SessionConnection {
  readonly client: AedesClient
  readonly address: string
  /** Whether the limits let it in; if not, it is told so when it sends CONNECT. */
  readonly admission: Admission | AdmissionRefusal
  /** When the socket was accepted, on the monotonic clock, ms. */
  readonly openedAt: number
  readonly outbox: ConnectionOutbox
  version: WireVersion = 4
  inflightMax = 65_535
  packetBytesMax = Infinity
  /** Known from CONNECT on. */
  identity: Identity | null = null
  key = ''
  cleanStart = true
  /** Whether the client id is ours. */
  idAssigned = false
  sessionPresent = false
  /** Whether it wants reason strings [MQTT-3.1.2-29]. */
  wantsProblems = true
  session: Session | null = null
  presence: PresenceSession | null = null
  /** The presence of the connection that this one took over, until this one is present itself. */
  inherited: PresenceSession | null = null
  /** Why it ended, for presence; null while nothing else is known than that it was lost. */
  endReason: string | null = null
  /** Whether the device said goodbye. */
  expected = false
  state: State = 'new'
  /** Since when an unfinished packet waits for the rest of it, on the monotonic clock, ms; 0: none does. */
  packetOpenSince = 0
  #openBytes = 0
  readonly #context: ConnectionContext
  readonly #forward: (packet: Packet) => void
  /** Packets that wait: for CONNACK, or for a SUBSCRIBE that waits for the publishes before it. */
  #held: Packet[] = []
  #blocked = false
  #goingOn = false
  #paused = false
  #waitsForRoom = false
  #awaitsDrain = false
  /** Bytes that came in while too much waited to go out. */
  #readUnheard = 0
  #topicAliases: Map<number, string> | null = null
  #unfinishedPublishes = 0
  readonly #details: (MqttDetails | undefined)[] = []

  constructor(client: AedesClient, socket: AcceptedSocket, context: ConnectionContext) {
    this.client = client
    this.address = socket.address
    this.admission = socket.admission
    this.openedAt = socket.openedAt
    this.#context = context
    this.outbox = context.outbox.open(client.conn, () => this.#flushed())
    const parser = client._parser
    const [enqueue] = parser.listeners('packet') as ((packet: Packet) => void)[]
    if (enqueue === undefined)
      throw new Error('aedes has no packet listener: not the version this was made for')
    this.#forward = packet => enqueue.call(parser, packet)
    const parse = parser.parse.bind(parser)
    parser.parse = chunk => this.#parsed(parse(chunk))
    parser.removeAllListeners('packet')
    parser.removeAllListeners('error')
    parser.on('packet', (packet: Packet) => this.#receive(packet))
    parser.on('error', (error: Error) => this.#malformed(error))
    // aedes ends connections of MQTT 5 clients by this, for what it finds itself.
    Object.assign(client, {
      disconnect: (options: { reasonCode?: ReasonCode }, done?: () => void) => {
        this.end(options.reasonCode ?? reason.unspecifiedError, 'protocol-error')
        done?.()
      }
    })
    client.conn.once('close', () => this.closed())
  }

  /** CONNACK is out: what was held goes on, in order. From now on chunks are read as they come, past aedes' own reading. */
  opened(): void {
    if (this.state !== 'connecting') return
    this.state = 'open'
    const { conn } = this.client
    conn.removeAllListeners('readable')
    conn.on('data', (chunk: Buffer) => this.#chunk(chunk))
    this.#goOn()
  }

  /** A publish is on its way to the log; SUBSCRIBE waits for it, and with too many of them reading does. */
  publishBegun(): void {
    this.#unfinishedPublishes++
    if (this.#unfinishedPublishes >= this.#context.receiveMax) this.#pause()
  }

  publishFinished(): void {
    const left = --this.#unfinishedPublishes
    if (this.state !== 'open') return
    if (left === 0 && this.#held.length > 0 && !this.#blocked) this.#goOn()
    else if (this.#paused && left * 2 <= this.#context.receiveMax) this.#resume()
  }

  /** So much waits for commit that this connection is not read from until there is room. */
  waitForRoom(): void {
    if (this.#waitsForRoom) return
    this.#waitsForRoom = true
    this.#pause()
    this.#context.room.add(this)
  }

  onRoom(): void {
    this.#waitsForRoom = false
    this.#goOn()
  }

  /** While we don't read its pings, silence is no fault of the client. Called now and then. */
  forgiveSilence(): void {
    if (!this.#waitsForRoom) return
    this.#alive()
    if (this.packetOpenSince > 0) this.packetOpenSince = performance.now()
  }

  /** The event with this packet id is durable. */
  puback(packetId: number): void {
    if (this.state === 'open') this.outbox.push(acknowledgement(0x40, packetId))
  }

  /** The event with this packet id is durable, and will not be appended again before its PUBREL. */
  pubrec(packetId: number): void {
    if (this.state === 'open') this.outbox.push(acknowledgement(0x50, packetId))
  }

  /** Topics by the client's alias [MQTT-3.3.2-7]. */
  get topicAliases(): Map<number, string> {
    return (this.#topicAliases ??= new Map())
  }

  /** What a plain PUBLISH of this connection is like: one object for each kind, shared by all its events. */
  details(qos: 0 | 1 | 2, retain: boolean): MqttDetails {
    const kind = qos + (retain ? 3 : 0)
    return (this.#details[kind] ??= Object.freeze({ qos, retain, session: this.key }))
  }

  sendIfOpen(packet: Packet): void {
    if (this.state === 'open') this.send(packet)
  }

  send(packet: Packet): void {
    this.outbox.push(generate(packet, { protocolVersion: this.version }))
  }

  /** Ends the connection: with DISCONNECT and the reason code where the client understands it [MQTT-3.14.2]. */
  end(code: ReasonCode, endReason: string, message?: string): void {
    if (this.state === 'closed') return
    this.endReason ??= endReason
    const told = this.version === 5 && this.client.connected
    const properties = message === undefined ? undefined : { reasonString: message }
    this.outbox.flush()
    sayGoodbye(
      this.client,
      told
        ? generate(
            { cmd: 'disconnect', reasonCode: code, ...(properties && { properties }) },
            { protocolVersion: 5 }
          )
        : null
    )
    this.closed()
  }

  /** Refuses a CONNECT: with the MQTT 5 reason code, or the return code of 3.1.1. */
  refuse(
    { code, returnCode }: { code: ReasonCode; returnCode: number },
    { version, message }: { version: number; message: string }
  ): void {
    const connack =
      version === 5
        ? { cmd: 'connack', sessionPresent: false, reasonCode: code, properties: { reasonString: message } }
        : { cmd: 'connack', sessionPresent: false, returnCode }
    this.endReason ??= 'refused'
    sayGoodbye(this.client, generate(connack as never, { protocolVersion: version === 5 ? 5 : 4 }))
    this.closed()
  }

  /** The connection is over; whoever notices first says so. */
  closed(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#held = []
    this.#context.room.delete(this)
    this.#context.limits.openBytes(-this.#openBytes)
    this.#context.ended(this)
  }

  #chunk(chunk: Buffer): void {
    const { client, version } = this
    const parser = client._parser
    if (this.outbox.unsentBytes > this.#context.unsentBytesMax) {
      this.#readUnheard += chunk.length
      if (this.#readUnheard > READ_UNHEARD_MAX) this.#pause()
    }
    let start = 0 // of what the parser is still to get
    let at = this.#openBytes > 0 ? chunk.length : 0 // it is in the midst of a packet
    while (at < chunk.length) {
      const begin = at
      const found = findPacket(chunk, begin, version)
      if (found === 'malformed') return this.#malformed(new Error('a topic is not UTF-8'))
      at = found.next
      if (found.packet === undefined) continue
      if (start < begin) parser.parse(chunk.subarray(start, begin))
      start = at
      this.#receive(found.packet)
      if (this.state !== 'open') return
    }
    if (start < chunk.length) parser.parse(start === 0 ? chunk : chunk.subarray(start))
  }

  // Counts what an unfinished packet keeps in memory, in time and bytes.
  #parsed(left: number): number {
    if (this.state === 'closed') return left
    if (left !== this.#openBytes) {
      const { limits } = this.#context
      limits.openBytes(left - this.#openBytes)
      this.#openBytes = left
      if (left > 0 && limits.overOpenBytes()) {
        this.end(reason.quotaExceeded, 'quota', 'the server holds as many unfinished packets as it may')
      }
    }
    if (left > 0 && this.client._parser.packet.length + 2 > this.#context.packetBytesMax) this.#tooLarge()
    if (left === 0) this.packetOpenSince = 0
    else if (this.packetOpenSince === 0) this.packetOpenSince = performance.now()
    return left
  }

  #receive(packet: Packet): void {
    this.packetOpenSince = 0
    if ((packet.length ?? 0) + 2 > this.#context.packetBytesMax) return this.#tooLarge()
    switch (this.state) {
      case 'new':
        if (packet.cmd === 'connect') this.state = 'connecting'
        return this.#forward(packet)
      case 'connecting':
        this.#held.push(packet) // aedes does not read on before CONNACK, so this is at most one chunk
        return
      case 'open':
        if (this.#held.length > 0 || this.#blocked || this.#goingOn || this.#mustWait(packet))
          this.#hold(packet)
        else this.#handle(packet)
        return
      case 'closed':
    }
  }

  // A subscription takes effect after the client's own earlier publishes and before its later ones.
  #mustWait({ cmd }: Packet): boolean {
    if (cmd === 'publish' && this.#context.room.full) {
      this.waitForRoom()
      return true
    }
    return this.#unfinishedPublishes > 0 && (cmd === 'subscribe' || cmd === 'unsubscribe')
  }

  #hold(packet: Packet): void {
    this.#held.push(packet)
    this.#pause()
  }

  #pause(): void {
    this.#paused = true
    this.client.conn.pause()
  }

  // Reads on, if nothing else stands against it.
  #resume(): void {
    if (
      !this.#paused ||
      this.state !== 'open' ||
      this.#waitsForRoom ||
      this.#blocked ||
      this.#held.length > 0
    )
      return
    if (this.#unfinishedPublishes >= this.#context.receiveMax || this.#readUnheard > READ_UNHEARD_MAX) return
    this.#paused = false
    this.client.conn.resume()
  }

  // Handles what is held, in order, as far as it goes. What comes in meanwhile is held behind it.
  #goOn(): void {
    if (this.#goingOn) return
    this.#goingOn = true
    while (this.state === 'open' && !this.#blocked) {
      const [packet] = this.#held
      if (packet === undefined || this.#mustWait(packet)) break
      this.#held.shift()
      this.#handle(packet)
    }
    this.#goingOn = false
    this.#resume()
  }

  #handle(packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        this.#alive()
        return this.#context.publish(this, packet)
      case 'subscribe':
      case 'unsubscribe':
        return this.#handleInTurn(packet)
      case 'puback':
        this.#alive()
        this.session?.finish(packet.messageId ?? 0)
        return
      case 'pubrec':
        this.#alive()
        return this.#pubrec(packet.messageId ?? 0, packet.reasonCode ?? 0)
      case 'pubcomp':
        this.#alive()
        this.session?.finish(packet.messageId ?? 0)
        return
      case 'pubrel':
        this.#alive()
        return this.#pubrel(packet.messageId ?? 0)
      case 'pingreq': // aedes would read the socket after its answer, beside us, and what it read would count twice
        this.#alive()
        this.outbox.push(PINGRESP)
        return
      case 'disconnect':
        this.expected = true
        this.endReason ??= 'disconnected'
        return this.#forward(packet)
      default:
        return this.#forward(packet)
    }
  }

  #handleInTurn(packet: Packet): void {
    this.#alive()
    this.#blocked = true
    const done = () => {
      this.#blocked = false
      this.#goOn()
    }
    if (packet.cmd === 'subscribe') this.#context.subscribe(this, packet, done)
    else this.#context.unsubscribe(this, packet, done)
  }

  #pubrec(packetId: number, code: number): void {
    const session = this.session
    if (session === null) return
    if (code >= reason.unspecifiedError) {
      session.finish(packetId) // the client wants it no more [MQTT-4.3.3]
      return
    }
    session.release(packetId, known => {
      const answer = known ? reason.success : reason.packetIdentifierNotFound
      if (this.state === 'open') this.outbox.push(encodePubrel(packetId, this.version, answer))
    })
  }

  #pubrel(packetId: number): void {
    this.#context.release(this, packetId, known => {
      if (this.state !== 'open') return
      const reasonCode = known ? reason.success : reason.packetIdentifierNotFound
      if (this.version === 5 && !known) this.send({ cmd: 'pubcomp', messageId: packetId, reasonCode })
      else this.outbox.push(acknowledgement(0x70, packetId))
    })
  }

  // What aedes does itself for the packets that it handles [MQTT-3.1.2-22].
  #alive(): void {
    this.client._keepaliveTimer?.refresh()
  }

  #malformed(error: Error): void {
    this.end(reason.malformedPacket, 'protocol-error', error.message)
  }

  #tooLarge(): void {
    const { packetBytesMax } = this.#context
    this.end(reason.packetTooLarge, 'protocol-error', `packets may have ${packetBytesMax} bytes`)
  }

  #flushed(): void {
    const session = this.session
    if (session === null || this.state !== 'open') return
    const full = this.outbox.unsentBytes > this.#context.unsentBytesMax
    if (full) session.congested()
    else this.#heard()
    if (!full && session.live) return
    if (this.client.conn.writableNeedDrain) this.#awaitDrain()
    else session.drained()
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain) return
    this.#awaitsDrain = true
    this.client.conn.once('drain', () => {
      this.#awaitsDrain = false
      this.#heard()
      this.session?.drained()
    })
  }

  // The client reads what it is sent.
  #heard(): void {
    this.#readUnheard = 0
    this.#resume()
  }
}

// PUBACK, PUBREC or PUBCOMP without a reason code, which means success. (`Buffer.of` is several times slower.)
function acknowledgement(header: number, packetId: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes[0] = header
  bytes[1] = 2
  bytes[2] = packetId >> 8
  bytes[3] = packetId & 0xff
  return bytes
}
