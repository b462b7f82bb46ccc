// PUBLISH on its way in. The event is appended, and acknowledged when it is durable; a QoS 2 packet id is appended once
// until its PUBREL. Acknowledgements go out in the order of the publishes [MQTT-4.6.0-2, -3], because the log calls back
// in the order of its appends.
import type { MqttDetails } from '../../store/notification.ts'
import type { AppendOptions, Log } from '../../store/store.ts'
import type { Ingest, IncomingEvent } from '../ingest.ts'
import type { PublishPacket } from './client-packets.ts'
import type { Connection } from './connection.ts'
import type { TrafficCounts } from './metrics.ts'
import { passedOn } from './publish-properties.ts'
import { reason } from './reason-codes.ts'
import { sizeOf, type Retainable, type RetainedMessages } from './retained-messages.ts'
import type { Session } from './session.ts'

export interface PublishContext {
  ingest: Ingest
  log: Log
  retained: RetainedMessages
  retainedMax: number
  retainedBytesMax: number
  receiveMax: number
  topicAliasMax: number
  traffic: Pick<TrafficCounts, 'publishReceived' | 'publishBytesReceived'>
  now: () => number
}

/** MQTT's content type of MessagePack payloads, in its registered and its older forms. */
const MSGPACK = new Set(['application/msgpack', 'application/x-msgpack', 'application/vnd.msgpack'])

/** Appends a PUBLISH and sees to its acknowledgement. */
export function handlePublish(context: PublishContext, connection: Connection, packet: PublishPacket): void {
  const { identity, session } = connection
  if (identity === null || session === null) return
  context.traffic.publishReceived++
  context.traffic.publishBytesReceived += packet.payload.length
  if (packet.properties !== undefined && !resolveProperties(context, connection, packet)) return
  const event = eventOf(context, connection, packet)
  if (packet.retain && !hasRoomToRetain(context, event)) {
    return refuse(context, connection, packet, {
      code: reason.quotaExceeded,
      message: 'no room for more retained messages'
    })
  }
  switch (packet.qos) {
    case 0:
      return append(context, connection, { event, packet, done: null })
    case 1: {
      const packetId = packet.messageId ?? 0
      return append(context, connection, { event, packet, done: () => connection.puback(packetId) })
    }
    case 2:
      return handleQos2(context, connection, session, { event, packet })
  }
}

/** PUBREL: forgets the packet id. Calls back when that is durable, so that the id may be used for another message. */
export function handleRelease(
  log: Log,
  session: Session,
  packetId: number,
  done: (known: boolean) => void
): void {
  const { received, releasing, key } = session
  const known = received.delete(packetId)
  if (known && !session.durable) return done(true)
  // A repetition is answered when the first one is: nothing overtakes in the log.
  if (!known && !releasing.has(packetId)) return done(false)
  if (known) releasing.set(packetId, true)
  log.write(known ? [{ delete: 'received', session: key, packetId }] : [], error => {
    releasing.delete(packetId)
    if (error === null) done(true)
  })
}

function handleQos2(
  context: PublishContext,
  connection: Connection,
  session: Session,
  { event, packet }: { event: IncomingEvent; packet: PublishPacket }
): void {
  const packetId = packet.messageId ?? 0
  const { received, key } = session
  // A repetition [MQTT-4.3.3-10] is acknowledged when the first one is: nothing overtakes in the log.
  if (received.has(packetId))
    return context.log.write([], error => error === null && connection.pubrec(packetId))
  // Before MQTT 5 a client can't be told of a limit; packet ids are the only one.
  if (connection.version === 5 && received.size >= context.receiveMax)
    return connection.end(reason.receiveMaximumExceeded, 'protocol-error')
  received.set(packetId, false)
  const options: AppendOptions | undefined = session.durable
    ? { changes: [{ put: 'received', session: key, packetId }] }
    : undefined
  const done = () => {
    if (received.has(packetId)) received.set(packetId, true)
    connection.pubrec(packetId)
  }
  append(context, connection, { event, packet, done, options })
}

