// Plays a scenario against the server and holds it to the specification: what it must answer, keep, end and store.
import type { Packet } from 'mqtt-packet'
import { PATIENCE_MS, within, type Arena } from './arena.ts'
import {
  DISCONNECT,
  DISCONNECT_WITH_WILL,
  encodeAcknowledgement,
  encodeConnect,
  encodePublish,
  encodeSubscribe,
  encodeUnsubscribe,
  PINGREQ
} from './encode.ts'
import { flaws } from './flaws.ts'
import { Ledger, SessionModel, type OpenMessage } from './ledger.ts'
import {
  CLIENT_IDS,
  SLOTS,
  type ConnectMove,
  type Move,
  type PublishMove,
  type SubscribeMove
} from './moves.ts'
import { Peer } from './peer.ts'
import { Violation } from './violation.ts'

/** A connection and what the player knows of it. */
interface Connection {
  peer: Peer
  session: SessionModel
  /** Whether its session outlives it. */
  durable: boolean
  will: string | null
  /** Payloads at QoS 0 whose handling is not known. */
  unheard: string[]
  /** Topics by alias. */
  aliases: Map<number, string>
  /** The last payload at QoS 1 by packet id. */
  sent: Map<number, { payload: string; topic: string }>
  saidGoodbye: boolean
  /** Whether it was closed from this side. */
  left: boolean
}

/** Plays one scenario; throws a Violation. */
export async function play(arena: Arena, moves: readonly Move[]): Promise<void> {
  const player = new Player(arena)
  try {
    for (const move of moves) await player.make(move)
    await player.finish()
  } finally {
    player.dispose()
  }
}

class Player {
  readonly #arena: Arena
  readonly #ledger = new Ledger()
  readonly #sessions = Array.from({ length: CLIENT_IDS }, () => new SessionModel())
  readonly #slots: (Connection | null)[] = Array.from({ length: SLOTS }, () => null)
  readonly #all: Connection[] = []
  #payloads = 0
  /** Whether anything may have been sent that the ledger does not know. */
  #anything = false

  constructor(arena: Arena) {
    this.#arena = arena
  }

  async make(move: Move): Promise<void> {
    if (move.move === 'settle') return this.#settle()
    if (move.move === 'connect') return this.#connect(move)
    const connection = this.#slots[move.slot]
    if (!connection) return
    if (move.move === 'leave') return this.#leave(connection, move.reset)
    if (!connection.peer.usable) return
    switch (move.move) {
      case 'publish':
        return this.#publish(connection, move)
      case 'subscribe':
        return this.#subscribe(connection, move)
      case 'unsubscribe':
        connection.peer.expect(`unsuback ${move.packetId}`)
        return connection.peer.send(encodeUnsubscribe(connection.peer.version, move.filters, move.packetId))
      case 'acknowledge':
        return this.#acknowledge(connection, move.which)
      case 'acknowledge what is not there':
        if (connection.peer.deliveries.has(move.packetId)) return
        return connection.peer.send(encodeAcknowledgement(move.kind, move.packetId))
      case 'release':
        return this.#release(connection, move.packetId)
      case 'ping':
        return this.#ping(connection)
      case 'goodbye':
        return this.#goodbye(connection, move)
      case 'flaw':
        return this.#flaw(connection, move.what)
      case 'connect again':
        return this.#connectAgain(connection)
      case 'garbage':
        this.#anything = true
        this.#doubt(connection)
        connection.session.blur()
        connection.peer.fate = 'either'
        return connection.peer.send(move.bytes)
      case 'half a publish':
        return this.#halfPublish(connection, move.size)
    }
  }

