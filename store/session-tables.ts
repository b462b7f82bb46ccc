// Reads of the tables of MQTT sessions and of what they share.
import type { Schema } from './schema.ts'
import type {
  SessionRow,
  SessionState,
  SharedInflight,
  ShareRow,
  SubscriptionRow,
  InflightRow
} from './store.ts'
import { PAGE_MESSAGES, PAGE_ROWS, rowsOf, type TableReader } from './table-reader.ts'

/** Sessions and shares, as `Tables` has them. */
export class SessionTables {
  readonly #reader: TableReader

  constructor(reader: TableReader) {
    this.#reader = reader
  }

  async session(key: string): Promise<SessionState | null> {
    const { queries } = this.#reader
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
    const answers = await this.#reader.moment([sessions, subscriptions, inflight, received])
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
    return this.#reader.all(
      after => this.#sessions().where('key', '>', after).orderBy('key').limit(PAGE_ROWS).compile(),
      row => row.key
    )
  }

  async shares(): Promise<ShareRow[]> {
    const rows = await this.#reader.all(
      after =>
        this.#reader.queries
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
      const query = this.#reader.queries
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
      const rows = await this.#reader.one(query)
      for (const row of rows) all.push({ session: row.session, row: subscriptionOf(row) })
      const last = rows.at(-1)
      if (!last) return all
      ;({ session, filter } = last)
    }
  }

  async sharedInflight(): Promise<SharedInflight[]> {
    const all: SharedInflight[] = []
    for (let session = '', packetId = 0; ;) {
      const query = this.#reader.queries
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
      const rows = await this.#reader.one(query)
      for (const row of rows) all.push(row as SharedInflight)
      const last = rows.at(-1)
      if (!last) return all
      ;({ session, packetId } = last)
    }
  }

  #sessions() {
    return this.#reader.queries
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
