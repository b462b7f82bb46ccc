// One MQTT session: its subscriptions, its memberships of shares, what is in flight, and its place in the log. What it
// can't take now, it reads later from there.
import { unpack } from 'msgpackr'
import { mqttMessage } from '../../store/alert-message.ts'
import type { EventNotification } from '../../store/notification.ts'
import type { Change, Filter, SessionRow, SessionState } from '../../store/store.ts'
import type { LiveSubscriber } from './dispatcher.ts'
import type { Inflight } from './inflight-window.ts'
import { LazyMap } from './lazy-map.ts'
import { logFilter } from './log-filter.ts'
import { LogPlace, type LogPlaceContext, type LogReader } from './log-place.ts'
import { Message, type View } from './message.ts'
import type { TrafficCounts } from './metrics.ts'
import { RetainedAnswers } from './retained-answers.ts'
import type { RetainedMessages } from './retained-messages.ts'
import { Sender, type SessionConnection } from './sender.ts'
import type { ShareMember, Taking } from './share-member.ts'
import type { Shares } from './shares.ts'
import { matching, qosOf, viewOf, type Subscription } from './subscription.ts'

/** What all sessions have in common. */
export interface SessionContext extends LogPlaceContext {
  retained: RetainedMessages
  shares: Shares
  unsentBytesMax: number
  now: () => number
  /** Counts, for metrics. */
  counts: { catchUps: number; gaps: number; tooLarge: number; expired: number }
  traffic: Pick<TrafficCounts, 'publishSent' | 'publishBytesSent'>
}

// Topic filters compared with topics in one turn of the event loop while it reads on: that many take a few milliseconds.
const MATCHES_MAX = 50_000
const nothing = Object.freeze<Inflight[]>([]) as Inflight[]
const noMemberships: ReadonlyMap<string, ShareMember> = new Map()

/** A session, from its first CONNECT or its loading until it ends or is stored away. */
export class Session implements LiveSubscriber, LogReader {
  readonly key: string
  readonly device: string
  readonly clientId: string
  expiryIntervalS = 0
  /** Its own subscriptions, by filter. */
  readonly subscriptions = new LazyMap<string, Subscription<LiveSubscriber>>()
  /** Its memberships of shares, by the whole filter of the subscription. */
  memberships: ReadonlyMap<string, ShareMember> = noMemberships
  /** Packet ids of QoS 2 messages that came in and are not released; true once they are durable. */
  readonly received = new LazyMap<number, boolean>()
  /** Those of them whose release the store does not know yet. */
  readonly releasing = new LazyMap<number, true>()
  /** Place that the store knows. */
  savedCursor: number
  readonly #context: SessionContext
  readonly #sender: Sender
  readonly #place: LogPlace
  readonly #retained: RetainedAnswers
  /** QoS 0 messages up to here came while nobody was connected: they are not sent. */
  #attachedAt: number
  /** In flight from an earlier connection and to be sent again, oldest first. */
  #again: Inflight[] = nothing
  /** Sequences after the restored place that were in flight already when it was stored. */
  readonly #known = new LazyMap<number, true>()

  constructor(
    ids: { key: string; device: string; clientId: string },
    context: SessionContext,
    cursor = context.dispatcher.position
  ) {
    this.key = ids.key
    this.device = ids.device
    this.clientId = ids.clientId
    this.#context = context
    this.#sender = new Sender(ids.key, context)
    this.#place = new LogPlace(context, this, cursor)
    this.#retained = new RetainedAnswers(context.retained, this.#sender)
    this.#attachedAt = cursor
    this.savedCursor = cursor
  }

  /** A session as the store had it. */
  static restore(state: SessionState, context: SessionContext): Session {
    const session = new Session(state, context, state.cursor)
    session.durable = true
    session.expiryIntervalS = state.expiryIntervalS
    const memberships = context.shares.loaded(session)
    for (const row of state.subscriptions) {
      if (!memberships.has(row.filter)) session.subscriptions.set(row.filter, { ...row, owner: session })
    }
    for (const { share, ...row } of state.inflight.toSorted((a, b) => a.seq - b.seq)) {
      const message = row.message === null ? null : (unpack(Buffer.from(row.message)) as EventNotification)
      const member = share === null ? null : (memberships.get(share) ?? null)
      const entry: Inflight = { ...row, message, share: member, stored: true, sent: true }
      if (member !== null && !member.restored(entry)) continue // another member has it by now
      session.#sender.window.entries.set(row.packetId, entry)
      if (message === null && member === null && row.seq > state.cursor) session.#known.set(row.seq, true)
    }
    for (const packetId of state.received) session.received.set(packetId, true)
    return session
  }

  /** Whether it takes live messages now. */
  get live(): boolean {
    return this.#place.live
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
    return this.#place.cursor
  }

  /** Whether a connection holds it. */
  get attached(): boolean {
    return this.#sender.connection !== null
  }

  /** Subscriptions, shared ones among them. */
  get subscriptionCount(): number {
    return this.subscriptions.size + this.memberships.size
  }

  /** A connection takes the session up: what was in flight is sent again first [MQTT-4.4.0-1], then what was missed. */
  attach(connection: SessionConnection): void {
    this.#sender.begin(connection)
    this.#attachedAt = this.#context.dispatcher.position
    this.#again = this.#sender.window.entries.size === 0 ? nothing : [...this.#sender.window.entries.values()]
    this.#retained.clear()
    for (const subscription of this.subscriptions.values()) this.#context.dispatcher.subscribe(subscription)
    for (const member of this.memberships.values()) member.join(this)
    this.#place.readOn()
  }

