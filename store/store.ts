// The contract between the store and the rooms that use it. Every engine passes tests/contract/ against these types.
import type { Draft, Notification, Severity, Kind, MqttDetails } from './notification.ts'
import type { StoreError } from './errors.ts'

/** What a feed, a history query or a follower wants to see. All conditions that are given must hold. */
export interface Filter {
  /** MQTT topic filters, any of which must match; a notification without a topic matches none. */
  topics?: readonly string[]
  kinds?: readonly Kind[]
  devices?: readonly string[]
  severityMin?: Severity
}

/** Committed notifications in log order, with no hole between them. `items[0].seq === first`. */
export interface Batch {
  first: number
  last: number
  items: readonly Notification[]
}

export interface LogBounds {
  /** Identifies this log; a log that is created anew has another. */
  epoch: string
  /** Lowest sequence still kept. */
  first: number
  /** Highest committed sequence; `first - 1` when the log is empty. */
  last: number
}

/** Sequences `from`…`to`, both included, which are gone: retention has removed them, or their block is damaged. */
export interface Gap {
  from: number
  to: number
}

export interface ReadOptions {
  /** Most items to return. */
  limit: number
  /** Most bytes of payload to return, roughly; at least one item is returned if there is one. */
  bytesMax?: number
  filter?: Filter
}

export interface ReadResult {
  items: Notification[]
  /** Where to read on: everything up to here was returned, filtered out, or lies in the gap. */
  next: number
  /** Whether there is more after `next` now. */
  more: boolean
  /** What is gone between `after` and the first entry that was looked at. */
  gap: Gap | null
}

/** What a read towards the beginning found, newest first. */
export interface ReadBackResult {
  items: Notification[]
  /** Where to read on: everything from here up to `before`, without it, was returned, filtered out, or lies in the gap. */
  next: number
  /** Whether there is more before `next` that is still kept. */
  more: boolean
  /** What is gone, to damage, between `before` and the first (newest) entry that was looked at. */
  gap: Gap | null
}

export interface Follower {
  stop(): void
}

/** Whether commits succeed. After a failed commit the log keeps what waits, in order, and tries again by itself. */
export type LogHealth = { writable: true } | { writable: false; code: string; reason: string; since: number }

export interface AppendOptions {
  /** Written in the transaction of the block that holds the draft. */
  changes?: readonly Change[]
  /**
   * Fail with `store-unavailable` when the log is or becomes unwritable, in place of waiting for it to recover
   * (for callers, like HTTP, who can be told so).
   */
  failFast?: boolean
  /** The draft's place in a device's stream of its own numbering; read back by `streamPosition`. */
  stream?: { name: string; seq: number }
}

/** Notifications and table changes that are committed together or not at all, and so are visible together. */
export interface LogTransaction {
  drafts: readonly Draft[]
  changes: readonly Change[]
}

/** Called once: `null` when what was given is committed and fsynced. Calls come in the order of the appends. */
export type OnDurable = (error: StoreError | null) => void

/** The durable, totally ordered sequence of all notifications. */
export interface Log {
  bounds(): LogBounds
  health(): LogHealth
  /** Bytes that wait for commit. Callers pause their sources while this is above the limit that was configured. */
  waitingBytes(): number
  /** Whether `waitingBytes` is above its limit. */
  full(): boolean
  /** Calls back once, at once or as soon as `full()` is false. */
  whenRoom(callback: () => void): void
  /** Appends one draft. `at` is the time of this call. The draft is owned by the log from here on. */
  append(draft: Draft, onDurable: OnDurable | null, options?: AppendOptions): void
  /** Commits table changes alone, in order with the appends around it. */
  write(changes: readonly Change[], onDurable: OnDurable | null): void
  /**
   * Commits notifications and changes as one, in order with the appends around it. It waits for a log that is unwritable
   * to recover. A transaction is held in memory whole: callers keep it to some thousands of drafts and changes.
   */
  transact(transaction: LogTransaction, onDurable: OnDurable | null): void
  /**
   * Reads the notifications after sequence `after` that pass the filter. Never on the event loop's time; recent ones
   * come from memory.
   */
  read(after: number, options: ReadOptions): Promise<ReadResult>
  /**
   * Reads the notifications before sequence `before` that pass the filter, from the newest to the oldest that is kept.
   * Beyond the end, `before` means the end.
   */
  readBack(before: number, options: ReadOptions): Promise<ReadBackResult>
  /** The highest sequence whose notification came before `at`, ms since 1970; `first - 1` if none is kept. */
  seqBefore(at: number): Promise<number>
  /** The single notification with this sequence, or null when it is not (or no longer) there. */
  get(seq: number): Promise<Notification | null>
  /**
   * The notifications with these sequences that are (still) there, in rising order, some at a time: `onItems` is called
   * for each page, of at most a few megabytes. Many sequences of one block cost little more than one.
   */
  getMany(seqs: readonly number[], onItems: (items: Notification[]) => void): Promise<void>
  /**
   * Everything after `after` in order, past first, then live, without hole or repeat; `onGap` where retention was
   * faster. Live batches are handed over in the turn of the event loop in which their commit returned, before the
   * appenders' callbacks. A promise that `onBatch` returns is awaited before the next batch of the past.
   */
  follow(after: number, onBatch: (batch: Batch) => void | Promise<void>, onGap?: (gap: Gap) => void): Follower
  /** Highest committed sequence of a device's stream, 0 if none. */
  streamPosition(device: string, stream: string): number
  /** How many streams the device has. */
  streamCount(device: string): number
}

