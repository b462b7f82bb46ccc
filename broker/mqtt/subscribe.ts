// SUBSCRIBE and UNSUBSCRIBE: authorize each filter, store for durable sessions, answer, then retained messages.
import { topicLevels } from '../../store/topic-filter.ts'
import type { Change, Log } from '../../store/store.ts'
import type { Authorizer } from '../authorize.ts'
import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from './client-packets.ts'
import type { Connection } from './connection.ts'
import type { Dispatcher, LiveSubscriber } from './dispatcher.ts'
import { reason } from './reason-codes.ts'
import type { Subscription } from './subscription.ts'
import { isSysFilter, type SysTopics } from './sys-topics.ts'

export interface SubscribeContext {
  log: Log
  dispatcher: Dispatcher
  authorizer: Authorizer
  sys: SysTopics
  subscriptionsMax: number
  topicLevelsMax: number
}

/** SUBACK's failure in MQTT 3.1.1, which knows only one [MQTT-3.9.3-2]. */
const FAILURE = 0x80

/** Handles a SUBSCRIBE. Calls back when SUBACK is on its way or the connection has ended. */
export function handleSubscribe(
  context: SubscribeContext,
  connection: Connection,
  packet: SubscribePacket,
  done: () => void
): void {
  const { session, identity } = connection
  if (session === null || identity === null) return done()
  const identifier = packet.properties?.subscriptionIdentifier
  const made: {
    subscription: Subscription<LiveSubscriber>
    previous: Subscription<LiveSubscriber> | undefined
  }[] = []
  const changes: Change[] = []
  const granted = packet.subscriptions.map(request => {
    const refusal = refusalOf(context, connection, request)
    if (refusal !== null) return connection.version === 5 ? refusal : FAILURE
    const previous = session.subscriptions.get(request.topic) // replaced, and heard until then [MQTT-3.8.4-3]
    const since = previous?.since ?? context.dispatcher.position
    const subscription = subscriptionOf(request, { identifier, since, owner: session })
    session.subscriptions.set(request.topic, subscription)
    made.push({ subscription, previous })
    const { owner: _, ...row } = subscription
    changes.push({ put: 'subscription', session: session.key, row })
    return request.qos
  })

  const finish = () => {
    for (const { previous } of made) if (previous !== undefined) context.dispatcher.unsubscribe(previous)
    if (connection.state === 'open') {
      for (const { subscription } of made) {
        if (session.subscriptions.get(subscription.filter) === subscription)
          context.dispatcher.subscribe(subscription)
      }
      connection.send({ cmd: 'suback', messageId: packet.messageId, granted })
      for (const { subscription, previous } of made) {
        const { retainHandling } = subscription
        // [MQTT-3.3.1-9, -10, -11]
        const answer = retainHandling === 0 || (retainHandling === 1 && previous === undefined)
        if (isSysFilter(subscription.filter)) context.sys.subscribed(connection, subscription, { answer })
        else if (answer) session.deliverRetained(subscription)
      }
    }
    done()
  }
  if (session.durable && changes.length > 0) context.log.write(changes, whenDurable(connection, finish, done))
  else finish()
}

/** Handles an UNSUBSCRIBE. Calls back when UNSUBACK is on its way or the connection has ended. */
export function handleUnsubscribe(
  context: SubscribeContext,
  connection: Connection,
  packet: UnsubscribePacket,
  done: () => void
): void {
  const { session } = connection
  if (session === null) return done()
  const changes: Change[] = []
  const granted = packet.unsubscriptions.map(filter => {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined) return reason.noSubscriptionExisted
    session.subscriptions.delete(filter)
    context.dispatcher.unsubscribe(subscription)
    if (isSysFilter(filter)) context.sys.unsubscribed(connection, filter)
    changes.push({ delete: 'subscription', session: session.key, filter })
    return reason.success
  })
  const finish = () => {
    if (connection.state === 'open')
      connection.send({ cmd: 'unsuback', messageId: packet.messageId, granted } as never)
    done()
  }
  if (session.durable && changes.length > 0) context.log.write(changes, whenDurable(connection, finish, done))
  else finish()
}

function whenDurable(connection: Connection, finish: () => void, done: () => void) {
  return (error: Error | null) => {
    if (error === null) return finish()
    connection.end(reason.serverUnavailable, 'server-unavailable')
    done()
  }
}

function refusalOf(
  context: SubscribeContext,
  connection: Connection,
  { topic }: SubscriptionRequest
): number | null {
  const { session, identity } = connection
  if (session === null || identity === null) return reason.unspecifiedError
  if (/^\$share\/[^/]*\/\$SYS(\/|$)/.test(topic)) return reason.notAuthorized // each of a group would see some values
  if (topic.startsWith('$share/')) return reason.sharedSubscriptionsNotSupported
  if (topicLevels(topic) > context.topicLevelsMax) return reason.quotaExceeded
  if (session.subscriptions.size >= context.subscriptionsMax && !session.subscriptions.has(topic))
    return reason.quotaExceeded
  return context.authorizer.maySubscribe(identity, topic) ? null : reason.notAuthorized
}

function subscriptionOf(
  { topic, qos, nl, rap, rh }: SubscriptionRequest,
  { identifier, since, owner }: { identifier: number | undefined; since: number; owner: LiveSubscriber }
): Subscription<LiveSubscriber> {
  return {
    filter: topic,
    qos,
    noLocal: nl,
    retainAsPublished: rap,
    retainHandling: rh,
    identifier: identifier ?? null,
    since,
    owner
  }
}
