// Reads of the tables. Long ones come a page at a time, so that decoding them never holds up the event loop.
import type { CompiledQuery } from 'kysely'
import type { Engine } from './engine.ts'
import { unpack } from './msgpack-reader.ts'
import type { MqttDetails } from './notification.ts'
import type { Schema } from './schema.ts'
import type {
  ActivityRow,
  DeviceRow,
  InflightRow,
  PresenceRow,
  RetainedRow,
  Role,
  SessionRow,
  SessionState,
  SharedInflight,
  ShareRow,
  SubscriptionRow,
  Tables,
  TokenRow,
  WillRow
} from './store.ts'
import type { StreamStep } from './stream-positions.ts'

const PAGE_ROWS = 2000
const PAGE_MESSAGES = 128 // of rows that hold a payload

export class StoreTables implements Tables {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async presence(): Promise<PresenceRow[]> {
    const rows = await this.#all(
      after =>
        this.#engine.queries
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
    return this.#all(
      after =>
        this.#engine.queries
          .selectFrom('activity')
          .select(['device', 'first_seen_at as firstSeenAt', 'last_seen_at as lastSeenAt', 'events'])
          .where('device', '>', after)
          .orderBy('device')
          .limit(PAGE_ROWS)
          .compile(),
      row => row.device
    )
  }

  async checkpoint(name: string): Promise<number | null> {
    const query = this.#engine.queries
      .selectFrom('checkpoint')
      .select('seq')
      .where('name', '=', name)
      .compile()
    const [row] = await this.#one(query)
    return row?.seq ?? null
  }

  async session(key: string): Promise<SessionState | null> {
    const { queries } = this.#engine
    const sessions = this.#sessions().where('key', '=', key).compile()
    const subscriptions = queries.selectFrom('subscription').selectAll().where('session', '=', key).compile()
    const inflight = queries
      .selectFrom('inflight')
      .selectAll()
      .where('session', '=', key)
      .orderBy('seq')
      .orderBy('packet_id')
      .compile()
    const received = queries.selectFrom('received').select('packet_id').where('session', '=', key).compile()
    const answers = await this.#engine.query([sessions, subscriptions, inflight, received])
    const [session] = rowsOf(sessions, answers[0])
    if (!session) return null
    return {
      ...session,
      subscriptions: rowsOf(subscriptions, answers[1]).map(subscriptionOf),
      inflight: rowsOf(inflight, answers[2]).map(row => ({
        packetId: row.packet_id,
        seq: row.seq,
        qos: row.qos as InflightRow['qos'],
        state: row.state as InflightRow['state'],
        retain: row.retain === 1,
        message: row.message,
        identifiers: JSON.parse(row.identifiers) as number[],
        share: row.share
      })),
      received: rowsOf(received, answers[3]).map(row => row.packet_id)
    }
  }

  sessions(): Promise<SessionRow[]> {
    return this.#all(
      after => this.#sessions().where('key', '>', after).orderBy('key').limit(PAGE_ROWS).compile(),
      row => row.key
    )
  }

  async shares(): Promise<ShareRow[]> {
    const rows = await this.#all(
      after =>
        this.#engine.queries
          .selectFrom('share')
          .selectAll()
          .where('key', '>', after)
          .orderBy('key')
          .limit(PAGE_MESSAGES)
          .compile(),
      row => row.key
    )
    const numbers = (json: string) => JSON.parse(json) as number[]
    return rows.map(({ key, cursor, due, taken }) => ({
      key,
      cursor,
      due: numbers(due),
      taken: numbers(taken)
    }))
  }

  async sharedSubscriptions(): Promise<{ session: string; row: SubscriptionRow }[]> {
    const all: { session: string; row: SubscriptionRow }[] = []
    for (let session = '', filter = ''; ;) {
      const query = this.#engine.queries
        .selectFrom('subscription')
        .selectAll()
        .where(row =>
          row.and([
            row('filter', '>=', '$share/'),
            row('filter', '<', '$share0'), // the character after `/`
            row.or([
              row('session', '>', session),
              row.and([row('session', '=', session), row('filter', '>', filter)])
            ])
          ])
        )
        .orderBy('session')
        .orderBy('filter')
        .limit(PAGE_ROWS)
        .compile()
      const rows = await this.#one(query)
      for (const row of rows) all.push({ session: row.session, row: subscriptionOf(row) })
      const last = rows.at(-1)
      if (!last) return all
      ;({ session, filter } = last)
    }
  }

  async sharedInflight(): Promise<SharedInflight[]> {
    const all: SharedInflight[] = []
    for (let session = '', packetId = 0; ;) {
      const query = this.#engine.queries
        .selectFrom('inflight')
        .select(['session', 'share', 'packet_id as packetId', 'seq', 'qos'])
        .where(row =>
          row.and([
            row('share', 'is not', null),
            row.or([
              row('session', '>', session),
              row.and([row('session', '=', session), row('packet_id', '>', packetId)])
            ])
          ])
        )
        .orderBy('session')
        .orderBy('packet_id')
        .limit(PAGE_ROWS)
        .compile()
      const rows = await this.#one(query)
      for (const row of rows) all.push(row as SharedInflight)
      const last = rows.at(-1)
      if (!last) return all
      ;({ session, packetId } = last)
    }
  }

  async wills(): Promise<WillRow[]> {
    const rows = await this.#all(
      after =>
        this.#engine.queries
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
    const pages = this.#pages(
      after =>
        this.#engine.queries
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
    return this.#all(
      after =>
        this.#engine.queries
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
    const rows = await this.#all(
      after =>
        this.#engine.queries
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
      const query = this.#engine.queries
        .selectFrom('stream')
        .select(['device', 'name', 'seq'])
        .where(row =>
          row.or([row('device', '>', device), row.and([row('device', '=', device), row('name', '>', name)])])
        )
        .orderBy('device')
        .orderBy('name')
        .limit(PAGE_ROWS)
        .compile()
      const rows = await this.#one(query)
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
      const query = this.#engine.queries
        .selectFrom('block')
        .select(['first_seq', 'streams'])
        .where('first_seq', '>', after)
        .orderBy('first_seq')
        .limit(PAGE_MESSAGES)
        .compile()
      const rows = await this.#one(query)
      const last = rows.at(-1)
      if (!last) return
      after = last.first_seq
      onPage(rows.flatMap(row => (row.streams ? [row.streams] : [])))
    }
  }

  #sessions() {
    return this.#engine.queries
      .selectFrom('session')
      .select([
        'key',
        'device',
        'client_id as clientId',
        'cursor',
        'expires_at as expiresAt',
        'expiry_interval_s as expiryIntervalS'
      ])
  }

  async #one<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
    const [rows] = await this.#engine.query([query])
    return rowsOf(query, rows)
  }

  async #all<Row>(page: (after: string) => CompiledQuery<Row>, key: (row: Row) => string): Promise<Row[]> {
    const all: Row[] = []
    for await (const rows of this.#pages(page, key)) for (const row of rows) all.push(row)
    return all
  }

  /** Pages in the order of a text key, which is never empty. */
  async *#pages<Row>(
    page: (after: string) => CompiledQuery<Row>,
    key: (row: Row) => string
  ): AsyncGenerator<Row[]> {
    for (let after = ''; ;) {
      const rows = await this.#one(page(after))
      const last = rows.at(-1)
      if (!last) return
      after = key(last)
      yield rows
    }
  }
}

function subscriptionOf(row: Schema['subscription']): SubscriptionRow {
  return {
    filter: row.filter,
    qos: row.qos as SubscriptionRow['qos'],
    noLocal: row.no_local === 1,
    retainAsPublished: row.retain_as_published === 1,
    retainHandling: row.retain_handling as SubscriptionRow['retainHandling'],
    identifier: row.identifier,
    since: row.since
  }
}

// An engine answers with the columns that were asked for; the query's type is the proof.
function rowsOf<Row>(_query: CompiledQuery<Row>, rows: unknown[] | undefined): Row[] {
  return (rows ?? []) as Row[]
}
