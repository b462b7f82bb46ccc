// What the log holds: notifications, and the drafts that become them. Types and their closed vocabularies only.

/** Perceived severities of ITU-T X.733 in rising order, and `info` below them. The index is what is stored. */
export const severities = ['info', 'warning', 'minor', 'major', 'critical'] as const
export type Severity = (typeof severities)[number]

/** Kinds of notification. The index is what is stored, so the order never changes. */
export const kinds = ['event', 'presence', 'alert', 'delivery'] as const
export type Kind = (typeof kinds)[number]

/** How an event came in; `server`: it was published by the server itself. The index is what is stored. */
export const sources = ['mqtt', 'tcp', 'http', 'server'] as const
export type Source = (typeof sources)[number]

/** What MQTT subscribers need to know of an event that came over MQTT. Absent on events from elsewhere. */
export interface MqttDetails {
  /** QoS of the PUBLISH: 0, 1 or 2. */
  qos: 0 | 1 | 2
  /** RETAIN flag of the PUBLISH. */
  retain: boolean
  /** Session key of the publisher, for No Local. */
  session: string
  /** Time at which the message expires, ms since 1970; absent: never. */
  expiresAt?: number
  /** MQTT 5 properties that are passed on unaltered (as mqtt-packet names them); absent when there are none. */
  properties?: MqttProperties
}

/** MQTT 5 properties of a PUBLISH that a server passes on to subscribers [MQTT-3.3.2-4, -15, -16, -17, -18, -20]. */
export interface MqttProperties {
  payloadFormatIndicator?: boolean
  contentType?: string
  responseTopic?: string
  correlationData?: Uint8Array
  userProperties?: UserProperties
}

/** Names and values in the order in which they came, repeated names included. */
export type UserProperties = readonly (readonly [name: string, value: string])[]

interface Common {
  /** The device it is about: the authenticated identity. Empty only for what is about none or comes from the server. */
  device: string
  severity: Severity
}

export interface EventDraft extends Common {
  kind: 'event'
  topic: string
  /** The payload's bytes as they came. May share memory with a socket's buffer: copy what is kept for long. */
  payload: Uint8Array
  /** `msgpack`: the payload is one MessagePack value. `plain`: JSON if it parses, else text, else bytes. */
  format: 'plain' | 'msgpack'
  /** The device's own time, ms since 1970, where it gave one. */
  deviceAt?: number
  source: Source
  mqtt?: MqttDetails
}

export interface PresenceDraft extends Common {
  kind: 'presence'
  status: 'online' | 'offline'
  reason: string
  /** Id of the connection's session. */
  session: string
  /** Counts the device's sessions, from 1; a status with a lower order than the last one is stale. */
  order: number
}

/** What happened to an alert. `flapping`: it is held open because it clears and is raised again and again. */
export const alertChanges = [
  'raised',
  'repeated',
  'severity',
  'flapping',
  'acknowledged',
  'resolved'
] as const
export type AlertChange = (typeof alertChanges)[number]

export interface AlertDraft extends Common {
  kind: 'alert'
  alert: string
  rule: string
  key: string
  state: 'firing' | 'acknowledged' | 'resolved'
  /** What is new. `repeated`: its condition was met again. */
  change: AlertChange
  title: string
  detail: string
  /** How many times its condition was met. */
  count: number
  /** When it was raised, ms since 1970. */
  firstAt: number
  /** Cursor of the notification that caused this; empty: none did. */
  cause: string
  /** Topic of the event that raised it; absent: none did. */
  eventTopic?: string
  labels?: Readonly<Record<string, string>>
  runbook?: string
  /** Who did it; absent: its rule. */
  actor?: string
  comment?: string
}

export interface DeliveryDraft extends Common {
  kind: 'delivery'
  /** The first of the alerts that are told. */
  alert: string
  /** All of them, where there are several. */
  alerts?: readonly string[]
  /** Id of the intended delivery, the same for all its attempts. */
  delivery: string
  channel: string
  attempt: number
  outcome: 'sent' | 'failed' | 'gave-up' | 'suppressed'
  detail: string
  /** Cursor of the notification that caused it; empty: none did. */
  cause: string
}

/** A notification before it has a place in the log. */
export type Draft = EventDraft | PresenceDraft | AlertDraft | DeliveryDraft

interface Placed {
  /** Place in the log: 1, 2, 3, … without holes, in commit order. Outside the store it travels as a cursor. */
  seq: number
  /** Time of receipt by the server, ms since 1970 UTC. */
  at: number
}

export type EventNotification = EventDraft & Placed
export type PresenceNotification = PresenceDraft & Placed
export type AlertNotification = AlertDraft & Placed
export type DeliveryNotification = DeliveryDraft & Placed
/** One committed entry of the log. */
export type Notification = EventNotification | PresenceNotification | AlertNotification | DeliveryNotification
