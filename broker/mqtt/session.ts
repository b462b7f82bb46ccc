// One MQTT session: its subscriptions, what is in flight, and its place in the log. While connected it is either
// live (the dispatcher hands it messages) or behind (it reads on from the log at its own speed until it has caught up).
// There is no queue: what it can't take now, it reads later.
import { unpack } from 'msgpackr'
import type { EventNotification, Notification } from '../../store/notification.ts'
import type { ReadGate } from '../../store/read-gate.ts'
import type { Change, Filter, Log, SessionRow, SessionState } from '../../store/store.ts'
import type { Dispatcher, LiveSubscriber } from './dispatcher.ts'
import type { Inflight } from './inflight-window.ts'
import { Message, type View } from './message.ts'
import type { TrafficCounts } from './metrics.ts'
import type { RetainedMessages } from './retained-messages.ts'
import { Sender, type SessionConnection } from './sender.ts'
import { matching, viewOf, type Subscription } from './subscription.ts'

/** What all sessions share. */
export interface SessionContext {
  log: Log
  dispatcher: Dispatcher
  retained: RetainedMessages
  /** Through which all sessions read the log. */
  gate: ReadGate
  unsentBytesMax: number
  now: () => number
  /** The log could not be read on behalf of a session. */
  onReadFailed: (error: unknown) => void
  /** Counts, for metrics. */
  counts: { catchUps: number; gaps: number; tooLarge: number; expired: number }
  traffic: Pick<TrafficCounts, 'publishSent' | 'publishBytesSent'>
}

/** Retained messages that answer a SUBSCRIBE, on their way. */
interface RetainedAnswer {
  filter: string
  view: View
  /** Looked up when their turn comes. */
  messages: EventNotification[] | null
  at: number
}

// Read from the log at a time while behind.
const PAGE_ITEMS = 1000
const PAGE_BYTES = 128 * 1024
// After a read that failed. There need not be an acknowledgement or a drain to come that would try again.
const RETRY_MS = 1000
// More topic filters than this are not sent along with a read; the session sorts out by itself.
const READ_FILTERS_MAX = 100

/** A session, from its first CONNECT or its loading until it ends or is stored away. */
export class Session implements LiveSubscriber {
  readonly key: string
  readonly device: string
  readonly clientId: string
  expiryIntervalS = 0
  readonly subscriptions = new Map<string, Subscription<LiveSubscriber>>()
  /** Packet ids of QoS 2 messages that came in and are not released; true once they are durable. */
  readonly received = new Map<number, boolean>()
  live = false
  /** Place that the store knows. */
  savedCursor: number
  readonly #context: SessionContext
  readonly #sender: Sender
  /** While not live: everything up to here was sent or does not concern it. */
  #cursor: number
  /** QoS 0 messages up to here came while nobody was connected: they are not sent. */
  #attachedAt: number
  #reading = false
  /** Whether, while reading, there came a reason to go on. */
  #wanted = false
  /** In flight from an earlier connection and to be sent again, oldest first. */
  #again: Inflight[] = []
  #retained: RetainedAnswer[] = []
  /** Sequences after the restored place that were in flight already when it was stored. */
  readonly #known = new Set<number>()

  constructor(ids: { key: string; device: string; clientId: string }, context: SessionContext) {
    this.key = ids.key
    this.device = ids.device
    this.clientId = ids.clientId
    this.#context = context
    this.#sender = new Sender(ids.key, context)
    this.#cursor = context.dispatcher.position
    this.#attachedAt = this.#cursor
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
    for (const row of state.inflight.toSorted((a, b) => a.seq - b.seq)) {
      const message = row.message === null ? null : (unpack(Buffer.from(row.message)) as EventNotification)
      session.#sender.window.entries.set(row.packetId, { ...row, message, stored: true, sent: true })
      if (message === null && row.seq > state.cursor) session.#known.add(row.seq)
    }
    for (const packetId of state.received) session.received.set(packetId, true)
    return session
  }

  /** Whether it outlives its connection. */
  get durable(): boolean {
    return this.#sender.durable
  }

  set durable(durable: boolean) {
    this.#sender.durable = durable
  }

  /** Whether something changed that the store doesn't know. */
  get dirty(): boolean {
    return this.#sender.dirty
  }

  /** QoS 1 and 2 messages that were sent to it and are not acknowledged. */
  get inflightCount(): number {
    return this.#sender.window.entries.size
  }

  /** Everything up to here was sent, is in flight, or does not concern it. */
  get cursor(): number {
    return this.live ? this.#context.dispatcher.position : this.#cursor
  }

  /** Whether a connection holds it. */
  get attached(): boolean {
    return this.#sender.connection !== null
  }

  /** A connection takes the session up: what was in flight is sent again first [MQTT-4.4.0-1], then what was missed. */
  attach(connection: SessionConnection): void {
    this.#sender.begin(connection)
    this.#attachedAt = this.#context.dispatcher.position
    this.#again = [...this.#sender.window.entries.values()]
    this.#retained = []
    for (const subscription of this.subscriptions.values()) this.#context.dispatcher.subscribe(subscription)
    this.#readOn()
  }

  /** The connection is gone. */
  detach(): void {
    this.congested()
    this.#sender.begin(null)
    for (const subscription of this.subscriptions.values()) this.#context.dispatcher.unsubscribe(subscription)
  }

