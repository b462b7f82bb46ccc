// One MQTT connection, as a state machine:
//
//   new ── CONNECT ──▶ connecting ── CONNACK ──▶ open ── DISCONNECT, error, takeover, lost ──▶ closed
//    └───────────────────────┴──────── refused, error, lost ─────────────────────────────────────┘
//
// It knows which packet goes where: CONNECT and DISCONNECT to aedes, the rest to the session and the log.
import type { Duplex } from 'node:stream'
import { generate, type Packet } from 'mqtt-packet'
import type { MqttDetails } from '../../store/notification.ts'
import type { Identity } from '../identity.ts'
import type { Admission, AdmissionRefusal, ConnectionLimits } from '../limits.ts'
import type { PresenceSession } from '../presence.ts'
import type { AedesClient } from './aedes-internals.ts'
import type {
  ClientPacket,
  ConnectPacket,
  DisconnectPacket,
  Malformed,
  PublishPacket,
  SubscribePacket,
  UnsubscribePacket,
  WireVersion
} from './client-packets.ts'
import { refusalPacket, type ConnectRefusal } from './connack.ts'
import { sayGoodbye } from './goodbye.ts'
import { Intake, type IntakeLimits } from './intake.ts'
import type { TrafficCounts } from './metrics.ts'
import type { ConnectionOutbox, Outbox } from './outbox.ts'
import { PacketReader, type PacketSink } from './packet-reader.ts'
import { reason, type ReasonCode } from './reason-codes.ts'
import { encodePubrel, type SessionConnection } from './sender.ts'
import type { Session } from './session.ts'

/** What a connection needs of the server. */
export interface ConnectionContext extends IntakeLimits {
  outbox: Outbox
  limits: ConnectionLimits
  traffic: TrafficCounts
  unsentBytesMax: number
  packetBytesMax: number
  /** The first packet: checks it and gives it to aedes, or refuses it. */
  connect(connection: Connection, packet: ConnectPacket): void
  publish(connection: Connection, packet: PublishPacket): void
  subscribe(connection: Connection, packet: SubscribePacket, done: () => void): void
  unsubscribe(connection: Connection, packet: UnsubscribePacket, done: () => void): void
  /** PUBREL: forgets a received QoS 2 packet id; calls back, when that is durable, with whether it was known. */
  release(connection: Connection, packetId: number, done: (known: boolean) => void): void
  disconnect(connection: Connection, packet: DisconnectPacket): void
  /** The connection is over. Called once. */
  ended(connection: Connection): void
}

/** What is known of a connection when its socket is accepted. */
export type AcceptedSocket = Pick<Connection, 'socket' | 'address' | 'admission' | 'openedAt'>

type State = 'new' | 'connecting' | 'open' | 'closed'

const PINGRESP = Buffer.of(0xd0, 0)

/** A connection, from the accepted socket to its end. */
export class Connection implements SessionConnection, PacketSink {
  readonly socket: Duplex
  readonly address: string
  /** Whether the limits let it in; if not, it is told so when it sends CONNECT. */
  readonly admission: Admission | AdmissionRefusal
  /** When the socket was accepted, on the monotonic clock, ms. */
  readonly openedAt: number
  readonly outbox: ConnectionOutbox
  /** What aedes keeps of it, from CONNECT on. */
  client: AedesClient | null = null
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
  /** Keep alive in place of the client's own, seconds. */
  serverKeepaliveS: number | null = null
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
  readonly #context: ConnectionContext
  readonly #reader: PacketReader
  readonly #intake: Intake
  #openBytes = 0
  #awaitsDrain = false
  #topicAliases: Map<number, string> | null = null
  #details: (MqttDetails | undefined)[] | null = null