/** A registered device. Devices that are merely seen have no row here. */
export interface DeviceRow {
  id: string
  /** SHA-256 of the token. */
  tokenHash: Uint8Array
  /** ms since 1970 */
  createdAt: number
}

export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** An operator's token. */
export interface TokenRow {
  /** Short random name by which it is listed and revoked. */
  id: string
  /** SHA-256 of the token. */
  hash: Uint8Array
  role: Role
  /** What it is for, in its maker's words. */
  name: string
  createdAt: number
}

/** Last known presence of a device. */
export interface PresenceRow {
  device: string
  status: 'online' | 'offline'
  session: string
  order: number
  reason: string
  /** When the status began, ms since 1970. */
  since: number
}

/** Last activity of a device, as far as the checkpoint that was saved with it. */
export interface ActivityRow {
  device: string
  firstSeenAt: number
  lastSeenAt: number
  events: number
  /** Sequence of the last event; 0 when there was none, or none since this is known. */
  lastSeq: number
}

export interface SubscriptionRow {
  filter: string
  qos: 0 | 1 | 2
  noLocal: boolean
  retainAsPublished: boolean
  retainHandling: 0 | 1 | 2
  /** MQTT 5 Subscription Identifier, or null. */
  identifier: number | null
  /** Sequence at which it was made: it matches later notifications only. */
  since: number
}

/** A QoS 1 or 2 message that was sent to a session and not finished. */
export interface InflightRow {
  packetId: number
  /** Sequence of the notification in the log. */
  seq: number
  qos: 1 | 2
  /** `released`: PUBREC came, PUBREL is due. */
  state: 'published' | 'released'
  retain: boolean
  /** MessagePack of the message itself where the log need not have it (retained messages); else null. */
  message: Uint8Array | null
  identifiers: readonly number[]
  /** Key of the share it came from, or null. */
  share: string | null
}

/** A shared subscription that outlives connections: what none of its members holds is due to any of them. */
export interface ShareRow {
  /** Its whole topic filter: `$share/NAME/FILTER`. */
  key: string
  /** Everything up to this sequence was handed to members, is due, or did not match. */
  cursor: number
  /** Sequences up to the cursor that are to be sent (again). */
  due: readonly number[]
  /** Sequences after the cursor that are not to be sent again: a member has them, or had. */
  taken: readonly number[]
}

/** A message in flight to a member of a share. */
export interface SharedInflight {
  session: string
  share: string
  packetId: number
  seq: number
  qos: 1 | 2
}

/** A durable MQTT session. */
export interface SessionRow {
  /** Session key: unique per device and client id. */
  key: string
  device: string
  clientId: string
  /** Everything up to this sequence was sent (and is acknowledged or in flight) or did not match. */
  cursor: number
  /** When it ends, ms since 1970; null while it is connected or if never. */
  expiresAt: number | null
  /** Session Expiry Interval in seconds; 0xFFFFFFFF: never. */
  expiryIntervalS: number
}

export interface SessionState extends SessionRow {
  subscriptions: SubscriptionRow[]
  inflight: InflightRow[]
  /** Packet ids of QoS 2 messages received and not yet released. */
  received: number[]
}

export interface WillRow {
  session: string
  device: string
  topic: string
  payload: Uint8Array
  mqtt: MqttDetails
  /** Will Delay Interval in seconds. */
  delayS: number
  /** Message Expiry Interval in seconds, from its publication on; null: never. */
  expiryS: number | null
  /** When it falls due, ms since 1970; null while its connection lives. */
  dueAt: number | null
}

/**
 * A retained message: the last event with RETAIN on its topic, or the last notification of an open alert, whose payload
 * lacks its cursor (see alert-message.ts).
 */
export interface RetainedRow {
  topic: string
  seq: number
  at: number
  device: string
  payload: Uint8Array
  mqtt: MqttDetails
}

/** Something that a part of the gateway keeps over restarts, by a name within a scope. */
export interface StateRow {
  scope: string
  key: string
  value: Uint8Array
}

/** An alert: what queries look at, and the whole of it as its owner wrote it. */
export interface AlertRow {
  /** As the notifications name it. */
  id: string
  /** Counts the alerts of this log from 1. */
  number: number
  rule: string
  key: string
  device: string
  state: 'firing' | 'acknowledged' | 'resolved'
  severity: Severity
  /** ms since 1970 */
  firstAt: number
  /** ms since 1970 of the last change of state or severity. */
  changedAt: number
  body: Uint8Array
}

