// One MQTT session: its subscriptions, what is in flight, and its place in the log. While connected it is either
// live (the dispatcher hands it messages) or behind (it reads on from the log at its own speed until it has caught up).
// There is no queue: what it can't take now, it reads later.
import { pack, unpack } from 'msgpackr'
import { generate } from 'mqtt-packet'
import type { EventNotification } from '../../store/notification.ts'
import type { Change, Filter, Log, SessionRow, SessionState } from '../../store/store.ts'
import type { Dispatcher, LiveSubscriber } from './dispatcher.ts'
import { InflightWindow, inflightRow, type Inflight } from './inflight-window.ts'
import { Message, type View } from './message.ts'
import type { ConnectionOutbox } from './outbox.ts'
import { withPacketId, type WireVersion } from './publish-encoder.ts'
import type { RetainedMessages } from './retained-messages.ts'
import { reason } from './reason-codes.ts'
import { matching, viewOf, type Subscription } from './subscription.ts'

/** What a session needs of the connection that holds it. */
export interface SessionConnection {
  readonly version: WireVersion
  readonly outbox: ConnectionOutbox
  /** Most QoS 1 and 2 messages in flight, the client's Receive Maximum kept. */
  readonly inflightMax: number
  /** Largest packet the client takes, bytes. */
  readonly packetBytesMax: number
}

/** What all sessions share. */
export interface SessionContext {
  log: Log
  dispatcher: Dispatcher
  retained: RetainedMessages
  unsentBytesMax: number
  now: () => number
  /** The log could not be read on behalf of a session. */
  onReadFailed: (error: unknown) => void
  /** Counts, for metrics. */
  counts: { catchUps: number; gaps: number; tooLarge: number; expired: number }
}

// Read from the log at a time while behind.
const PAGE_ITEMS = 1000
const PAGE_BYTES = 128 * 1024
// More topic filters than this are not sent along with a read; the session sorts out by itself.
const READ_FILTERS_MAX = 100

/** A session, from its first CONNECT or its loading until it ends or is stored away. */
export class Session implements LiveSubscriber {
  readonly key: string
  readonly device: string
  readonly clientId: string
  /** Whether it outlives its connection. */
  durable = false
  expiryIntervalS = 0
  readonly subscriptions = new Map<string, Subscription<LiveSubscriber>>()
  /** Packet ids of QoS 2 messages that came in and are not released; true once they are durable. */
  readonly received = new Map<number, boolean>()
  live = false
  /** Whether something changed that the store doesn't know. */
  dirty = false
  /** Place that the store knows. */
  savedCursor = 0
  readonly #context: SessionContext
  readonly #window = new InflightWindow()
  #connection: SessionConnection | null = null
  /** While not live: everything up to here was sent or does not concern it. */
  #cursor: number
  #reading = false
  /** In flight from an earlier connection and to be sent again, oldest first. */
  #again: Inflight[] = []
  /** Subscriptions whose retained messages are to be sent, and how far that is. */
  #retained: { filter: string; view: View; messages: EventNotification[] | null; at: number }[] = []
  /** Sequences after the restored place that were in flight already when it was stored. */
  readonly #known = new Set<number>()
  /** In flight on this connection. */
  #sent = 0

  constructor(ids: { key: string; device: string; clientId: string }, context: SessionContext) {
    this.key = ids.key
    this.device = ids.device
    this.clientId = ids.clientId
    this.#context = context
    this.#cursor = context.dispatcher.position
    this.savedCursor = this.#cursor
  }

  /** A session as the store had it. */
  static restore(state: SessionState, context: SessionContext): Session {
    const session = new Session(state, context)
    session.durable = true
    session.expiryIntervalS = state.expiryIntervalS
    session.#cursor = state.cursor
    session.savedCursor = state.cursor
    for (const row of state.subscriptions) session.subscriptions.set(row.filter, { ...row, owner: session })
    for (const row of state.inflight) {
      const message = row.message === null ? null : (unpack(Buffer.from(row.message)) as EventNotification)
      session.#window.entries.set(row.packetId, { ...row, message, stored: true, sent: true })
      if (message === null && row.seq > state.cursor) session.#known.add(row.seq)
    }
    for (const packetId of state.received) session.received.set(packetId, true)
    return session
  }

