// One subscription of a session, and what several of them that match one message come to.
import { topicMatches } from '../../store/topic-filter.ts'
import type { EventNotification } from '../../store/notification.ts'
import type { SubscriptionRow } from '../../store/store.ts'
import type { Message, View } from './message.ts'

/** A subscription and whose it is. */
export interface Subscription<Owner> extends SubscriptionRow {
  owner: Owner
}

/**
 * How a subscriber sees a message that these of its subscriptions match, or null if none of them wants it. `own`: the
 * subscriber published it itself.
 */
export function viewOf(subscriptions: readonly SubscriptionRow[], own: boolean): View | null {
  let view: { qos: 0 | 1 | 2; retainAsPublished: boolean; identifiers: number[] | undefined } | null = null
  for (const subscription of subscriptions) {
    if (own && subscription.noLocal) continue // [MQTT-3.8.3-3]
    view ??= { qos: 0, retainAsPublished: false, identifiers: undefined }
    if (subscription.qos > view.qos) view.qos = subscription.qos // [MQTT-3.3.4-2]
    view.retainAsPublished ||= subscription.retainAsPublished
    if (subscription.identifier !== null) (view.identifiers ??= []).push(subscription.identifier)
  }
  return view
}

/** The QoS at which a message is sent: its own, at most that of the subscription [MQTT-3.8.4-8]. */
export function qosOf(message: Message, view: View): 0 | 1 | 2 {
  return Math.min(message.qos, view.qos) as 0 | 1 | 2
}

/** The subscriptions among these that match an event read from the log, and were there when it was committed. */
export function matching(
  subscriptions: Iterable<SubscriptionRow>,
  event: EventNotification
): SubscriptionRow[] {
  const found: SubscriptionRow[] = []
  for (const subscription of subscriptions) {
    if (event.seq > subscription.since && topicMatches(subscription.filter, event.topic))
      found.push(subscription)
  }
  return found
}