  constructor({ socket, address, admission, openedAt }: AcceptedSocket, context: ConnectionContext) {
    this.socket = socket
    this.address = address
    this.admission = admission
    this.openedAt = openedAt
    this.#context = context
    this.outbox = context.outbox.open(socket, () => this.#flushed())
    this.#reader = new PacketReader(this, context.packetBytesMax)
    this.#intake = new Intake(socket, context, this)
  }

  // ── What the socket tells ──

  onData(chunk: Buffer): void {
    if (this.state === 'closed') return
    this.#context.traffic.bytesReceived += chunk.length
    if (this.outbox.unsentBytes > this.#context.unsentBytesMax) this.#intake.unheard(chunk.length)
    this.#reader.read(chunk)
    this.#countOpen()
  }

  /** The client has closed its side, or the socket is gone. */
  lost(): void {
    if (this.state === 'closed') return
    this.#closed()
    sayGoodbye(this.socket) // one who reads nothing more must not keep the socket open, and what it holds
  }

  /** The connection is over; whoever notices first says so. */
  #closed(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#intake.close()
    this.#context.limits.openBytes(-this.#openBytes)
    this.client?.close() // publishes the will, unless the client said goodbye
    this.#context.ended(this)
  }

  // ── What the reader tells ──

  onPacket(packet: ClientPacket): boolean {
    this.packetOpenSince = 0
    this.#context.traffic.packetsReceived++
    if (packet.cmd === 'connect') this.#connect(packet)
    else if (this.state === 'new')
      this.#abandon() // [MQTT-3.1.0-1]
    else this.#intake.take(packet)
    return this.#isOpen()
  }

  onMalformed({ code, message, connect }: Malformed): void {
    if (this.state !== 'new') {
      // That its protocol or version is not supported, a DISCONNECT can't say: a second CONNECT it is [MQTT-3.1.0-2].
      const known = code === reason.unsupportedProtocolVersion ? reason.protocolError : code
      this.end(known, 'protocol-error', message)
    } else if (connect === undefined) this.#abandon()
    else if (connect.version !== 5 && connect.returnCode === undefined) this.#abandon()
    else {
      this.version = connect.version
      this.refuse({ code, returnCode: connect.returnCode ?? 0 }, message)
    }
  }

  // ── What the server tells ──

  /** The client is accepted, and CONNACK says so. */
  opened(connack: Buffer): void {
    if (this.state !== 'connecting') return
    this.state = 'open'
    this.outbox.push(connack)
  }

  /** The client's packets are handled from now on. */
  begin(): void {
    if (this.state === 'open') this.#intake.open()
  }

  /** While we don't read its pings, silence is no fault of the client. Called now and then. */
  forgiveSilence(): void {
    if (!this.#intake.waitsForLog) return
    this.#alive()
    if (this.packetOpenSince > 0) this.packetOpenSince = performance.now()
  }

  // ── What becomes of a PUBLISH ──

  publishBegun(): void {
    this.#intake.publishBegun()
  }

  publishFinished(): void {
    this.#intake.publishFinished()
  }

  /** So much waits for commit that this connection is not read from until there is room. */
  waitForRoom(): void {
    this.#intake.waitForRoom()
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
    const details = (this.#details ??= [])
    return (details[kind] ??= Object.freeze({ qos, retain, session: this.key }))
  }

  // ── What goes out ──

  sendIfOpen(packet: Packet): void {
    if (this.state === 'open') this.send(packet)
  }

  send(packet: Packet): void {
    const bytes = this.#encode(packet)
    if (bytes !== null) this.outbox.push(bytes)
  }

  /** Ends the connection: with DISCONNECT and the reason code where the client understands it [MQTT-3.14.2]. */
  end(code: ReasonCode, endReason: string, message?: string): void {
    if (this.state === 'closed') return
    const told = this.version === 5 && this.state === 'open' // never before CONNACK [MQTT-3.14.0-1]
    const properties = message === undefined ? undefined : { reasonString: message }
    const packet = { cmd: 'disconnect', reasonCode: code, ...(properties && { properties }) } as const
    this.#leave(endReason, told ? this.#encode(packet) : null)
  }

  /** Refuses a CONNECT. */
  refuse(refusal: ConnectRefusal, message: string): void {
    if (this.state !== 'closed')
      this.#leave('refused', this.#encode(refusalPacket(refusal, this.version, message)))
  }

  // A reason string is left out, and then the packet, if it is larger than the client takes [MQTT-3.1.2-24,
  // MQTT-3.2.2-19, MQTT-3.4.2-2, MQTT-3.5.2-2, MQTT-3.14.2-3].
  #encode(packet: Packet): Buffer | null {
    const options = { protocolVersion: this.version }
    const bytes = generate(packet, options)
    if (bytes.length <= this.packetBytesMax) return bytes
    const { properties: _, ...bare } = packet as Packet & { properties?: unknown }
    const bareBytes = generate(bare, options)
    return bareBytes.length <= this.packetBytesMax ? bareBytes : null
  }

  /** aedes wants the connection to end. */
  dropped(): void {
    if (this.state !== 'closed') this.#leave('connection-lost', null)
  }

  #abandon(): void {
    this.#leave('protocol-error', null)
  }

  #leave(endReason: string, lastBytes: Buffer | null): void {
    this.endReason ??= endReason
    if (lastBytes !== null) this.outbox.push(lastBytes)
    this.outbox.flush()
    sayGoodbye(this.socket)
    this.#closed()
  }