  /** Everything up to here was sent, is in flight, or does not concern it. */
  get cursor(): number {
    return this.live ? this.#context.dispatcher.position : this.#cursor
  }

  /** Whether a connection holds it. */
  get attached(): boolean {
    return this.#connection !== null
  }

  /** Number of messages in flight. */
  get inflight(): number {
    return this.#window.entries.size
  }

  /** A connection takes the session up: what was in flight is sent again first [MQTT-4.4.0-1], then what was missed. */
  attach(connection: SessionConnection): void {
    this.#connection = connection
    this.#again = [...this.#window.entries.values()]
    this.#retained = []
    this.#sent = 0
    for (const subscription of this.subscriptions.values()) this.#context.dispatcher.subscribe(subscription)
    this.#pump()
  }

  /** The connection is gone. */
  detach(): void {
    if (this.live) this.#fallBehind(this.#context.dispatcher.position)
    this.#connection = null
    for (const subscription of this.subscriptions.values()) this.#context.dispatcher.unsubscribe(subscription)
  }

  deliver(message: Message, view: View): void {
    const qos = Math.min(message.qos, view.qos) as 0 | 1 | 2 // [MQTT-3.8.4-8]
    if (qos === 0) this.#sendQos0(message, view)
    else if (!this.#sendQos(message, view, qos)) this.#fallBehind(message.event.seq - 1)
  }

  /** Sends the retained messages that answer a SUBSCRIBE, as fast as the client takes them; what is newer comes after. */
  deliverRetained({ filter, qos, identifier }: Subscription<LiveSubscriber>): void {
    const identifiers = identifier === null ? undefined : [identifier]
    this.congested() // so that nothing newer overtakes them
    this.#retained.push({
      filter,
      view: { qos, retainAsPublished: true, identifiers },
      messages: null,
      at: 0
    })
    this.#pump()
  }

  /** The outbox holds more than it should: live delivery goes on without this session until `drained`. */
  congested(): void {
    if (this.live) this.#fallBehind(this.#context.dispatcher.position)
  }

  /** The socket took what was in the outbox. */
  drained(): void {
    this.#pump()
  }

  /** PUBACK, or the end of a QoS 2 exchange. False when the packet id is not in flight. */
  finish(packetId: number): boolean {
    const entry = this.#window.entries.get(packetId)
    if (entry === undefined) return false
    this.#window.finish(entry)
    this.dirty = true
    const waiting = this.#again.indexOf(entry)
    if (waiting < 0) this.#sent--
    else this.#again.splice(waiting, 1)
    this.#pump()
    return true
  }

  /** PUBREC: from now on only PUBREL is repeated. Calls back when that is safe. */
  release(packetId: number, done: (known: boolean) => void): void {
    const entry = this.#window.entries.get(packetId)
    if (entry === undefined || entry.qos !== 2) return done(false)
    entry.state = 'released'
    if (!this.durable) return done(true)
    this.#store(entry, () => done(true))
  }

  /** What to write so that the session could be restored as it is now. `ending`: with what is in flight. */
  changes({ ending }: { ending: boolean }): Change[] {
    const window = this.#window
    const changes: Change[] = []
    if (ending) {
      for (const entry of window.entries.values()) {
        if (entry.stored) continue
        entry.stored = true
        changes.push({ put: 'inflight', session: this.key, row: inflightRow(entry, packMessage) })
      }
    }
    const place = window.safePlace(this.cursor)
    for (const [packetId, seq] of window.finished) {
      if (seq > place) continue
      window.finished.delete(packetId)
      changes.push({ delete: 'inflight', session: this.key, packetId })
    }
    this.savedCursor = place
    this.dirty = false
    changes.push({ put: 'session', row: this.row(place) })
    return changes
  }

  row(cursor: number, expiresAt: number | null = null): SessionRow {
    const { key, device, clientId, expiryIntervalS } = this
    return { key, device, clientId, cursor, expiresAt, expiryIntervalS }
  }

  #fallBehind(cursor: number): void {
    this.live = false
    this.#cursor = cursor
  }

  #sendQos0(message: Message, view: View): void {
    const connection = this.#connection
    if (connection === null) return
    const now = this.#context.now()
    if (message.expired(now)) return void this.#context.counts.expired++
    const { bytes } = message.encode(view, 0, connection.version, now)
    if (bytes.length > connection.packetBytesMax) return void this.#context.counts.tooLarge++ // [MQTT-3.1.2-25]
    connection.outbox.push(bytes)
  }

  // False when the window is full.
  #sendQos(message: Message, view: View, qos: 1 | 2): boolean {
    const connection = this.#connection
    if (connection === null || this.#sent >= connection.inflightMax) return false
    const now = this.#context.now()
    if (message.expired(now)) {
      this.#context.counts.expired++
      return true
    }
    const encoded = message.encode(view, qos, connection.version, now)
    if (encoded.bytes.length > connection.packetBytesMax) {
      this.#context.counts.tooLarge++
      return true
    }
    const packetId = this.#window.allocate()
    if (packetId === null) return false
    const entry = this.#enter(message, view, qos, packetId)
    this.#sent++
    const bytes = withPacketId(encoded, packetId, false)
    // Exactly once survives a crash only if the packet id is known to belong to this message before it is used; and a
    // retained message is in no place of the log to which a cursor could go back.
    if (this.durable && (qos === 2 || message.retained)) {
      this.#store(entry, () => {
        if (this.#connection !== connection) return
        entry.sent = true
        connection.outbox.push(bytes)
      })
    } else {
      entry.sent = true
      connection.outbox.push(bytes)
    }
    return true
  }

  #enter(message: Message, view: View, qos: 1 | 2, packetId: number): Inflight {
    const { event, retained } = message
    const entry: Inflight = {
      packetId,
      seq: event.seq,
      qos,
      state: 'published',
      retain: retained || (view.retainAsPublished && (event.mqtt?.retain ?? false)),
      identifiers: view.identifiers ?? [],
      message: retained ? event : null,
      stored: false,
      sent: false
    }
    this.#window.entries.set(packetId, entry)
    this.dirty = true
    return entry
  }

  #store(entry: Inflight, done: (() => void) | null): void {
    entry.stored = true
    this.#context.log.write(
      [{ put: 'inflight', session: this.key, row: inflightRow(entry, packMessage) }],
      error => {
        if (error === null) done?.()
      }
    )
  }

  // Does what there is room for: what must be sent again, then retained messages, then what comes next in the log.
  #pump(): void {
    const connection = this.#connection
    if (connection === null || this.live || this.#reading) return
    this.#reading = true
    this.#catchUp(connection)
      .catch((error: unknown) => {
        this.#context.onReadFailed(error) // the next acknowledgement or drain tries again
      })
      .finally(() => {
        this.#reading = false
        if (this.#connection !== connection) this.#pump()
      })
  }

  async #catchUp(connection: SessionConnection): Promise<void> {
    while (this.#again.length > 0) {
      if (!this.#mayWrite(connection)) return
      await this.#sendAgain(connection)
      if (this.#connection !== connection) return
    }
    const { log, dispatcher, counts } = this.#context
    let counted = false
    while (!this.live && this.#connection === connection && this.#mayWrite(connection)) {
      if (this.#retained.length > 0) {
        if (!this.#sendRetained(connection)) return
        continue
      }
      if (this.subscriptions.size === 0 || this.#cursor >= dispatcher.position) {
        this.live = true // nothing can have come in between: this is one turn of the event loop
        return
      }
      if (!counted) counts.catchUps++
      counted = true
      const page = { limit: PAGE_ITEMS, bytesMax: PAGE_BYTES, filter: this.#readFilter() }
      const { items, next, gap } = await log.read(this.#cursor, page)
      if (this.#connection !== connection) return
      if (gap !== null) counts.gaps++
      if (!this.#deliverPage(items, connection)) return
      this.#cursor = Math.max(this.#cursor, Math.min(next, dispatcher.position))
    }
  }

  // Sends what it can of the first subscription's retained messages. False when it had to stop.
  #sendRetained(connection: SessionConnection): boolean {
    const [answer] = this.#retained
    if (answer === undefined) return true
    answer.messages ??= this.#context.retained.match(answer.filter)
    for (; answer.at < answer.messages.length; answer.at++) {
      const event = answer.messages[answer.at]
      if (event === undefined) continue
      if (connection.outbox.unsentBytes > this.#context.unsentBytesMax) return false
      const message = new Message(event, { retained: true })
      const qos = Math.min(message.qos, answer.view.qos) as 0 | 1 | 2
      if (qos === 0) this.#sendQos0(message, answer.view)
      else if (!this.#sendQos(message, answer.view, qos)) return false
    }
    this.#retained.shift()
    return true
  }

  // False when it had to stop within the page.
  #deliverPage(items: readonly { seq: number; kind: string }[], connection: SessionConnection): boolean {
    for (const item of items as readonly EventNotification[]) {
      if (item.seq > this.#context.dispatcher.position) return true // that the dispatcher will deliver
      if (item.kind !== 'event' || item.seq <= this.#cursor) continue
      const matches = matching(this.subscriptions.values(), item)
      const view = viewOf(matches, item.mqtt?.session === this.key)
      if (view !== null && !this.#deliverRead(new Message(item), view, connection)) return false
      this.#cursor = item.seq
    }
    return true
  }

  #deliverRead(message: Message, view: View, connection: SessionConnection): boolean {
    const qos = Math.min(message.qos, view.qos) as 0 | 1 | 2
    if (connection.outbox.unsentBytes > this.#context.unsentBytesMax) return false
    if (qos === 0) {
      this.#sendQos0(message, view)
      return true
    }
    if (this.#known.delete(message.event.seq)) return true // in flight already, from before a crash
    return this.#sendQos(message, view, qos)
  }

  #readFilter(): Filter {
    const filters = [...this.subscriptions.keys()]
    return filters.length > READ_FILTERS_MAX ? { kinds: ['event'] } : { kinds: ['event'], topics: filters }
  }

  #mayWrite(connection: SessionConnection): boolean {
    if (connection.outbox.unsentBytes > this.#context.unsentBytesMax / 2) return false
    return this.#again.length === 0 || this.#sent < connection.inflightMax
  }

  async #sendAgain(connection: SessionConnection): Promise<void> {
    const entry = this.#again[0]
    if (entry === undefined) return
    if (entry.state === 'published') {
      const event = entry.message ?? (await this.#context.log.get(entry.seq))
      if (this.#connection !== connection || this.#again[0] !== entry) return
      const message =
        event?.kind === 'event' ? new Message(event, { retained: entry.message !== null }) : null
      const now = this.#context.now()
      if (message === null || message.expired(now)) {
        this.#again.shift()
        this.#window.finish(entry)
        return
      }
      const identifiers = entry.identifiers.length > 0 ? entry.identifiers : undefined
      const view: View = { qos: entry.qos, retainAsPublished: entry.retain, identifiers }
      const encoded = message.encode(view, entry.qos, connection.version, now)
      connection.outbox.push(withPacketId(encoded, entry.packetId, entry.sent))
      entry.sent = true
    } else {
      connection.outbox.push(encodePubrel(entry.packetId, connection.version))
    }
    this.#again.shift()
    this.#sent++
  }
}

/** PUBREL, with a reason code where it is not success (MQTT 5 only). */
export function encodePubrel(
  packetId: number,
  version: WireVersion,
  reasonCode: number = reason.success
): Buffer {
  if (version === 5 && reasonCode !== reason.success) {
    return generate({ cmd: 'pubrel', messageId: packetId, reasonCode } as never, { protocolVersion: 5 })
  }
  return Buffer.of(0x62, 2, packetId >> 8, packetId & 0xff)
}

function packMessage(message: EventNotification): Uint8Array {
  return pack(message)
}