/** Which alerts to read, newest first. All conditions that are given must hold. */
export interface AlertQuery {
  states?: readonly AlertRow['state'][]
  severityMin?: Severity
  rules?: readonly string[]
  devices?: readonly string[]
  keys?: readonly string[]
  /** Alerts with lower numbers only. */
  before?: number
  limit: number
}

/**
 * One change of a table, written with the next commit. To set a retained message needs none: an appended event whose
 * `mqtt.retain` is set replaces its topic's row (an empty payload removes it) in its block's transaction, and so does an
 * alert's notification with its alert's row. One that has expired is deleted by its sequence, so that one that has
 * replaced it meanwhile stays. Nor does it take a change to enter an alert's or a delivery's notification in the list of
 * its alerts' notifications.
 */
export type Change =
  | { put: 'presence'; row: PresenceRow }
  | { put: 'activity'; row: ActivityRow }
  | { put: 'session'; row: SessionRow }
  | { delete: 'session'; key: string }
  | { put: 'subscription'; session: string; row: SubscriptionRow }
  | { delete: 'subscription'; session: string; filter: string }
  | { put: 'inflight'; session: string; row: InflightRow }
  | { delete: 'inflight'; session: string; packetId: number }
  | { put: 'share'; row: ShareRow }
  | { delete: 'share'; key: string }
  | { put: 'received'; session: string; packetId: number }
  | { delete: 'received'; session: string; packetId: number }
  | { put: 'will'; row: WillRow }
  | { delete: 'will'; session: string }
  | { delete: 'retained'; topic: string; seq: number }
  | { put: 'checkpoint'; name: string; seq: number }
  | { put: 'state'; row: StateRow }
  | { delete: 'state'; scope: string; key: string }
  | { put: 'alert'; row: AlertRow }
  /** With the list of its notifications; these stay in the log. */
  | { delete: 'alert'; id: string }

/** Reads of the tables. They see everything that was durable when they were called. */
export interface Tables {
  presence(): Promise<PresenceRow[]>
  activity(): Promise<ActivityRow[]>
  checkpoint(name: string): Promise<number | null>
  session(key: string): Promise<SessionState | null>
  /** For every session, its key, cursor and expiry. */
  sessions(): Promise<SessionRow[]>
  shares(): Promise<ShareRow[]>
  /** Subscriptions of all sessions to filters that begin with `$share/`. */
  sharedSubscriptions(): Promise<{ session: string; row: SubscriptionRow }[]>
  /** Messages in flight, of all sessions, that came from a share. */
  sharedInflight(): Promise<SharedInflight[]>
  wills(): Promise<WillRow[]>
  /** All retained messages, a page at a time. */
  retained(onPage: (rows: RetainedRow[]) => void): Promise<void>
  /** All of a scope, by key, a page at a time. */
  state(scope: string, onPage: (rows: StateRow[]) => void): Promise<void>
  /** Alerts that are not resolved, by number, a page at a time. */
  openAlerts(onPage: (rows: AlertRow[]) => void): Promise<void>
  alert(id: string): Promise<AlertRow | null>
  alerts(query: AlertQuery): Promise<AlertRow[]>
  /** Sequences of an alert's own notifications and of its deliveries, the newest `limit` of them, in rising order. */
  alertEntries(id: string, limit: number): Promise<number[]>
  /** The highest number of an alert, 0 if there is none. */
  lastAlert(): Promise<number>
  /** Ids of some alerts that were resolved before this time, ms since 1970. */
  alertsResolvedBefore(at: number, limit: number): Promise<string[]>
}

/**
 * A small table that is held in memory whole, so that looking something up costs a map access; changes are durable
 * when their promise resolves and are told to listeners then.
 */
export interface Registry<Row> {
  get(id: string): Row | undefined
  list(): Row[]
  put(row: Row): Promise<void>
  /** False when there was none. */
  remove(id: string): Promise<boolean>
  onChange(listener: (id: string, row: Row | undefined) => void): void
}

export interface Store {
  readonly log: Log
  readonly tables: Tables
  readonly devices: Registry<DeviceRow>
  readonly tokens: Registry<TokenRow>
  /** Commits what waits, then closes. What cannot be committed fails. */
  close(): Promise<void>
}

/** What every engine needs to know, beside where its data is. */
export interface StoreOptions {
  /** Bytes that may wait for commit before `full()`. */
  waitingBytesMax: number
  /** Least time, to half a millisecond, between the starts of two commits while several entries arrive at a time, ms; 0: none. */
  commitIntervalMs: number
  /** Bytes of committed notifications kept in memory for followers that are a little behind. */
  recentBytesMax: number
  /** Age beyond which notifications are removed, ms; 0: never. */
  retentionAgeMs: number
  /** Bytes of blocks beyond which the oldest are removed; 0: no limit. */
  retentionBytesMax: number
  /** How often retention and merging run, ms. */
  maintenanceMs: number
  now: () => number
}