  /** Ends all connections, then compares with the log. */
  async finish(): Promise<void> {
    await this.#arena.callWitness()
    await this.#settle()
    for (const connection of this.#all) this.#judgeWill(connection)
    this.dispose()
    const durable = this.#all.filter(connection => connection.durable).map(({ peer }) => peer.clientId)
    await Promise.all([...new Set(durable)].map(clientId => forget(this.#arena, clientId)))
    const events = await this.#arena.inspect()
    const payloads = events
      .filter(event => !event.topic?.startsWith('witness/'))
      .map(event => String(event.payload).replace(/ x*$/, ''))
    this.#ledger.check(this.#anything ? payloads.filter(payload => this.#ledger.has(payload)) : payloads)
  }

  dispose(): void {
    for (const { peer } of this.#all) peer.leave()
  }

  async #connect(move: ConnectMove): Promise<void> {
    const session = this.#sessions[move.id]
    const here = this.#slots[move.slot]
    if (session === undefined) return
    if (here) this.#leave(here, false)
    for (const other of this.#all) if (other.session === session) this.#takeOver(other)
    const presence = session.presence(move.clean)
    const will = move.will === null ? null : this.#payload()
    const clientId = clientIdOf(move.id)
    const durable = move.version === 5 ? move.lasting : !move.clean
    const peer = new Peer({
      port: this.#arena.port,
      version: move.version,
      clientId,
      receiveMaximum: (move.version === 5 && move.receiveMaximum) || 65_535
    })
    const connection: Connection = {
      peer,
      session,
      durable,
      will,
      unheard: [],
      aliases: new Map(),
      sent: new Map(),
      saidGoodbye: false,
      left: false
    }
    this.#slots[move.slot] = connection
    this.#all.push(connection)
    if (will !== null) this.#ledger.note(will, { atLeast: 0, atMost: 1, why: 'a will' })
    if (presence === false) session.clear()
    peer.expect('connack', packet => {
      if (packet.cmd !== 'connack') return
      const code = packet.reasonCode ?? packet.returnCode
      if (code !== 0) peer.problems.push(`CONNACK refuses with ${code}`)
      const expected = move.version === 3 ? false : presence
      if (expected !== null && packet.sessionPresent !== expected)
        peer.problems.push(`session present is ${packet.sessionPresent}, not ${expected}`)
    })
    peer.send(encodeConnect(move, { clientId, willPayload: will ?? '' }))
    if (!move.hasty) await within(() => peer.connack !== null || peer.ended, 'CONNACK')
  }

  // A connection that is accepted with the id of another ends that one. While one of them has no answer yet, it is
  // open which of them that is.
  #takeOver(other: Connection): void {
    const { peer, session } = other
    if (peer.ended || peer.fate === 'ended' || other.left) return
    if (peer.connack === null) {
      session.blur()
      peer.fate = 'either'
      return
    }
    if (peer.fate === 'either') session.blur()
    peer.mustEnd('another connection took its session over')
    session.interrupted(other.durable ? 'yes' : 'no')
  }

  // Whoever is lost or cut off before CONNACK may have taken the session over, or not.
  #doubt(connection: Connection): void {
    const { peer, session } = connection
    if (peer.connack !== null) return
    session.blur()
    for (const other of this.#all)
      if (other !== connection && other.session === session && !other.left) other.peer.fate = 'either'
  }

  #publish(connection: Connection, move: PublishMove): void {
    const { peer } = connection
    if (move.qos === 1 && move.again) {
      const last = connection.sent.get(move.packetId)
      if (last !== undefined) {
        this.#ledger.oneMore(last.payload)
        return this.#publishAtQos1(connection, { ...move, topic: last.topic }, last.payload)
      }
    }
    if (move.qos === 2) return this.#publishAtQos2(connection, move)
    const payload = this.#payload()
    if (move.qos === 1) {
      this.#ledger.note(payload, { atLeast: 0, atMost: 1, why: 'QoS 1' })
      return this.#publishAtQos1(connection, { ...move, again: false }, payload)
    }
    this.#ledger.note(payload, { atLeast: 0, atMost: 1, why: 'QoS 0' })
    connection.unheard.push(payload)
    const { topic, alias } = aliased(connection, move)
    peer.send(
      encodePublish(peer.version, { ...move, topic }, { payload: padded(payload, move), dup: false, alias })
    )
  }

  #publishAtQos1(connection: Connection, move: PublishMove, payload: string): void {
    const { peer, sent } = connection
    sent.set(move.packetId, { payload, topic: move.topic })
    peer.expect(`puback ${move.packetId}`, packet => {
      requireSuccess(peer, packet)
      this.#ledger.confirm(payload, 'acknowledged at QoS 1')
    })
    const { topic, alias } = aliased(connection, move)
    const content = { payload: padded(payload, move), dup: move.again, alias }
    peer.send(encodePublish(peer.version, { ...move, topic }, content))
  }

  #publishAtQos2(connection: Connection, move: PublishMove): void {
    const { peer, session } = connection
    const open = session.open(move.packetId)
    const uncertain = open?.state === 'maybe'
    const repeated = move.again ? (open?.payload ?? null) : null
    const payload = repeated ?? this.#payload()
    const message: OpenMessage = open ?? { payload, state: 'sent' }
    if (open === null) session.begin(move.packetId, message)
    if (repeated === null) {
      const other = open !== null && !uncertain // then it is taken for a repetition
      this.#ledger.note(payload, { atLeast: 0, atMost: other ? 0 : 1, why: other ? 'a repetition' : 'QoS 2' })
      if (uncertain) message.payload = null // the server has this one or the one before
    }
    const acknowledged = message.payload
    peer.expect(`pubrec ${move.packetId}`, packet => {
      requireSuccess(peer, packet)
      if (acknowledged !== null) this.#ledger.confirm(acknowledged, 'acknowledged at QoS 2')
      if (session.open(move.packetId) === message) message.state = 'confirmed'
    })
    const { topic, alias } = aliased(connection, move)
    const content = { payload: padded(payload, move), dup: repeated !== null, alias }
    peer.send(encodePublish(peer.version, { ...move, topic }, content))
  }

  #release({ peer, session }: Connection, packetId: number): void {
    session.release(packetId)
    peer.expect(`pubcomp ${packetId}`, () => session.released(packetId))
    peer.send(encodeAcknowledgement(0x62, packetId))
  }

