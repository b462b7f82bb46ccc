// What goes out to MQTT clients: each connection's packets of one turn of the event loop leave in one write. Answers leave
// at the end of the turn; messages to many subscribers as the pace of fan-out allows.
import type { Duplex } from 'node:stream'
import { FlushPace } from '../../store/flush-pace.ts'
import type { TrafficCounts } from './metrics.ts'

// Joining costs a copy; what is larger than this is cheaper to hand to the socket as it is.
const JOIN_BYTES_MAX = 65_536

type SentCounts = Pick<TrafficCounts, 'packetsSent' | 'bytesSent'>

/** Collects packets of many connections and writes them once a turn. */
export class Outbox {
  /** To be written at the end of this turn. */
  #soon: ConnectionOutbox[] = []
  /** To be written when the pace of fan-out allows. */
  #paced: ConnectionOutbox[] = []
  readonly #pace: FlushPace
  readonly #traffic: SentCounts
  readonly #flushSoon = () => {
    const connections = this.#soon
    this.#soon = []
    for (const connection of connections) connection.flush()
  }

  /** `flushMs`: longest pause between two writes of messages to live subscribers; 0 makes none. */
  constructor({ flushMs, traffic }: { flushMs: number; traffic: SentCounts }) {
    this.#traffic = traffic
    this.#pace = new FlushPace(() => this.#flushPaced(), flushMs)
  }

  /** The outbox of one connection; `onFlushed` is called after each turn's write. */
  open(socket: Duplex, onFlushed: () => void): ConnectionOutbox {
    return new ConnectionOutbox(this, { socket, onFlushed, traffic: this.#traffic })
  }

  /** Has a connection flushed at the end of this turn. */
  wakeSoon(connection: ConnectionOutbox): void {
    if (this.#soon.push(connection) === 1) setImmediate(this.#flushSoon)
  }

  /** Has a connection flushed when the pace of fan-out allows. */
  wakePaced(connection: ConnectionOutbox): void {
    if (this.#paced.push(connection) === 1) this.#pace.request()
  }

  stop(): void {
    this.#pace.stop()
  }

  #flushPaced(): void {
    const connections = this.#paced
    this.#paced = []
    for (const connection of connections) connection.flush()
  }
}

interface OutboxOwner {
  socket: Duplex
  onFlushed: () => void
  traffic: SentCounts
}

/** A message that may not leave yet, or that waits behind such a one. */
interface HeldMessage {
  bytes: Buffer
  mayLeave: boolean
}

/** When a connection's packets are going to be written. */
const NOT = 0
const PACED = 1
const SOON = 2

/** One connection's packets that wait to be written. */
export class ConnectionOutbox {
  readonly #outbox: Outbox
  readonly #socket: Duplex
  readonly #onFlushed: () => void
  readonly #traffic: SentCounts
  /** Null while there are none: an empty list that waits for the next packet outlives the collector's cheap passes. */
  #parts: Buffer[] | null = null
  #bytes = 0
  #held: HeldMessage[] | null = null
  #heldBytes = 0
  #woken: typeof NOT | typeof PACED | typeof SOON = NOT

  constructor(outbox: Outbox, { socket, onFlushed, traffic }: OutboxOwner) {
    this.#outbox = outbox
    this.#socket = socket
    this.#onFlushed = onFlushed
    this.#traffic = traffic
  }

  /** Adds a packet to this turn's write. */
  push(bytes: Buffer): void {
    this.#addPart(bytes)
    this.wakeSoon()
  }

  /** Adds a message, one of many to many subscribers, to the next write that their pace allows. */
  pushMessage(bytes: Buffer): void {
    if (this.#held === null) this.#add(bytes)
    else this.#hold({ bytes, mayLeave: true })
  }

  /** Adds a message that may leave when what is returned is called. Messages behind it wait, so that their order is kept. */
  holdMessage(bytes: Buffer): () => void {
    const message = { bytes, mayLeave: false }
    this.#hold(message)
    return () => {
      message.mayLeave = true
      this.#letGo()
    }
  }

  /** Has what there is written at the end of this turn. */
  wakeSoon(): void {
    if (this.#woken === SOON || this.#parts === null) return
    this.#woken = SOON
    this.#outbox.wakeSoon(this)
  }

  /** Bytes that the network has not taken yet. */
  get unsentBytes(): number {
    return this.#bytes + this.#heldBytes + this.#socket.writableLength
  }

  flush(): void {
    const parts = this.#parts
    const bytes = this.#bytes
    if (parts === null) return
    this.#woken = NOT
    this.#parts = null
    this.#bytes = 0
    const socket = this.#socket
    if (!socket.writable) return
    this.#traffic.packetsSent += parts.length
    this.#traffic.bytesSent += bytes
    if (bytes <= JOIN_BYTES_MAX) {
      socket.write(joined(parts, bytes))
    } else {
      socket.cork()
      for (const piece of pieces(parts)) socket.write(piece)
      socket.uncork()
    }
    this.#onFlushed()
  }

  #addPart(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#parts === null) this.#parts = [bytes]
    else this.#parts.push(bytes)
  }

  #add(bytes: Buffer): void {
    this.#addPart(bytes)
    if (this.#bytes > JOIN_BYTES_MAX) return this.wakeSoon()
    if (this.#woken !== NOT) return
    this.#woken = PACED
    this.#outbox.wakePaced(this)
  }

  #hold(message: HeldMessage): void {
    this.#heldBytes += message.bytes.length
    if (this.#held === null) this.#held = [message]
    else this.#held.push(message)
  }

  #letGo(): void {
    const held = this.#held ?? []
    const first = held.findIndex(({ mayLeave }) => !mayLeave)
    const leaving = first < 0 ? held : held.splice(0, first)
    if (first < 0) this.#held = null
    for (const { bytes } of leaving) {
      this.#heldBytes -= bytes.length
      this.#add(bytes)
    }
  }
}

// Small parts are joined: each write has its cost, on a WebSocket that of a frame.
function* pieces(parts: readonly Buffer[]): Iterable<Buffer> {
  let group: Buffer[] = []
  let bytes = 0
  for (const part of parts) {
    if (group.length > 0 && bytes + part.length > JOIN_BYTES_MAX) {
      yield joined(group, bytes)
      group = []
      bytes = 0
    }
    group.push(part)
    bytes += part.length
  }
  if (group.length > 0) yield joined(group, bytes)
}

function joined(parts: readonly Buffer[], bytes: number): Buffer {
  const [first] = parts
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts, bytes)
}
