// What the server says, as far as the page looks at it: docs/protocol/feed.md describes it. Types only.

/** In rising order. */
export const severities = ['info', 'warning', 'minor', 'major', 'critical'] as const
export type Severity = (typeof severities)[number]

export const kinds = ['event', 'presence', 'alert', 'delivery'] as const
export type Kind = (typeof kinds)[number]

export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

interface Common {
  /** Its place in the log. */
  cursor: string
  /** ms since 1970 UTC */
  at: number
  device: string
  severity: Severity
}

export interface EventNotification extends Common {
  kind: 'event'
  topic: string
  payload: unknown
  encoding?: 'base64'
  /** The device's own time, ms since 1970. */
  deviceAt?: number
  source: string
}

export interface PresenceNotification extends Common {
  kind: 'presence'
  status: 'online' | 'offline'
  reason: string
  session: string
  order: number
}

export interface AlertNotification extends Common {
  kind: 'alert'
  alert: string
  rule: string
  key: string
  state: AlertState
  change: 'raised' | 'repeated' | 'severity' | 'flapping' | 'acknowledged' | 'resolved'
  title: string
  detail: string
  count: number
  firstAt: number
  /** Cursor of what caused it; empty: nothing did. */
  cause: string
  eventTopic?: string
  labels?: Record<string, string>
  runbook?: string
  actor?: string
  comment?: string
}

export interface DeliveryNotification extends Common {
  kind: 'delivery'
  alert: string
  alerts?: string[]
  delivery: string
  channel: string
  attempt: number
  outcome: 'sent' | 'failed' | 'gave-up' | 'suppressed'
  detail: string
  cause: string
}

export type Notification = EventNotification | PresenceNotification | AlertNotification | DeliveryNotification

export interface NotificationPage {
  items: Notification[]
  cursor: string
  more: boolean
  gap?: { from: string; to: string }
}

export type AlertState = 'firing' | 'acknowledged' | 'resolved'

/** Times are RFC 3339. */
export interface Action {
  at: string
  actor: string
  comment: string
}

export interface Alert {
  id: string
  origin: string
  rule: string
  key: string
  device: string
  eventTopic: string
  labels: Record<string, string>
  state: AlertState
  severity: Severity
  title: string
  detail: string
  runbook: string
  count: number
  firstAt: string
  lastAt: string
  changedAt: string
  acknowledged: Action | null
  resolved: Action | null
  flapping: boolean
}

export interface AlertPage {
  items: Alert[]
  next: string | null
}

export interface AlertStory {
  alert: Alert
  cause: Notification | null
  causeGone: boolean
  entries: Notification[]
  gone: number
  truncated: boolean
}

export interface Device {
  id: string
  registered: boolean
  createdAt: string | null
  presence: { status: 'online' | 'offline'; since: string; reason: string } | null
  firstSeenAt: string | null
  lastSeenAt: string | null
  events: number
  eventsPerMinute: number
  last: LastEvent | null
}

/** The last event of a device; a large payload is left out. */
export interface LastEvent {
  cursor: string
  at: number
  topic: string
  payload?: unknown
  encoding?: 'base64'
  truncated?: true
}

export interface DevicePage {
  items: Device[]
  cursor: string | null
}

export interface Match {
  severityMin?: Severity
  rules?: string[]
  devices?: string[]
  topics?: string[]
  keys?: string[]
  labels?: Record<string, string>
}

export interface Silence {
  id: string
  state: 'pending' | 'active' | 'ended'
  match: Match
  from: string
  until: string
  comment: string
  author: string
  createdAt: string
  ended: { at: string; actor: string } | null
}

export type RuleType = 'threshold' | 'count' | 'rate' | 'absent' | 'offline' | 'alarm'

/** What the rule's type has of it: see docs/rules.md. */
export interface RuleCondition {
  when?: string
  clear?: string
  /** An expression: the value of a rate or an alarm. */
  of?: string
  forMs?: number
  count?: number
  withinMs?: number
  perMs?: number
  absentMs?: number
  offlineMs?: number
  severities?: Record<string, Severity | 'clear'>
  otherwise?: Severity | 'clear' | 'ignore'
}

export interface Handler {
  module: string
  /** Topic filter of the events it is called for. */
  pattern: string
  events: number
  errors: number
  lastError: string | null
  /** Times it held up the event loop, and the longest, ms. */
  slow: number
  longestMs: number
}

export interface Rule {
  name: string
  type: RuleType
  severity: Severity
  topics: string[]
  devices: string[]
  /** The condition in the words of the alerting file. */
  condition: RuleCondition
  /** An expression, as are the parts in braces of title, detail and labels. */
  key: string
  title: string
  detail: string
  labels: Record<string, string>
  runbook: string
  flapping: { count: number; withinMs: number } | null
  line: number
  keys: number
  evaluations: number
  errors: number
  lastError: string | null
  raised: number
  open: number
}

export interface Firing {
  at: string
  clearedAt: string | null
  key: string
  device: string
  severity: Severity
  title: string
  count: number
  cause: string
}

export interface DryRun {
  from: string
  to: string
  looked: number
  complete: boolean
  fired: number
  firings: Firing[]
  errors: number
  lastError: string | null
}

export interface Channel {
  name: string
  type: 'webhook' | 'email' | 'mqtt'
  target: string
  waiting: number
  circuit: 'closed' | 'open' | 'half-open'
  lastAttempt: { at: string; outcome: 'sent' | 'failed' | 'gave-up'; detail: string } | null
  failed: { id: string; failedAt: string; alerts: string[] }[]
}

export interface QuietHours {
  timeZone: string
  /** Minutes of the day, up to and not with `to`; one that ends before it begins goes over midnight. Empty: the whole day. */
  times: { from: number; to: number }[]
  /** 0 is Sunday; empty: every day. */
  days: number[]
  /** Alerts from this severity are told all the same. */
  except: Severity | null
}

export interface Route {
  name: string
  match: Match
  channels: string[]
  group: string[]
  groupWaitMs: number
  groupIntervalMs: number
  repeatIntervalMs: number
  escalate: { afterMs: number; channels: string[] }[]
  quiet: QuietHours[]
  sendResolved: boolean
  continue: boolean
}

export interface Session {
  name: string
  role: Role
  expiresAt: string | null
  version: string
}

/** Names of the columns of the overview's samples. */
export const sampleColumns = [
  'eventsPerSecond',
  'mqttConnections',
  'tcpConnections',
  'subscribers',
  'devicesOnline',
  'criticalAlerts',
  'majorAlerts',
  'otherAlerts',
  'storedP99Ms',
  'deliveryMedianMs',
  'deliveryP99Ms',
  'loopDelayP99Ms'
] as const
export type SampleColumn = (typeof sampleColumns)[number]

export interface Overview {
  at: string
  version: string
  writable: boolean
  /** Why nothing can be stored; empty while it can. */
  unwritableReason: string
  devices: { known: number }
  /** Notifications that rules have not judged yet. */
  behind: number
  intervalMs: number
  samples: { at: number[] } & Record<SampleColumn, (number | null)[]>
}