  #subscribe({ peer }: Connection, move: SubscribeMove): void {
    const wanted = JSON.stringify(move.requests.map(({ qos }) => qos))
    peer.expect(`suback ${move.packetId}`, packet => {
      const granted = packet.cmd === 'suback' ? JSON.stringify(packet.granted) : ''
      if (granted !== wanted) peer.problems.push(`SUBACK grants ${granted} for ${wanted}`)
    })
    peer.send(encodeSubscribe(peer.version, move))
  }

  #acknowledge({ peer }: Connection, which: number): void {
    const due = [...peer.deliveries.values()].filter(({ next }) => next !== null)
    const delivery = due[which % Math.max(1, due.length)]
    if (delivery === undefined) return
    const header = peer.acknowledge(delivery)
    if (header !== null) peer.send(encodeAcknowledgement(header, delivery.packet.messageId ?? 0))
  }

  #ping(connection: Connection): void {
    const { peer } = connection
    const before = connection.unheard.splice(0)
    peer.expect('pingresp', () => {
      for (const payload of before) this.#ledger.confirm(payload, 'QoS 0, answered PINGREQ behind it')
    })
    peer.send(PINGREQ)
  }

  async #goodbye(
    connection: Connection,
    { withWill, hasty }: { withWill: boolean; hasty: boolean }
  ): Promise<void> {
    const { peer, session } = connection
    const wanted = withWill && peer.version === 5
    this.#doubt(connection)
    peer.send(wanted ? DISCONNECT_WITH_WILL : DISCONNECT)
    peer.mustEnd('')
    connection.saidGoodbye = true
    session.interrupted(connection.durable ? 'yes' : 'no')
    if (hasty) return
    await within(() => peer.ended, 'the end after DISCONNECT')
    const { will } = connection
    if (will === null || peer.connack === null) return
    if (wanted) this.#ledger.confirm(will, 'the will of a goodbye that wants it')
    else this.#ledger.forbid(will, 'the will of who said goodbye')
  }

  #leave(connection: Connection, reset: boolean): void {
    const { peer, session } = connection
    if (peer.ended) return
    connection.left = true
    this.#doubt(connection)
    if (peer.fate === 'kept') session.interrupted(connection.durable ? 'yes' : 'no')
    if (peer.fate === 'kept') peer.fate = 'either'
    peer.reason = '' // whatever the server says is not heard any more
    peer.leave({ reset })
  }

  #flaw(connection: Connection, what: string): void {
    const { peer } = connection
    const flaw = flaws[what]
    if (flaw === undefined || flaw.since > peer.version) return
    this.#mustEnd(connection, what)
    peer.send(flaw.make(peer.version))
  }

  #connectAgain(connection: Connection): void {
    const { peer } = connection
    this.#mustEnd(connection, 'a second CONNECT')
    const plain = { version: peer.version, clean: true, lasting: false, receiveMaximum: null, will: null }
    peer.send(encodeConnect(plain, { clientId: peer.clientId, willPayload: '' }))
  }

  #mustEnd(connection: Connection, what: string): void {
    const { peer, session, durable } = connection
    this.#doubt(connection)
    peer.mustEnd(what)
    session.interrupted(durable ? 'yes' : 'no')
  }

  #halfPublish({ peer }: Connection, size: number): void {
    const payload = this.#payload()
    this.#ledger.note(payload, { atLeast: 0, atMost: 0, why: 'half a message' })
    const move = { topic: 'half', qos: 1 as const, packetId: 1, retain: false, size }
    const whole = encodePublish(peer.version, move, {
      payload: padded(payload, move),
      dup: false,
      alias: null
    })
    peer.stuck = true
    peer.send(whole.subarray(0, Math.ceil(whole.length / 2)))
  }

  // Waits until every connection is as it must be.
  async #settle(): Promise<void> {
    for (const connection of this.#all) {
      const { peer } = connection
      if (peer.usable && !peer.ended) this.#ping(connection)
    }
    for (const { peer } of this.#all) {
      if (peer.fate === 'ended') {
        await within(() => peer.ended, `the end of a connection (${peer.reason})`)
        this.#checkGoodbye(peer)
      } else if (peer.fate === 'kept') {
        await within(() => peer.ended || peer.waiting.length === 0, '').catch(() => {
          throw new Violation(`no answer within ${PATIENCE_MS} ms: ${peer.waiting.join(', ')}`)
        })
        if (peer.ended) throw new Violation(`a connection was ended for no reason, with ${peer.goodbye}`)
      }
      const [problem] = peer.problems
      if (problem !== undefined) throw new Violation(`MQTT level ${peer.version}: ${problem}`)
    }
  }

  #checkGoodbye({ version, reason, goodbye, accepted }: Peer): void {
    if (version < 5 || reason === '' || !accepted) return
    if (goodbye === null || goodbye < 0x80)
      throw new Violation(`a connection ended with reason ${goodbye} after ${reason}`)
  }

  // Who was accepted and ends without a goodbye has its will published.
  #judgeWill({ peer, will, saidGoodbye }: Connection): void {
    if (will === null || saidGoodbye || !peer.accepted) return
    if (peer.fate === 'either' && this.#anything) return
    this.#ledger.confirm(will, 'the will of who was lost')
  }

  #payload(): string {
    return `payload ${++this.#payloads}`
  }
}

