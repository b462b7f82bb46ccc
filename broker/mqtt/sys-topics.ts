// `$SYS` topics: how the broker is, told to those who may see it. They are no part of the log. Their values are worked
// out once an interval, and only while somebody subscribes; what changed is sent at QoS 0.
import type { EventNotification } from '../../store/notification.ts'
import type { SubscriptionRow } from '../../store/store.ts'
import type { Authorizer } from '../authorize.ts'
import type { Connection } from './connection.ts'
import { Message, type View } from './message.ts'
import type { TrafficCounts } from './metrics.ts'
import { RetainedMessages } from './retained-messages.ts'
import type { SessionConnection } from './sender.ts'
import { viewOf } from './subscription.ts'

export interface SysTopicsOptions {
  values: { advance(): void; read(): [topic: string, value: string][] }
  /** Between two looks at the values, ms; 0: there are no `$SYS` topics. */
  intervalMs: number
  /** A connection that holds more unsent bytes gets its values later. */
  unsentBytesMax: number
  traffic: TrafficCounts
  /** Time of day, ms since 1970. */
  now: () => number
}

/** A topic's value as it is sent. */
interface Value {
  text: string
  /** The tick at which it came to be. */
  since: number
  live: Message
  /** As the answer to a SUBSCRIBE. */
  retained: Message
}

/** A connection with subscriptions to `$SYS` topics. */
interface Subscriber {
  subscriptions: Map<string, SubscriptionRow>
  /** The subscriptions that match a topic. */
  byTopic: Map<string, SubscriptionRow[]>
  /** Subscriptions whose SUBSCRIBE is still to be answered by values. */
  unanswered: Set<SubscriptionRow>
  /** Values up to this tick were sent. */
  seen: number
}

type Resuming = Pick<Connection, 'state' | 'session' | 'identity'> & SessionConnection

/** Subscribers that are sent values in one turn of the event loop; the rest follows in the next ones. */
const SLICE = 50

/** Whether a topic filter is one of `$SYS` topics. No wildcard leads there [MQTT-4.7.2-1]. */
export function isSysFilter(filter: string): boolean {
  return filter === '$SYS' || filter.startsWith('$SYS/')
}

/** Knows who subscribes to `$SYS` topics, and what they were sent. */
export class SysTopics {
  readonly #options: SysTopicsOptions
  readonly #subscribers = new Map<SessionConnection, Subscriber>()
  readonly #values = new Map<string, Value>()
  /** The topics as a tree, to find those that a filter matches. */
  readonly #topics = new RetainedMessages()
  /** Intervals since the start. */
  #tick = 0
  #readAt = -1
  #timer: NodeJS.Timeout | null = null

  constructor(options: SysTopicsOptions) {
    this.#options = options
  }

  start(): void {
    const { intervalMs } = this.#options
    if (intervalMs > 0) this.#timer = setInterval(() => this.#onInterval(), intervalMs)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#subscribers.clear()
  }