  // Behind a call that may have ended the connection, which TypeScript does not expect.
  #isOpen(): boolean {
    return this.state !== 'closed'
  }

  #connect(packet: ConnectPacket): void {
    if (this.state !== 'new') return this.end(reason.protocolError, 'protocol-error', 'a second CONNECT') // [MQTT-3.1.0-2]
    this.state = 'connecting'
    this.version = packet.protocolVersion
    this.#reader.version = packet.protocolVersion
    this.#context.connect(this, packet)
  }

  // Counts what an unfinished packet keeps in memory, in time and bytes.
  #countOpen(): void {
    if (!this.#isOpen()) return
    const { openBytes } = this.#reader
    if (openBytes === 0) this.packetOpenSince = 0
    else if (this.packetOpenSince === 0) this.packetOpenSince = performance.now()
    if (openBytes === this.#openBytes) return
    const { limits } = this.#context
    limits.openBytes(openBytes - this.#openBytes)
    this.#openBytes = openBytes
    if (openBytes > 0 && limits.overOpenBytes()) {
      this.end(reason.quotaExceeded, 'quota', 'the server holds as many unfinished packets as it may')
    }
  }

  /** Handles one packet; the intake calls it in the packets' order. */
  handlePacket(packet: ClientPacket): void {
    this.#alive()
    switch (packet.cmd) {
      case 'publish':
        return this.#context.publish(this, packet)
      case 'puback':
        this.session?.finish(packet.messageId, 1)
        return
      case 'pubcomp':
        this.session?.finish(packet.messageId, 2)
        return
      case 'pubrec':
        return this.#pubrec(packet.messageId, packet.reasonCode)
      case 'pubrel':
        return this.#pubrel(packet.messageId)
      case 'subscribe':
        this.#intake.block()
        return this.#context.subscribe(this, packet, () => this.#intake.unblock())
      case 'unsubscribe':
        this.#intake.block()
        return this.#context.unsubscribe(this, packet, () => this.#intake.unblock())
      case 'pingreq':
        return this.outbox.push(PINGRESP)
      case 'disconnect':
        return this.#disconnect(packet)
      case 'auth':
        return this.end(reason.protocolError, 'protocol-error', 'no authentication method was agreed on') // [MQTT-4.12.0-6]
      case 'connect':
    }
  }

  #disconnect(packet: DisconnectPacket): void {
    const expiryS = packet.properties?.sessionExpiryInterval ?? 0
    if (expiryS > 0 && this.client?._connectSessionExpiryInterval === 0) {
      const message = 'a session that ends with its connection can’t be kept at the end' // [MQTT-3.14.2.2.2]
      return this.end(reason.protocolError, 'protocol-error', message)
    }
    this.expected = true
    this.endReason ??= 'disconnected'
    this.#context.disconnect(this, packet)
  }

  #pubrec(packetId: number, code: number): void {
    const session = this.session
    if (session === null) return
    if (code >= reason.unspecifiedError) {
      session.finish(packetId, 2) // the client wants it no more [MQTT-4.3.3]
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

  // What aedes does itself for packets that go through it [MQTT-3.1.2-22].
  #alive(): void {
    this.client?._keepaliveTimer?.refresh()
  }

  #flushed(): void {
    const session = this.session
    if (session === null || this.state !== 'open') return
    const full = this.outbox.unsentBytes > this.#context.unsentBytesMax
    if (full) session.congested()
    else this.#intake.heard()
    if (!full && session.live) return
    if (this.socket.writableNeedDrain) this.#awaitDrain()
    else session.drained()
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain) return
    this.#awaitsDrain = true
    this.socket.once('drain', () => {
      this.#awaitsDrain = false
      this.#intake.heard()
      this.session?.drained()
    })
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
