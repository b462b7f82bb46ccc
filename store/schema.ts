// The tables as Kysely sees them; made by store/migrations/. Booleans are 0 or 1, times ms since 1970.

interface LogStateTable {
  /** Always 1: the table has one row. */
  id: number
  epoch: string
  /** Sequence of the next entry; moved in the transaction of every block. */
  next_seq: number
  last_at: number
  /** `stream` has everything up to this sequence. */
  folded_seq: number
}

interface BlockTable {
  first_seq: number
  last_seq: number
  at_min: number
  at_max: number
  kinds: number
  severity: number
  body_bytes: number
  devices: Uint8Array
  streams: Uint8Array | null
  /** Last, so that a read of the columns before it does not touch its pages. */
  body: Uint8Array
}

interface StreamTable {
  device: string
  name: string
  seq: number
}

interface RetainedTable {
  topic: string
  seq: number
  at: number
  device: string
  payload: Uint8Array
  mqtt: Uint8Array
}

interface DeviceTable {
  id: string
  token_hash: Uint8Array
  created_at: number
}

interface TokenTable {
  id: string
  hash: Uint8Array
  role: string
  name: string
  created_at: number
}

interface PresenceTable {
  device: string
  status: string
  session: string
  order: number
  reason: string
  since: number
}

interface ActivityTable {
  device: string
  first_seen_at: number
  last_seen_at: number
  events: number
  last_seq: number
}

interface SessionTable {
  key: string
  device: string
  client_id: string
  cursor: number
  expires_at: number | null
  expiry_interval_s: number
}

interface SubscriptionTable {
  session: string
  filter: string
  qos: number
  no_local: number
  retain_as_published: number
  retain_handling: number
  identifier: number | null
  since: number
}

interface InflightTable {
  session: string
  packet_id: number
  seq: number
  qos: number
  state: string
  retain: number
  message: Uint8Array | null
  /** JSON array. */
  identifiers: string
  share: string | null
}

interface ShareTable {
  key: string
  cursor: number
  /** JSON array. */
  due: string
  /** JSON array. */
  taken: string
}

interface ReceivedTable {
  session: string
  packet_id: number
}

interface WillTable {
  session: string
  device: string
  topic: string
  payload: Uint8Array
  mqtt: Uint8Array
  delay_s: number
  expiry_s: number | null
  due_at: number | null
}

interface CheckpointTable {
  name: string
  seq: number
}

interface StateTable {
  scope: string
  key: string
  value: Uint8Array
}

interface AlertTable {
  id: string
  number: number
  rule: string
  key: string
  device: string
  state: string
  /** Index of the severity. */
  severity: number
  first_at: number
  changed_at: number
  body: Uint8Array
}

interface AlertEntryTable {
  alert: string
  seq: number
}

export interface Schema {
  log_state: LogStateTable
  block: BlockTable
  stream: StreamTable
  retained: RetainedTable
  device: DeviceTable
  token: TokenTable
  presence: PresenceTable
  activity: ActivityTable
  session: SessionTable
  subscription: SubscriptionTable
  inflight: InflightTable
  share: ShareTable
  received: ReceivedTable
  will: WillTable
  checkpoint: CheckpointTable
  state: StateTable
  alert: AlertTable
  alert_entry: AlertEntryTable
}