interface Append {
  event: IncomingEvent
  packet: PublishPacket
  done: (() => void) | null
  options?: AppendOptions | undefined
}

function append(
  context: PublishContext,
  connection: Connection,
  { event, packet, done, options }: Append
): void {
  const { identity, session } = connection
  if (identity === null || session === null) return
  connection.publishBegun()
  const refusal = context.ingest.event(
    identity,
    event,
    error => {
      connection.publishFinished()
      if (error !== null) connection.end(reason.serverBusy, 'server-unavailable')
      else done?.()
    },
    options
  )
  if (refusal !== null) {
    connection.publishFinished()
    if (packet.qos === 2) session.received.delete(packet.messageId ?? 0)
    const code = refusal.code === 'topic-invalid' ? reason.topicNameInvalid : reason.notAuthorized
    refuse(context, connection, packet, { code, message: refusal.message })
  } else if (context.ingest.full()) {
    connection.waitForRoom()
  }
}

// An MQTT 5 client is told in the acknowledgement, if there is one; for 3.1.1 there is only the end of the connection
// [MQTT-3.3.5-2]. What is not well-formed ends it in any version [MQTT-4.13.1-1].
function refuse(
  { log }: PublishContext,
  connection: Connection,
  { qos, messageId }: PublishPacket,
  { code, message }: { code: number; message: string }
): void {
  if (connection.version !== 5 || code === reason.topicNameInvalid) {
    return connection.end(code as typeof reason.notAuthorized, 'refused-publish', message)
  }
  if (qos === 0) return
  const properties = connection.wantsProblems ? { reasonString: message } : undefined
  const cmd = qos === 1 ? 'puback' : 'pubrec'
  log.write([], () =>
    connection.sendIfOpen({
      cmd,
      messageId: messageId ?? 0,
      reasonCode: code,
      ...(properties && { properties })
    })
  )
}

// MQTT 5: puts the topic of an alias in its place. False when the connection has ended.
function resolveProperties(
  { topicAliasMax }: PublishContext,
  connection: Connection,
  packet: PublishPacket
): boolean {
  const { topicAlias } = packet.properties ?? {}
  if (topicAlias === undefined) return true
  const topic = packet.topic === '' ? connection.topicAliases.get(topicAlias) : packet.topic
  if (topicAlias > topicAliasMax || topic === undefined) {
    connection.end(
      reason.topicAliasInvalid,
      'protocol-error',
      `topic alias ${topicAlias} is not in use or out of range`
    )
    return false
  }
  connection.topicAliases.set(topicAlias, topic)
  packet.topic = topic
  return true
}

function eventOf({ now }: PublishContext, connection: Connection, packet: PublishPacket): IncomingEvent {
  const { topic, payload, qos, retain, properties } = packet
  if (properties === undefined) {
    return { topic, payload, format: 'plain', source: 'mqtt', mqtt: connection.details(qos, retain) }
  }
  const mqtt: MqttDetails = { qos, retain, session: connection.key }
  const kept = passedOn(properties)
  if (kept !== undefined) mqtt.properties = kept
  if (properties.messageExpiryInterval !== undefined)
    mqtt.expiresAt = now() + properties.messageExpiryInterval * 1000
  const format = MSGPACK.has(properties.contentType ?? '') ? 'msgpack' : 'plain'
  return { topic, payload, format, source: 'mqtt', mqtt }
}

/** Whether the message may be retained, in place of its topic's earlier one. */
export function hasRoomToRetain(
  {
    retained,
    retainedMax,
    retainedBytesMax
  }: Pick<PublishContext, 'retained' | 'retainedMax' | 'retainedBytesMax'>,
  event: Retainable
): boolean {
  if (event.payload.length === 0) return true
  const bytes = sizeOf(event)
  if (retained.count < retainedMax && retained.bytes + bytes <= retainedBytesMax) return true
  const previous = retained.get(event.topic)
  return previous !== null && sizeOf(previous) >= bytes
}
