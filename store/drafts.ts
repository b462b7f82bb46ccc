// Drafts on their way into the log: how many bytes they hold while they wait, and the notifications they become.
import type { Statement } from './engine.ts'
import { mqttBytes } from './notification-size.ts'
import type { Draft, EventDraft, EventNotification, Notification } from './notification.ts'

const OBJECT_BYTES = 200 // an object of this kind without its texts and bytes, about

/** Bytes a draft keeps in memory, about. */
export function draftBytes(draft: Draft): number {
  if (draft.kind === 'event')
    return OBJECT_BYTES + draft.payload.length + draft.topic.length + mqttBytes(draft.mqtt)
  let bytes = OBJECT_BYTES
  for (const value of Object.values(draft) as unknown[]) if (typeof value === 'string') bytes += value.length
  return bytes
}

/** Bytes statements keep in memory, about. */
export function statementBytes(statements: readonly Statement[]): number {
  let bytes = 0
  for (const { parameters } of statements) {
    bytes += 64
    for (const value of parameters)
      if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}

/**
 * The notification that a draft becomes; its sequence is set once it is committed. Its payload is moved into the
 * block's memory, where a copy is already, so that the socket's buffer it came in can be freed.
 */
export function placeDraft(
  draft: Draft,
  at: number,
  payload: { buffer: ArrayBufferLike; at: number }
): Notification {
  if (draft.kind === 'event') return placeEvent(draft, at, payload)
  return { seq: 0, at, ...draft }
}

function placeEvent(
  draft: EventDraft,
  at: number,
  memory: { buffer: ArrayBufferLike; at: number }
): EventNotification {
  const { device, severity, topic, format, source, deviceAt, mqtt } = draft
  const payload = Buffer.from(memory.buffer, memory.at, draft.payload.length)
  const event: EventNotification = {
    seq: 0,
    at,
    kind: 'event',
    device,
    severity,
    topic,
    payload,
    format,
    source
  }
  if (deviceAt !== undefined) event.deviceAt = deviceAt
  if (mqtt !== undefined) {
    event.mqtt = mqtt
    const correlation = mqtt.properties?.correlationData
    if (correlation && mqtt.properties)
      event.mqtt = {
        ...mqtt,
        properties: { ...mqtt.properties, correlationData: Buffer.copyBytesFrom(correlation) }
      }
  }
  return event
}
