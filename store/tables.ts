// Reads of the tables. Those of MQTT sessions are in session-tables.ts, those of alerts in alert-tables.ts.
import { AlertTables } from './alert-tables.ts'
import type { Engine } from './engine.ts'
import { StoreError } from './errors.ts'
import { unpack } from './msgpack-reader.ts'
import type { MqttDetails } from './notification.ts'
import { SessionTables } from './session-tables.ts'
import type {
  ActivityRow,
  AlertQuery,
  AlertRow,
  DeviceRow,
  PresenceRow,
  RetainedRow,
  Role,
  SessionRow,
  SessionState,
  SharedInflight,
  ShareRow,
  StateRow,
  SubscriptionRow,
  Tables,
  TokenRow,
  WillRow
} from './store.ts'
import type { StreamStep } from './stream-positions.ts'
import { PAGE_MESSAGES, PAGE_ROWS, TableReader } from './table-reader.ts'

export class StoreTables implements Tables {
  readonly #reader: TableReader
  readonly #sessions: SessionTables
  readonly #alerts: AlertTables

  constructor(engine: Engine) {
    this.#reader = new TableReader(engine)
    this.#sessions = new SessionTables(this.#reader)
    this.#alerts = new AlertTables(this.#reader)
  }

  session(key: string): Promise<SessionState | null> {
    return this.#sessions.session(key)
  }

  sessions(): Promise<SessionRow[]> {
    return this.#sessions.sessions()
  }

  shares(): Promise<ShareRow[]> {
    return this.#sessions.shares()
  }

  sharedSubscriptions(): Promise<{ session: string; row: SubscriptionRow }[]> {
    return this.#sessions.sharedSubscriptions()
  }

  sharedInflight(): Promise<SharedInflight[]> {
    return this.#sessions.sharedInflight()
  }

  openAlerts(onPage: (rows: AlertRow[]) => void): Promise<void> {
    return this.#alerts.open(onPage)
  }

  alert(id: string): Promise<AlertRow | null> {
    return this.#alerts.one(id)
  }

  alerts(query: AlertQuery): Promise<AlertRow[]> {
    return this.#alerts.some(query)
  }

  alertEntries(id: string, limit: number): Promise<number[]> {
    return this.#alerts.entries(id, limit)
  }

  lastAlert(): Promise<number> {
    return this.#alerts.last()
  }

  alertsResolvedBefore(at: number, limit: number): Promise<string[]> {
    return this.#alerts.resolvedBefore(at, limit)
  }

  async state(scope: string, onPage: (rows: StateRow[]) => void): Promise<void> {
    const pages = this.#reader.pages(
      after =>
        this.#reader.queries
          .selectFrom('state')
          .select(['scope', 'key', 'value'])
          .where('scope', '=', scope)
          .where('key', '>', after)
          .orderBy('key')
          .limit(PAGE_ROWS)
          .compile(),
      row => row.key
    )
    for await (const rows of pages) onPage(rows)
  }

  async presence(): Promise<PresenceRow[]> {
    const rows = await this.#reader.all(
      after =>
        this.#reader.queries
          .selectFrom('presence')
          .select(['device', 'status', 'session', 'order', 'reason', 'since'])
          .where('device', '>', after)
          .orderBy('device')
          .limit(PAGE_ROWS)
          .compile(),
      row => row.device
    )
    return rows as PresenceRow[]
  }

  activity(): Promise<ActivityRow[]> {
    return this.#reader.all(
      after =>
        this.#reader.queries
          .selectFrom('activity')
          .select([
            'device',
            'first_seen_at as firstSeenAt',
            'last_seen_at as lastSeenAt',
            'events',
            'last_seq as lastSeq'
          ])
          .where('device', '>', after)
          .orderBy('device')
          .limit(PAGE_ROWS)
          .compile(),
      row => row.device
    )
  }

  async checkpoint(name: string): Promise<number | null> {
    const query = this.#reader.queries
      .selectFrom('checkpoint')
      .select('seq')
      .where('name', '=', name)
      .compile()
    const [row] = await this.#reader.one(query)
    return row?.seq ?? null
  }

  async wills(): Promise<WillRow[]> {
    const rows = await this.#reader.all(
      after =>
        this.#reader.queries
          .selectFrom('will')
          .select([
            'session',
            'device',
            'topic',
            'payload',
            'mqtt',
            'delay_s as delayS',
            'expiry_s as expiryS',
            'due_at as dueAt'
          ])
          .where('session', '>', after)
          .orderBy('session')
          .limit(PAGE_MESSAGES)
          .compile(),
      row => row.session
    )
    return rows.map(row => ({ ...row, mqtt: unpack(row.mqtt) as MqttDetails }))
  }

  async retained(onPage: (rows: RetainedRow[]) => void): Promise<void> {
    const pages = this.#reader.pages(
      after =>
        this.#reader.queries
          .selectFrom('retained')
          .select(['topic', 'seq', 'at', 'device', 'payload', 'mqtt'])
          .where('topic', '>', after)
          .orderBy('topic')
          .limit(PAGE_MESSAGES)
          .compile(),
      row => row.topic
    )
    for await (const rows of pages)
      onPage(rows.map(row => ({ ...row, mqtt: unpack(row.mqtt) as MqttDetails })))
  }

  /** Registered devices, for their registry. */
  devices(): Promise<DeviceRow[]> {
    return this.#reader.all(
      after =>
        this.#reader.queries
          .selectFrom('device')
          .select(['id', 'token_hash as tokenHash', 'created_at as createdAt'])
          .where('id', '>', after)
          .orderBy('id')
          .limit(PAGE_ROWS)
          .compile(),
      row => row.id
    )
  }

  /** Operators' tokens, for their registry. */
  async tokens(): Promise<TokenRow[]> {
    const rows = await this.#reader.all(
      after =>
        this.#reader.queries
          .selectFrom('token')
          .select(['id', 'hash', 'role', 'name', 'created_at as createdAt'])
          .where('id', '>', after)
          .orderBy('id')
          .limit(PAGE_ROWS)
          .compile(),
      row => row.id
    )
    return rows.map(row => ({ ...row, role: row.role as Role }))
  }

  /** Streams that were folded, a page at a time. */
  async streams(onPage: (steps: StreamStep[]) => void): Promise<void> {
    let device = ''
    let name = ''
    for (;;) {
      const query = this.#reader.queries
        .selectFrom('stream')
        .select(['device', 'name', 'seq'])
        .where(row =>
          row.or([row('device', '>', device), row.and([row('device', '=', device), row('name', '>', name)])])
        )
        .orderBy('device')
        .orderBy('name')
        .limit(PAGE_ROWS)
        .compile()
      const rows = await this.#reader.one(query)
      const last = rows.at(-1)
      if (!last) return
      device = last.device
      name = last.name
      onPage(rows)
    }
  }

  /** Streams of blocks that begin after `folded`, a page at a time. */
  async unfoldedStreams(folded: number, onPage: (blocks: Uint8Array[]) => void): Promise<void> {
    for (let after = folded; ;) {
      const query = this.#reader.queries
        .selectFrom('block')
        .select(['first_seq', 'streams'])
        .where('first_seq', '>', after)
        .orderBy('first_seq')
        .limit(PAGE_MESSAGES)
        .compile()
      const rows = await this.#reader.one(query)
      const last = rows.at(-1)
      if (!last) return
      after = last.first_seq
      onPage(rows.flatMap(({ streams }) => (streams === null ? [] : [bytesOf(streams)])))
    }
  }
}

/** A column of bytes may hold something else when the database is damaged. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new StoreError('store-unreadable', 'a block’s list of streams is damaged')
}