/** Ends a session, so that nothing is left for the next scenario. */
export async function forget({ port }: Arena, clientId: string): Promise<void> {
  const peer = new Peer({ port, version: 4, clientId, receiveMaximum: 65_535 })
  peer.expect('connack')
  const plain = { version: 4 as const, clean: true, lasting: false, receiveMaximum: null, will: null }
  peer.send(encodeConnect(plain, { clientId, willPayload: '' }))
  await within(() => peer.connack !== null || peer.ended, 'CONNACK')
  peer.send(DISCONNECT)
  await within(() => peer.ended, 'the end after DISCONNECT')
}

function clientIdOf(id: number): string {
  return `fuzz-${id}`
}

function padded(payload: string, { size }: { size: number }): string {
  return size === 0 ? payload : `${payload} ${'x'.repeat(size)}`
}

/** The topic and alias to send: once an alias is set up, it alone. */
function aliased(
  { peer, aliases }: Connection,
  { topic, alias }: PublishMove
): { topic: string; alias: number | null } {
  if (peer.version < 5 || alias === null) return { topic, alias: null }
  if (aliases.get(alias) === topic) return { topic: '', alias }
  aliases.set(alias, topic)
  return { topic, alias }
}

function requireSuccess(peer: Peer, packet: Packet): void {
  const code = 'reasonCode' in packet ? (packet.reasonCode ?? 0) : 0
  if (code >= 0x80) peer.problems.push(`${packet.cmd} with reason ${code}`)
}
