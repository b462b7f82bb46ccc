// SUBSCRIBE and UNSUBSCRIBE: authorize each filter, store for durable sessions, answer, then retained messages.
import { topicLevels } from '../../store/topic-filter.ts'
import type { Change, Log, SubscriptionRow } from '../../store/store.ts'
import type { Authorizer } from '../authorize.ts'
import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from './client-packets.ts'
import type { Connection } from './connection.ts'
import type { Dispatcher, LiveSubscriber } from './dispatcher.ts'
import { reason } from './reason-codes.ts'
import type { ShareMember } from './share-member.ts'
import { innerFilter, isShared } from './shared-filter.ts'
import type { Shares } from './shares.ts'
import type { Subscription } from './subscription.ts'
import { isSysFilter, type SysTopics } from './sys-topics.ts'

export interface SubscribeContext {
  log: Log
  dispatcher: Dispatcher
  shares: Shares
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
  const members: ShareMember[] = []
  const changes: Change[] = []
  const granted = packet.subscriptions.map(request => {
    const refusal = refusalOf(context, connection, request)
    if (refusal !== null) return connection.version === 5 ? refusal : FAILURE
    const previous = session.subscriptions.get(request.topic) // replaced, and heard until then [MQTT-3.8.4-3]
    const since = previous?.since ?? context.dispatcher.position
    const row = rowOf(request, { identifier, since })
    changes.push({ put: 'subscription', session: session.key, row })
    if (isShared(request.topic)) {
      const joined = context.shares.subscribe(session, row)
      members.push(joined.member)
      changes.push(...joined.changes)
    } else {
      const subscription = { ...row, owner: session }
      session.subscriptions.set(request.topic, subscription)
      made.push({ subscription, previous })
    }
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
      for (const member of members) {
        if (session.memberships.get(member.key) === member) member.join(session)
      }
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
    const member = session.memberships.get(filter)
    if (subscription === undefined && member === undefined) return reason.noSubscriptionExisted
    if (session.durable) changes.push({ delete: 'subscription', session: session.key, filter })
    if (member !== undefined) changes.push(...context.shares.unsubscribe(session, member))
    if (subscription !== undefined) {
      session.subscriptions.delete(filter)
      context.dispatcher.unsubscribe(subscription)
      if (isSysFilter(filter)) context.sys.unsubscribed(connection, filter)
    }
    return reason.success
  })
  const finish = () => {
    if (connection.state === 'open')
      connection.send({ cmd: 'unsuback', messageId: packet.messageId, granted } as never)
    done()
  }
  if (changes.length > 0) context.log.write(changes, whenDurable(connection, finish, done))
  else finish()
}

function whenDurable(connection: Connection, finish: () => void, done: () => void) {
  return (error: Error | null) => {
    if (error === null) return finish()
    connection.end(reason.serverBusy, 'server-unavailable')
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
  const shared = isShared(topic)
  const filter = shared ? innerFilter(topic) : topic
  if (filter === null || (shared && filter.startsWith('$'))) return reason.notAuthorized // of $SYS each would see some values
  if (topicLevels(filter) > context.topicLevelsMax) return reason.quotaExceeded
  const known = session.subscriptions.has(topic) || session.memberships.has(topic)
  if (!known && session.subscriptionCount >= context.subscriptionsMax) return reason.quotaExceeded
  return context.authorizer.maySubscribe(identity, filter) ? null : reason.notAuthorized
}

function rowOf(
  { topic, qos, nl, rap, rh }: SubscriptionRequest,
  { identifier, since }: { identifier: number | undefined; since: number }
): SubscriptionRow {
  return {
    filter: topic,
    qos,
    noLocal: nl,
    retainAsPublished: rap,
    retainHandling: rh,
    identifier: identifier ?? null,
    since
  }
}
