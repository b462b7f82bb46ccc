// An alert's notification as an MQTT message: its topic, its payload, and when it is the retained one of its topic. Pure.
import { formatCursor } from './cursor.ts'
import type {
  AlertDraft,
  AlertNotification,
  EventNotification,
  MqttDetails,
  Notification
} from './notification.ts'

/** First level of the topics of alerts. No wildcard leads there [MQTT-4.7.2-1]. */
const ALERTS = '$alerts'

// What would be levels or wildcards, and what clients need not take in a topic (MQTT 5.0 section 1.5.4).
const UNFIT = /[%/+#\p{Control}\p{Noncharacter_Code_Point}]/gu
const TOPIC_BYTES_MAX = 65_535

/** How the messages of alerts were published, as it were. RETAIN is for who passes it on: the last one has it too. */
const details: MqttDetails = Object.freeze({
  qos: 1,
  retain: true,
  session: '',
  properties: Object.freeze({ contentType: 'application/json' })
})

/** Whether a topic is one of alerts, or whether a topic filter matches such topics and no others. */
export function isAlertTopic(topic: string): boolean {
  return topic === ALERTS || topic.startsWith(`${ALERTS}/`)
}

/** The topic of an alert, `$alerts/RULE/KEY`; null if it would be longer than a topic can be. */
export function alertTopic({ rule, key }: Pick<AlertDraft, 'rule' | 'key'>): string | null {
  const topic = `${ALERTS}/${escaped(rule)}/${escaped(key)}`
  return Buffer.byteLength(topic) > TOPIC_BYTES_MAX ? null : topic
}

function escaped(level: string): string {
  return level.toWellFormed().replace(UNFIT, character => encodeURIComponent(character))
}

/** The fields that an alert's notification has beside those that all have, in the order in which it shows them. */
export function alertFields(draft: AlertDraft): object {
  const { alert, rule, key, state, change, title, detail, count, firstAt, cause } = draft
  const { eventTopic, labels, runbook, actor, comment } = draft
  const optional = Object.entries({ eventTopic, labels, runbook, actor, comment })
  const own = { alert, rule, key, state, change, title, detail, count, firstAt, cause }
  return Object.assign(own, Object.fromEntries(optional.filter(([, value]) => value !== undefined)))
}

/** The message as it is retained: without the cursor, which nobody knows before the commit. */
export function retainedAlert(
  draft: AlertDraft,
  at: number
): Pick<EventNotification, 'topic' | 'device' | 'payload' | 'mqtt'> | null {
  const topic = alertTopic(draft)
  if (topic === null) return null
  const { kind, device, severity } = draft
  const payload = Buffer.from(JSON.stringify({ at, kind, device, severity, ...alertFields(draft) }))
  return { topic, device, payload: isRetained(draft) ? payload : Buffer.alloc(0), mqtt: details }
}

/** A payload that was retained, with its cursor. */
export function withCursor(payload: Uint8Array, epoch: string, seq: number): Buffer {
  const head = Buffer.from(`{"cursor":"${formatCursor(epoch, seq)}",`)
  return Buffer.concat([head, payload.subarray(1)])
}

/** Whether an alert's message is retained, or ends its topic's retained one. */
export function isRetained({ state }: Pick<AlertDraft, 'state'>): boolean {
  return state !== 'resolved'
}

/** What MQTT subscribers get of a notification of the log `epoch`: an event as it is, an alert as a message; else null. */
export function mqttMessage(epoch: string, notification: Notification): EventNotification | null {
  if (notification.kind === 'event') return notification
  return notification.kind === 'alert' ? alertMessage(epoch, notification) : null
}

/** The message of an alert's notification, in the form of an event. It has no place in the log of its own. */
export function alertMessage(epoch: string, notification: AlertNotification): EventNotification | null {
  const topic = alertTopic(notification)
  if (topic === null) return null
  const { seq, at, device, severity, kind } = notification
  const head = { cursor: formatCursor(epoch, seq), at, kind, device, severity }
  const payload = Buffer.from(JSON.stringify({ ...head, ...alertFields(notification) }))
  return {
    kind: 'event',
    seq,
    at,
    device,
    severity,
    topic,
    payload,
    format: 'plain',
    source: 'server',
    mqtt: details
  }
}