  /** The connection is gone. */
  detach(): void {
    this.congested()
    this.#sender.begin(null)
    for (const subscription of this.subscriptions.values()) this.#context.dispatcher.unsubscribe(subscription)
    for (const member of this.memberships.values()) member.part(this)
  }

  deliver(message: Message, view: View): void {
    if (!this.#sender.send(message, view, qosOf(message, view))) this.#place.fallBehind(message.event.seq - 1)
  }

  /** Takes a message of a share. */
  takeShared(message: Message, member: ShareMember): Taking {
    if (!this.#isOpen) return 'no-room'
    const { view } = member
    const qos = qosOf(message, view)
    if (this.#sender.tooLarge(message, view, qos)) return 'too-large'
    return this.#sender.send(message, view, qos, member) ? 'taken' : 'no-room'
  }

  /** How many messages of shares above QoS 0 it takes now; 0 also if it is not worth reading any for it. */
  get sharedRoom(): number {
    return this.#sender.worthReading && this.#isOpen ? this.#sender.free : 0
  }

  /** Gives a message back to its share. Only while no connection holds the session. */
  giveBack({ packetId }: Pick<Inflight, 'packetId'>): void {
    this.#sender.window.entries.delete(packetId)
  }

  /** Sends the retained messages that answer a SUBSCRIBE, as fast as the client takes them; what is newer comes after. */
  deliverRetained(subscription: Subscription<LiveSubscriber>): void {
    this.congested() // so that nothing newer overtakes them
    this.#retained.add(subscription)
    this.#place.readOn()
  }

  /** The client has unsubscribed: what is left of the answer to its SUBSCRIBE is not sent. */
  cancelRetained(filter: string): void {
    this.#retained.remove(filter)
  }

  /** The outbox holds more than it should: live delivery goes on without this session until `drained`. */
  congested(): void {
    this.#place.fallBehind()
  }

  /** The socket took what was in the outbox. */
  drained(): void {
    this.#place.readOn()
    this.#offerRoom()
  }

  /** PUBACK (QoS 1), or the end of a QoS 2 exchange. False when no such message has this packet id. */
  finish(packetId: number, qos: 1 | 2): boolean {
    const entry = this.#sender.window.entries.get(packetId)
    if (entry?.qos !== qos) return false
    const waiting = this.#again.indexOf(entry)
    if (waiting >= 0) this.#again.splice(waiting, 1)
    this.#sender.finish(entry, { sent: waiting < 0 })
    if (!this.#sender.worthReading) return true
    if (!this.live) this.#place.readOn()
    this.#offerRoom()
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

  // ── As the reader of its place ──

  get audience(): SessionConnection | null {
    return this.#sender.connection
  }

  get hasRoom(): boolean {
    const { connection, worthReading } = this.#sender
    return (
      connection !== null && connection.outbox.unsentBytes <= this.#context.unsentBytesMax / 2 && worthReading
    )
  }

  get hasFirst(): boolean {
    return this.#again.length > 0 || this.#retained.waiting
  }

  get pageItems(): number {
    const { size } = this.subscriptions
    return size === 0 ? 0 : Math.max(1, Math.min(this.#sender.free, Math.floor(MATCHES_MAX / size)))
  }

  get filter(): Filter {
    return logFilter([...this.subscriptions.keys()])
  }

  /** What must be sent again, oldest first, then retained messages. */
  async sendFirst(): Promise<boolean> {
    const { connection } = this.#sender
    if (connection === null) return false
    const [entry] = this.#again
    if (entry === undefined) {
      const sent = this.#retained.send(connection, this.#context.unsentBytesMax)
      // To look up what a filter matches may take some milliseconds: between two of them others have their turn.
      if (sent && this.#retained.waiting) await new Promise(resolve => setImmediate(resolve))
      return sent
    }
    if (this.#sender.free <= 0) return false
    await this.#sender.stored()
    const needed = entry.state === 'published'
    const event = needed ? (entry.message ?? (await this.#read(entry.seq))) : null
    if (this.#sender.connection !== connection || this.#again[0] !== entry) return true
    this.#again.shift()
    const message = event === null ? null : new Message(event, { retained: entry.message !== null })
    this.#sender.sendAgain(entry, message)
    if (this.#again.length === 0) this.#offerRoom()
    return true
  }

  take(event: EventNotification): boolean {
    const view = viewOf(matching(this.subscriptions.values(), event), event.mqtt?.session === this.key)
    if (view === null) return true
    const message = new Message(event)
    const qos = qosOf(message, view)
    if (qos === 0 && event.seq <= this.#attachedAt) return true // at most once, also across a crash
    if (qos > 0 && this.#known.delete(event.seq)) return true // in flight already, from before a crash
    const { connection } = this.#sender
    if (connection === null || connection.outbox.unsentBytes > this.#context.unsentBytesMax) return false
    return this.#sender.send(message, view, qos)
  }

  // ── For its shares ──

  /** Keeps what is in flight to a member that unsubscribes. Returns what to store. */
  keepShared(member: ShareMember): Change[] {
    return this.#sender.keepShared(member)
  }

  async #read(seq: number): Promise<EventNotification | null> {
    const { log } = this.#context
    const notification = await log.get(seq)
    return notification && mqttMessage(log.bounds().epoch, notification)
  }

  // Whether it can take what is new. If its socket stands against it, being behind makes sure that `drained` is called.
  get #isOpen(): boolean {
    const { connection } = this.#sender
    if (connection === null || this.#again.length > 0) return false
    if (connection.outbox.unsentBytes <= this.#context.unsentBytesMax) return true
    queueMicrotask(() => this.congested()) // later: this may be in the midst of a message that it got for itself
    return false
  }

  #offerRoom(): void {
    if (this.memberships.size === 0) return
    for (const { share } of this.memberships.values()) share.readOn()
  }
}
