// Hands committed events, and alerts as messages, to the subscribers that match, in log order. It never waits for a socket: a subscriber that
// can't take a message leaves live delivery by itself and reads on from the log.
import { alertMessage, isRetained } from '../../store/alert-message.ts'
import { TopicTrie } from '../../store/topic-trie.ts'
import type { AlertNotification, EventNotification } from '../../store/notification.ts'
import type { Batch, Follower, Log, LogBounds } from '../../store/store.ts'
import { Message, type View } from './message.ts'
import type { RetainedMessages } from './retained-messages.ts'
import { viewOf, type Subscription } from './subscription.ts'

/** A subscriber as the dispatcher sees it. */
export interface LiveSubscriber {
  readonly key: string
  /** Whether it takes live messages now. */
  readonly live: boolean
  /** Takes a message or leaves live delivery, just before it. */
  deliver(message: Message, view: View): void
}

/** What a topic's events mean for one subscriber. `subscriptions` where it must be worked out anew for each event. */
interface Target {
  subscriber: LiveSubscriber
  view: View
  subscriptions: Subscription<LiveSubscriber>[] | null
}

// Topics whose targets are remembered until a subscription changes. Beyond that many the memory starts anew.
const PLANS_MAX = 20_000
// Longer ones are rare, and would take gigabytes.
const PLANNED_TOPIC_MAX = 1000

/** Follows the log and delivers its events to subscriptions. */
export class Dispatcher {
  readonly #trie = new TopicTrie<Subscription<LiveSubscriber>>()
  readonly #retained: RetainedMessages
  readonly #epoch: string
  #plans = new Map<string, Target[]>()
  #position: number
  #follower: Follower | null = null
  /** Messages handed to subscribers, for metrics. */
  delivered = 0

  constructor({ bounds, retained }: { bounds: LogBounds; retained: RetainedMessages }) {
    this.#position = bounds.last
    this.#epoch = bounds.epoch
    this.#retained = retained
  }

  /** Everything up to this sequence has been dispatched. */
  get position(): number {
    return this.#position
  }

  /** Begins after `position`. */
  start(log: Log): void {
    this.#follower = log.follow(this.#position, batch => {
      this.#dispatch(batch)
    })
  }

  stop(): void {
    this.#follower?.stop()
  }

  subscribe(subscription: Subscription<LiveSubscriber>): void {
    this.#trie.add(subscription.filter, subscription)
    this.#plans.clear()
  }

  unsubscribe(subscription: Subscription<LiveSubscriber>): void {
    this.#trie.remove(subscription.filter, subscription)
    this.#plans.clear()
  }

  #dispatch(batch: Batch): void {
    for (const notification of batch.items) {
      if (notification.kind === 'event') this.#publish(notification)
      else if (notification.kind === 'alert') this.#publishAlert(notification)
      this.#position = notification.seq
    }
    this.#position = batch.last
  }

  #publish(event: EventNotification): void {
    if (event.mqtt?.retain === true) this.#retained.apply(event)
    this.#deliver(event)
  }

  #publishAlert(alert: AlertNotification): void {
    const message = alertMessage(this.#epoch, alert)
    if (message === null) return
    if (isRetained(alert)) this.#retained.apply(message)
    else this.#retained.remove(message.topic)
    this.#deliver(message)
  }

  #deliver(event: EventNotification): void {
    const targets = this.#targets(event)
    if (targets.length === 0) return
    const message = new Message(event)
    for (const { subscriber, view, subscriptions } of targets) {
      if (!subscriber.live) continue
      const seen =
        subscriptions === null ? view : viewOf(subscriptions, event.mqtt?.session === subscriber.key)
      if (seen === null) continue
      subscriber.deliver(message, seen)
      this.delivered++
    }
  }

  #targets(event: EventNotification): Target[] {
    const known = this.#plans.get(event.topic)
    if (known !== undefined) return known
    const bySubscriber = new Map<LiveSubscriber, Subscription<LiveSubscriber>[]>()
    for (const subscription of this.#trie.match(event.topic)) {
      const sofar = bySubscriber.get(subscription.owner)
      if (sofar === undefined) bySubscriber.set(subscription.owner, [subscription])
      else sofar.push(subscription)
    }
    const targets: Target[] = []
    for (const [subscriber, subscriptions] of bySubscriber) {
      const choosy = subscriptions.some(subscription => subscription.noLocal)
      const view = viewOf(subscriptions, false)
      if (view !== null) targets.push({ subscriber, view, subscriptions: choosy ? subscriptions : null })
    }
    if (event.topic.length > PLANNED_TOPIC_MAX) return targets
    if (this.#plans.size >= PLANS_MAX) this.#plans.clear()
    this.#plans.set(event.topic, targets)
    return targets
  }
}
