// UNSUBSCRIBE: end each subscription, store that for durable sessions, answer. A long list takes several turns of the event
// loop.
import type { Change } from '../../store/store.ts'
import type { UnsubscribePacket } from './client-packets.ts'
import type { Connection } from './connection.ts'
import { reason } from './reason-codes.ts'
import type { Session } from './session.ts'
import { inSlices } from './slices.ts'
import { whenStored, type SubscribeContext } from './subscribe.ts'
import { isSysFilter } from './sys-topics.ts'

/** Handles an UNSUBSCRIBE. Calls back when UNSUBACK is on its way or the connection has ended. */
export function handleUnsubscribe(
  context: SubscribeContext,
  connection: Connection,
  packet: UnsubscribePacket,
  done: () => void
): void {
  const { session } = connection
  if (session === null) return done()
  const granted: number[] = []
  let wait = false
  const remove = (filters: readonly string[]) => {
    if (connection.state !== 'open') return
    const changes: Change[] = []
    for (const filter of filters) granted.push(unsubscribe(context, connection, { session, filter, changes }))
    wait ||= changes.length > 0
    if (changes.length > 0) context.log.write(changes, null)
  }
  inSlices(packet.unsubscriptions, remove, () => {
    whenStored(context.log, connection, { wait }, () => {
      if (connection.state === 'open')
        connection.send({ cmd: 'unsuback', messageId: packet.messageId, granted } as never)
      done()
    })
  })
}

interface Unsubscribing {
  session: Session
  filter: string
  /** Takes what is to be stored. */
  changes: Change[]
}

// Returns the reason code.
function unsubscribe(
  { dispatcher, shares, sys }: SubscribeContext,
  connection: Connection,
  { session, filter, changes }: Unsubscribing
): number {
  const subscription = session.subscriptions.get(filter)
  const member = session.memberships.get(filter)
  if (subscription === undefined && member === undefined) return reason.noSubscriptionExisted
  if (session.durable) changes.push({ delete: 'subscription', session: session.key, filter })
  if (member !== undefined) for (const change of shares.unsubscribe(session, member)) changes.push(change)
  if (subscription !== undefined) {
    session.subscriptions.delete(filter)
    session.cancelRetained(filter)
    dispatcher.unsubscribe(subscription)
    if (isSysFilter(filter)) sys.unsubscribed(connection, filter)
  }
  return reason.success
}
