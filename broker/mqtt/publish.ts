// PUBLISH on its way in: aedes' `authorizePublish`, which runs before PUBACK and PUBREC are written, appends the event
// and lets aedes go on when it is durable. A QoS 2 packet id is appended once until its PUBREL.
import type { MqttDetails } from '../../store/notification.ts'
import type { Change, Log } from '../../store/store.ts'
import type { Ingest, IncomingEvent } from '../ingest.ts'
import type { IPublishPacket } from './aedes-internals.ts'
import type { Connection } from './connection.ts'
import { passedOn } from './publish-properties.ts'
import { reason } from './reason-codes.ts'
import type { RetainedMessages } from './retained-messages.ts'
import type { Session } from './session.ts'

export interface PublishContext {
  ingest: Ingest
  log: Log
  retained: RetainedMessages
  retainedMax: number
  retainedBytesMax: number
  receiveMax: number
  now: () => number
}

type Done = (error?: Error | null) => void

/** MQTT's content type of MessagePack payloads, in its registered and its older form. */
const MSGPACK = new Set(['application/msgpack', 'application/x-msgpack', 'application/vnd.msgpack'])

/** Appends a PUBLISH and calls back when aedes may acknowledge it, or with why not. */
export function handlePublish(
  context: PublishContext,
  connection: Connection,
  packet: IPublishPacket,
  done: Done
): void {
  const { identity, session } = connection
  if (identity === null || session === null) return done(new Error('not connected'))
  const packetId = packet.messageId ?? 0
  if (packet.qos === 2) {
    const durable = session.received.get(packetId)
    if (durable === true) return done() // a repetition [MQTT-4.3.3-10]
    if (durable === false) return context.log.write([], error => error === null && done()) // with the first one
    if (session.received.size >= context.receiveMax) {
      return connection.end(reason.receiveMaximumExceeded, 'protocol-error')
    }
  }
  const event = eventOf(context, connection, packet)
  if (event.mqtt?.retain === true && !hasRoomFor(context, event)) {
    return connection.end(reason.quotaExceeded, 'quota', 'there is no room for more retained messages')
  }
  if (packet.qos === 2) session.received.set(packetId, false)
  connection.publishBegun()
  const refusal = context.ingest.event(
    identity,
    event,
    error => {
      connection.publishFinished()
      if (error !== null) return connection.end(reason.serverUnavailable, 'server-unavailable')
      if (packet.qos === 2 && session.received.has(packetId)) session.received.set(packetId, true)
      if (packet.qos > 0 && connection.state === 'open') done()
    },
    packet.qos === 2 && session.durable ? { changes: [receivedChange(session, packetId)] } : undefined
  )
  if (refusal !== null) {
    connection.publishFinished()
    if (packet.qos === 2) session.received.delete(packetId)
    if (refusal.code === 'topic-invalid')
      return connection.end(reason.topicNameInvalid, 'protocol-error', refusal.message)
    return done(new Error(refusal.message)) // aedes: reason code 0x87, or the end of a 3.1.1 connection
  }
  if (packet.qos === 0) {
    if (context.ingest.full()) context.ingest.whenRoom(() => done())
    else done()
  }
}

/** PUBREL: forgets the packet id. Calls back when that is durable, so that the id may be used for another message. */
export function handleRelease(
  log: Log,
  session: Session,
  packetId: number,
  done: (known: boolean) => void
): void {
  if (!session.received.delete(packetId)) return done(false)
  if (!session.durable) return done(true)
  log.write([{ delete: 'received', session: session.key, packetId }], error => error === null && done(true))
}

function receivedChange(session: Session, packetId: number): Change {
  return { put: 'received', session: session.key, packetId }
}

function eventOf({ now }: PublishContext, connection: Connection, packet: IPublishPacket): IncomingEvent {
  const { topic, payload, qos, retain, properties } = packet
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  if (properties === undefined) {
    return { topic, payload: bytes, format: 'plain', source: 'mqtt', mqtt: connection.details(qos, retain) }
  }
  const mqtt: MqttDetails = { qos, retain, session: connection.key }
  const kept = passedOn(properties)
  if (kept !== undefined) mqtt.properties = kept
  if (properties.messageExpiryInterval !== undefined)
    mqtt.expiresAt = now() + properties.messageExpiryInterval * 1000
  const format = MSGPACK.has(properties.contentType ?? '') ? 'msgpack' : 'plain'
  return { topic, payload: bytes, format, source: 'mqtt', mqtt }
}

function hasRoomFor(
  { retained, retainedMax, retainedBytesMax }: PublishContext,
  { topic, payload }: IncomingEvent
): boolean {
  if (payload.length === 0) return true
  if (retained.count < retainedMax && retained.bytes + topic.length + payload.length <= retainedBytesMax)
    return true
  const previous = retained.get(topic)
  return previous !== null && previous.payload.length >= payload.length
}
