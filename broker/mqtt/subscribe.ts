// SUBSCRIBE: authorize each filter, store for durable sessions, answer, then retained messages. A long list takes several
// turns of the event loop.
import { topicLevels } from '../../store/topic-filter.ts'
import type { Change, Log, SubscriptionRow } from '../../store/store.ts'
import type { Authorizer } from '../authorize.ts'
import type { SubscribePacket, SubscriptionRequest } from './client-packets.ts'
import type { Connection } from './connection.ts'
import type { Dispatcher, LiveSubscriber } from './dispatcher.ts'
import { reason } from './reason-codes.ts'
import type { ShareMember } from './share-member.ts'
import { innerFilter, isShared } from './shared-filter.ts'
import type { Session } from './session.ts'
import type { Shares } from './shares.ts'
import { inSlices } from './slices.ts'
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

/** A subscription that was granted. */
interface Made {
  subscription: Subscription<LiveSubscriber>
  /** Whether there was none with its filter. */
  isNew: boolean
}

/** Handles a SUBSCRIBE. Calls back when SUBACK is on its way or the connection has ended. */
export function handleSubscribe(
  context: SubscribeContext,
  connection: Connection,
  packet: SubscribePacket,
  done: () => void
): void {
  const { session } = connection
  if (session === null) return done()
  const grants = new Grants(context, connection, packet.properties?.subscriptionIdentifier)
  const grant = (requests: readonly SubscriptionRequest[]) => {
    if (connection.state === 'open') store(context.log, session, grants.grant(requests))
  }
  inSlices(packet.subscriptions, grant, () => {
    whenStored(context.log, connection, { wait: session.durable && grants.any }, () =>
      reply(context, connection, { grants, messageId: packet.messageId, done })
    )
  })
}

/** What comes of the requests of one SUBSCRIBE. */
class Grants {
  /** Reason codes, in the order of the requests. */
  readonly codes: number[] = []
  readonly made: Made[] = []
  readonly members: ShareMember[] = []
  readonly #context: SubscribeContext
  readonly #connection: Connection
  readonly #identifier: number | undefined

  constructor(context: SubscribeContext, connection: Connection, identifier: number | undefined) {
    this.#context = context
    this.#connection = connection
    this.#identifier = identifier
  }

  /** Whether anything was granted. */
  get any(): boolean {
    return this.made.length > 0 || this.members.length > 0
  }

  /** Judges some requests. Returns what to store. */
  grant(requests: readonly SubscriptionRequest[]): Change[] {
    const changes: Change[] = []
    for (const request of requests) {
      const refusal = this.#refusalOf(request)
      if (refusal === null) this.#subscribe(request, changes)
      this.codes.push(refusal ?? request.qos)
    }
    return changes
  }

  #refusalOf(request: SubscriptionRequest): number | null {
    // Each grant is stored; a list that names the same filters over and over must not fill memory with that.
    const overAndOver = this.made.length + this.members.length >= 2 * this.#context.subscriptionsMax
    const refusal = overAndOver ? reason.quotaExceeded : refusalOf(this.#context, this.#connection, request)
    return refusal !== null && this.#connection.version !== 5 ? FAILURE : refusal
  }

  #subscribe(request: SubscriptionRequest, changes: Change[]): void {
    const { session } = this.#connection
    if (session === null) return
    const { dispatcher, shares } = this.#context
    const previous = session.subscriptions.get(request.topic)
    const row = rowOf(request, {
      identifier: this.#identifier,
      since: previous?.since ?? dispatcher.position
    })
    changes.push({ put: 'subscription', session: session.key, row })
    if (isShared(request.topic)) {
      const joined = shares.subscribe(session, row)
      this.members.push(joined.member)
      for (const change of joined.changes) changes.push(change)
      return
    }
    const subscription = { ...row, owner: session }
    // Heard from now on, which may be before SUBACK. In one turn with the session's own list, so that whoever takes the
    // session over meanwhile finds both alike.
    if (previous !== undefined) dispatcher.unsubscribe(previous) // replaced [MQTT-3.8.4-3]
    session.subscriptions.set(request.topic, subscription)
    dispatcher.subscribe(subscription)
    this.made.push({ subscription, isNew: previous === undefined })
  }
}

interface Granted {
  grants: Grants
  messageId: number
  done: () => void
}

// What was granted is stored: SUBACK leaves, then retained messages.
function reply(
  context: SubscribeContext,
  connection: Connection,
  { grants, messageId, done }: Granted
): void {
  const { made, members, codes } = grants
  const { session } = connection
  if (session === null || connection.state !== 'open') return done()
  connection.send({ cmd: 'suback', messageId, granted: codes })
  for (const member of members) {
    if (session.memberships.get(member.key) === member) member.join(session)
  }
  inSlices(made, slice => answer(context, connection, slice), done)
}

function answer({ sys }: SubscribeContext, connection: Connection, made: readonly Made[]): void {
  const { session } = connection
  if (session === null || connection.state !== 'open') return
  for (const { subscription, isNew } of made) {
    const { retainHandling } = subscription
    // [MQTT-3.3.1-9, -10, -11]
    const wanted = retainHandling === 0 || (retainHandling === 1 && isNew)
    if (isSysFilter(subscription.filter)) sys.subscribed(connection, subscription, { answer: wanted })
    else if (wanted) session.deliverRetained(subscription)
  }
}

function store(log: Log, { durable }: Session, changes: Change[]): void {
  if (durable && changes.length > 0) log.write(changes, null)
}

/**
 * Goes on when all that was written before is durable, or at once if nothing was. A connection that can't have its
 * subscriptions stored is ended first.
 */
export function whenStored(
  log: Log,
  connection: Connection,
  { wait }: { wait: boolean },
  goOn: () => void
): void {
  if (!wait) return goOn()
  log.write([], error => {
    if (error !== null) connection.end(reason.serverBusy, 'server-unavailable')
    goOn()
  })
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
  if (filter === null || (shared && isSysFilter(filter))) return reason.notAuthorized // each would see some values
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