  /** A client has subscribed. `answer`: it wants the values at once, as retained messages. */
  subscribed(
    connection: SessionConnection,
    subscription: SubscriptionRow,
    { answer }: { answer: boolean }
  ): void {
    if (this.#options.intervalMs === 0) return
    if (this.#readAt < this.#tick) this.#read()
    let subscriber = this.#subscribers.get(connection)
    if (subscriber === undefined) {
      subscriber = { subscriptions: new Map(), byTopic: new Map(), unanswered: new Set(), seen: this.#tick }
      this.#subscribers.set(connection, subscriber)
    }
    this.#drop(subscriber, subscription.filter) // what it had under this filter is replaced [MQTT-3.8.4-3]
    subscriber.subscriptions.set(subscription.filter, subscription)
    for (const { topic } of this.#topics.match(subscription.filter)) {
      const others = subscriber.byTopic.get(topic)
      if (others === undefined) subscriber.byTopic.set(topic, [subscription])
      else others.push(subscription)
    }
    if (!answer) return
    subscriber.unanswered.add(subscription)
    this.#send(connection, subscriber)
  }

  /** A client goes on with its session, and with the subscriptions that the access rules still allow. */
  resumed(connection: Resuming, authorizer: Pick<Authorizer, 'maySubscribe'>): void {
    const { state, session, identity } = connection
    if (state !== 'open' || session === null || identity === null) return
    for (const subscription of session.subscriptions.values()) {
      if (isSysFilter(subscription.filter) && authorizer.maySubscribe(identity, subscription.filter))
        this.subscribed(connection, subscription, { answer: false })
    }
  }

  unsubscribed(connection: SessionConnection, filter: string): void {
    const subscriber = this.#subscribers.get(connection)
    if (subscriber === undefined) return
    this.#drop(subscriber, filter)
    if (subscriber.subscriptions.size === 0) this.#subscribers.delete(connection)
  }

  /** The connection is gone. */
  closed(connection: SessionConnection): void {
    this.#subscribers.delete(connection)
  }

  #drop({ subscriptions, byTopic, unanswered }: Subscriber, filter: string): void {
    const subscription = subscriptions.get(filter)
    if (subscription === undefined) return
    subscriptions.delete(filter)
    unanswered.delete(subscription)
    for (const { topic } of this.#topics.match(filter)) {
      const left = (byTopic.get(topic) ?? []).filter(other => other !== subscription)
      if (left.length > 0) byTopic.set(topic, left)
      else byTopic.delete(topic)
    }
  }

  #onInterval(): void {
    this.#tick++
    this.#options.values.advance()
    if (this.#subscribers.size === 0) return
    this.#read()
    this.#sendSlice(this.#subscribers.entries())
  }

  #sendSlice(rest: MapIterator<[SessionConnection, Subscriber]>): void {
    for (let sent = 0; sent < SLICE; sent++) {
      const { value, done } = rest.next()
      if (done === true) return
      this.#send(...value)
    }
    setImmediate(() => this.#sendSlice(rest))
  }

  // Everything that a subscriber has not been sent yet, if its socket has room. If not, nothing is kept for it: the
  // next time it is sent what the values are then.
  #send(connection: SessionConnection, subscriber: Subscriber): void {
    const { unanswered, byTopic, seen } = subscriber
    for (const subscription of unanswered) {
      if (!this.#hasRoom(connection)) return
      unanswered.delete(subscription)
      const identifiers = subscription.identifier === null ? undefined : [subscription.identifier]
      const view: View = { qos: 0, retainAsPublished: true, identifiers }
      for (const { topic } of this.#topics.match(subscription.filter)) {
        const value = this.#values.get(topic)
        const bytes = value === undefined ? null : this.#encode(connection, value.retained, view)
        if (bytes !== null) connection.outbox.push(bytes)
      }
    }
    if (seen === this.#tick || !this.#hasRoom(connection)) return
    subscriber.seen = this.#tick
    for (const [topic, subscriptions] of byTopic) {
      const value = this.#values.get(topic)
      const view = viewOf(subscriptions, false)
      if (value === undefined || value.since <= seen || view === null) continue
      const bytes = this.#encode(connection, value.live, view)
      if (bytes !== null) connection.outbox.pushMessage(bytes)
    }
  }

  #hasRoom({ outbox }: SessionConnection): boolean {
    return outbox.unsentBytes <= this.#options.unsentBytesMax
  }

  // Null where the client takes no packet of that size [MQTT-3.1.2-24].
  #encode({ version, packetBytesMax }: SessionConnection, message: Message, view: View): Buffer | null {
    const { traffic, now } = this.#options
    const { bytes, payloadBytes } = message.encode(view, 0, version, now())
    if (bytes.length > packetBytesMax) return null
    traffic.publishSent++
    traffic.publishBytesSent += payloadBytes
    return bytes
  }

  #read(): void {
    this.#readAt = this.#tick
    const at = this.#options.now()
    for (const [topic, text] of this.#options.values.read()) {
      const known = this.#values.get(topic)
      if (known?.text === text) continue
      const event = eventOf(topic, text, at)
      if (known === undefined) this.#topics.apply(event)
      const retained = new Message(event, { retained: true })
      this.#values.set(topic, { text, since: this.#tick, live: new Message(event), retained })
    }
  }
}

// The form in which messages are encoded. It has no place in the log.
function eventOf(topic: string, text: string, at: number): EventNotification {
  return {
    kind: 'event',
    seq: 0,
    at,
    device: '',
    severity: 'info',
    topic,
    payload: Buffer.from(text),
    format: 'plain',
    source: 'mqtt',
    mqtt: { qos: 0, retain: true, session: '' }
  }
}