  deliver(message: Message, view: View): void {
    const qos = Math.min(message.qos, view.qos) as 0 | 1 | 2 // [MQTT-3.8.4-8]
    if (!this.#sender.send(message, view, qos)) this.#fallBehind(message.event.seq - 1)
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
    this.#readOn()
  }

  /** The outbox holds more than it should: live delivery goes on without this session until `drained`. */
  congested(): void {
    if (this.live) this.#fallBehind(this.#context.dispatcher.position)
  }

  /** The socket took what was in the outbox. */
  drained(): void {
    this.#readOn()
  }

  /** PUBACK, or the end of a QoS 2 exchange. False when the packet id is not in flight. */
  finish(packetId: number): boolean {
    const entry = this.#sender.window.entries.get(packetId)
    if (entry === undefined) return false
    const waiting = this.#again.indexOf(entry)
    if (waiting >= 0) this.#again.splice(waiting, 1)
    this.#sender.finish(entry, { sent: waiting < 0 })
    if (!this.live && this.#sender.halfFree) this.#readOn()
    return true
  }

  /** PUBREC: from now on only PUBREL is repeated. Calls back, when that is safe, with whether the id is in flight. */
  release(packetId: number, done: (known: boolean) => void): void {
    const entry = this.#sender.window.entries.get(packetId)
    if (entry === undefined || entry.qos !== 2) done(false)
    else this.#sender.release(entry, () => done(true))
  }

  /** What to write so that the session could be restored as it is now. `ending`: with what is in flight. */
  changes({ ending }: { ending: boolean }): Change[] {
    const { window } = this.#sender
    const changes: Change[] = ending ? this.#sender.unstored() : []
    const place = window.safePlace(this.cursor)
    for (const [packetId, seq] of window.finished) {
      if (seq > place) continue
      window.finished.delete(packetId)
      changes.push({ delete: 'inflight', session: this.key, packetId })
    }
    this.savedCursor = place
    this.#sender.dirty = false
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

  // Does what there is room for: what must be sent again, then retained messages, then what comes next in the log.
  #readOn(): void {
    const { connection } = this.#sender
    if (connection === null || this.live) return
    this.#wanted = true
    if (this.#reading) return
    this.#reading = true
    this.#wanted = false
    this.#catchUp(connection)
      .catch((error: unknown) => {
        this.#context.onReadFailed(error)
        setTimeout(() => this.#readOn(), RETRY_MS).unref()
      })
      .finally(() => {
        this.#reading = false
        if (this.#wanted) this.#readOn()
      })
  }

  async #catchUp(connection: SessionConnection): Promise<void> {
    const { dispatcher, counts } = this.#context
    const here = () => this.#sender.connection === connection
    let counted = false
    while (here() && !this.live && this.#mayWrite(connection)) {
      if (this.#again.length > 0) {
        if (this.#sender.free <= 0) return
        await this.#sendAgain(here)
      } else if (this.#retained.length > 0) {
        if (!this.#sendRetained(connection)) return
      } else if (this.subscriptions.size === 0 || this.#cursor >= dispatcher.position) {
        this.live = true // nothing can have come in between: this is one turn of the event loop
      } else {
        if (!counted) counts.catchUps++
        counted = true
        if (!(await this.#context.gate.run(() => this.#readPage(here, connection)))) return
      }
    }
  }

  #mayWrite({ outbox }: SessionConnection): boolean {
    return outbox.unsentBytes <= this.#context.unsentBytesMax / 2 && this.#sender.halfFree
  }

  async #sendAgain(here: () => boolean): Promise<void> {
    const [entry] = this.#again
    if (entry === undefined) return
    const needed = entry.state === 'published'
    const event = needed ? (entry.message ?? (await this.#context.log.get(entry.seq))) : null
    if (!here() || this.#again[0] !== entry) return
    this.#again.shift()
    const message = event?.kind === 'event' ? new Message(event, { retained: entry.message !== null }) : null
    this.#sender.sendAgain(entry, message)
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
      if (!this.#sender.send(message, answer.view, qos)) return false
    }
    this.#retained.shift()
    return true
  }

  // Reads the next page of the log and sends what matches. False when it had to stop within the page.
  async #readPage(here: () => boolean, connection: SessionConnection): Promise<boolean> {
    if (!here() || !this.#mayWrite(connection)) return false // it waited at the gate
    const { log, dispatcher, counts } = this.#context
    const limit = Math.min(PAGE_ITEMS, Math.max(1, this.#sender.free))
    const page = { limit, bytesMax: PAGE_BYTES, filter: this.#readFilter() }
    const { items, next, gap } = await log.read(this.#cursor, page)
    if (!here()) return false
    if (gap !== null) counts.gaps++
    for (const item of items) {
      if (item.seq > dispatcher.position) return true // the dispatcher will deliver it
      if (!this.#deliverRead(item, connection)) return false
      this.#cursor = item.seq
    }
    this.#cursor = Math.max(this.#cursor, Math.min(next, dispatcher.position))
    return true
  }

  // False when there is no room for it.
  #deliverRead(item: Notification, connection: SessionConnection): boolean {
    if (item.kind !== 'event') return true
    const view = viewOf(matching(this.subscriptions.values(), item), item.mqtt?.session === this.key)
    if (view === null) return true
    const message = new Message(item)
    const qos = Math.min(message.qos, view.qos) as 0 | 1 | 2
    if (qos === 0 && item.seq <= this.#attachedAt) return true // at most once, also across a crash
    if (qos > 0 && this.#known.delete(item.seq)) return true // in flight already, from before a crash
    if (connection.outbox.unsentBytes > this.#context.unsentBytesMax) return false
    return this.#sender.send(message, view, qos)
  }

  #readFilter(): Filter {
    const filters = [...this.subscriptions.keys()]
    return filters.length > READ_FILTERS_MAX ? { kinds: ['event'] } : { kinds: ['event'], topics: filters }
  }
}
