// Texts of the statements that commits are made of: built by Kysely once, executed with parameters ever after.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import { packMqtt, severityIndex } from './entry-codec.ts'
import type { SqlValue, Statement } from './engine.ts'
import type { AlertDraft, DeliveryDraft, EventDraft } from './notification.ts'
import type { Schema } from './schema.ts'
import type { Change, DeviceRow, TokenRow } from './store.ts'

type Queries = Kysely<Schema>
type Table = keyof Schema
type Column<Name extends Table> = keyof Schema[Name] & string

/** `insert … on conflict (keys) do update`; parameters in the order of `columns`. */
function upsert<Name extends Table>(
  db: Queries,
  table: Name,
  { keys, columns }: { keys: Column<Name>[]; columns: Column<Name>[] }
): string {
  const rest = columns.filter(column => !keys.includes(column))
  const set = rest.map(column => sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`)
  const action = set.length > 0 ? sql`update set ${sql.join(set)}` : sql`nothing`
  return sql`insert into ${sql.table(table)} (${refs(columns)}) values (${sql.join(columns.map(() => 0))})
    on conflict (${refs(keys)}) do ${action}`.compile(db).sql
}

/** `delete … where` each column equals its parameter. */
function remove<Name extends Table>(db: Queries, table: Name, columns: Column<Name>[]): string {
  const conditions = columns.map(column => sql`${sql.ref(column)} = ${0}`)
  return sql`delete from ${sql.table(table)} where ${sql.join(conditions, sql` and `)}`.compile(db).sql
}

function refs(columns: string[]) {
  return sql.join(columns.map(column => sql.ref(column)))
}

/** Makes the statements of table changes. */
export class Statements {
  readonly #sql

  constructor(db: Queries) {
    this.#sql = {
      presence: upsert(db, 'presence', {
        keys: ['device'],
        columns: ['device', 'status', 'session', 'order', 'reason', 'since']
      }),
      activity: upsert(db, 'activity', {
        keys: ['device'],
        columns: ['device', 'first_seen_at', 'last_seen_at', 'events', 'last_seq']
      }),
      session: upsert(db, 'session', {
        keys: ['key'],
        columns: ['key', 'device', 'client_id', 'cursor', 'expires_at', 'expiry_interval_s']
      }),
      subscription: upsert(db, 'subscription', {
        keys: ['session', 'filter'],
        columns: [
          'session',
          'filter',
          'qos',
          'no_local',
          'retain_as_published',
          'retain_handling',
          'identifier',
          'since'
        ]
      }),
      inflight: upsert(db, 'inflight', {
        keys: ['session', 'packet_id'],
        columns: ['session', 'packet_id', 'seq', 'qos', 'state', 'retain', 'message', 'identifiers', 'share']
      }),
      share: upsert(db, 'share', { keys: ['key'], columns: ['key', 'cursor', 'due', 'taken'] }),
      received: upsert(db, 'received', {
        keys: ['session', 'packet_id'],
        columns: ['session', 'packet_id']
      }),
      will: upsert(db, 'will', {
        keys: ['session'],
        columns: ['session', 'device', 'topic', 'payload', 'mqtt', 'delay_s', 'expiry_s', 'due_at']
      }),
      checkpoint: upsert(db, 'checkpoint', { keys: ['name'], columns: ['name', 'seq'] }),
      stream: upsert(db, 'stream', { keys: ['device', 'name'], columns: ['device', 'name', 'seq'] }),
      device: upsert(db, 'device', { keys: ['id'], columns: ['id', 'token_hash', 'created_at'] }),
      token: upsert(db, 'token', { keys: ['id'], columns: ['id', 'hash', 'role', 'name', 'created_at'] }),
      state: upsert(db, 'state', { keys: ['scope', 'key'], columns: ['scope', 'key', 'value'] }),
      alert: upsert(db, 'alert', {
        keys: ['id'],
        columns: [
          'id',
          'number',
          'rule',
          'key',
          'device',
          'state',
          'severity',
          'first_at',
          'changed_at',
          'body'
        ]
      }),
      alertEntry: alertEntryInsert(db),
      retained: retainedUpsert(db),
      folded: db.updateTable('log_state').set({ folded_seq: 0 }).compile().sql,
      noSession: remove(db, 'session', ['key']),
      noSubscriptions: remove(db, 'subscription', ['session']),
      noSubscription: remove(db, 'subscription', ['session', 'filter']),
      noInflights: remove(db, 'inflight', ['session']),
      noInflight: remove(db, 'inflight', ['session', 'packet_id']),
      noShare: remove(db, 'share', ['key']),
      noReceiveds: remove(db, 'received', ['session']),
      noReceived: remove(db, 'received', ['session', 'packet_id']),
      noWill: remove(db, 'will', ['session']),
      noRetained: remove(db, 'retained', ['topic']),
      noRetainedOf: remove(db, 'retained', ['topic', 'seq']),
      noState: remove(db, 'state', ['scope', 'key']),
      noAlert: remove(db, 'alert', ['id']),
      noAlertEntries: remove(db, 'alert_entry', ['alert']),
      noDevice: remove(db, 'device', ['id']),
      noToken: remove(db, 'token', ['id'])
    }
  }

  /** Statements of one change. */
  change(change: Change): Statement[] {
    const text = this.#sql
    if ('delete' in change) {
      switch (change.delete) {
        case 'session':
          return [text.noSubscriptions, text.noInflights, text.noReceiveds, text.noSession].map(sql => ({
            sql,
            parameters: [change.key]
          }))
        case 'subscription':
          return one(text.noSubscription, change.session, change.filter)
        case 'inflight':
          return one(text.noInflight, change.session, change.packetId)
        case 'share':
          return one(text.noShare, change.key)
        case 'received':
          return one(text.noReceived, change.session, change.packetId)
        case 'will':
          return one(text.noWill, change.session)
        case 'retained':
          return one(text.noRetainedOf, change.topic, change.seq)
        case 'state':
          return one(text.noState, change.scope, change.key)
        case 'alert':
          return [text.noAlertEntries, text.noAlert].map(sql => ({ sql, parameters: [change.id] }))
      }
    }
    switch (change.put) {
      case 'presence': {
        const { device, status, session, order, reason, since } = change.row
        return one(text.presence, device, status, session, order, reason, since)
      }
      case 'activity': {
        const { device, firstSeenAt, lastSeenAt, events, lastSeq } = change.row
        return one(text.activity, device, firstSeenAt, lastSeenAt, events, lastSeq)
      }
      case 'session': {
        const { key, device, clientId, cursor, expiresAt, expiryIntervalS } = change.row
        return one(text.session, key, device, clientId, cursor, expiresAt, expiryIntervalS)
      }
      case 'subscription': {
        const { filter, qos, noLocal, retainAsPublished, retainHandling, identifier, since } = change.row
        const flags = [noLocal ? 1 : 0, retainAsPublished ? 1 : 0, retainHandling]
        return one(text.subscription, change.session, filter, qos, ...flags, identifier, since)
      }
      case 'inflight': {
        const { packetId, seq, qos, state, retain, message, identifiers, share } = change.row
        const rest = [state, retain ? 1 : 0, message, JSON.stringify(identifiers), share]
        return one(text.inflight, change.session, packetId, seq, qos, ...rest)
      }
      case 'share': {
        const { key, cursor, due, taken } = change.row
        return one(text.share, key, cursor, JSON.stringify(due), JSON.stringify(taken))
      }
      case 'received':
        return one(text.received, change.session, change.packetId)
      case 'will': {
        const { session, device, topic, payload, mqtt, delayS, expiryS, dueAt } = change.row
        return one(text.will, session, device, topic, payload, packMqtt(mqtt), delayS, expiryS, dueAt)
      }
      case 'checkpoint':
        return one(text.checkpoint, change.name, change.seq)
      case 'state':
        return one(text.state, change.row.scope, change.row.key, change.row.value)
      case 'alert': {
        const { id, number, rule, key, device, state, severity, firstAt, changedAt, body } = change.row
        const rest = [state, severityIndex(severity), firstAt, changedAt, body]
        return one(text.alert, id, number, rule, key, device, ...rest)
      }
    }
  }

  putDevice(row: DeviceRow): Statement {
    return { sql: this.#sql.device, parameters: [row.id, row.tokenHash, row.createdAt] }
  }

  removeDevice(id: string): Statement {
    return { sql: this.#sql.noDevice, parameters: [id] }
  }

  putToken(row: TokenRow): Statement {
    return { sql: this.#sql.token, parameters: [row.id, row.hash, row.role, row.name, row.createdAt] }
  }

  removeToken(id: string): Statement {
    return { sql: this.#sql.noToken, parameters: [id] }
  }

  putStream(device: string, name: string, seq: number): Statement {
    return { sql: this.#sql.stream, parameters: [device, name, seq] }
  }

  folded(seq: number): Statement {
    return { sql: this.#sql.folded, parameters: [seq] }
  }

  /** Enters what is entry `offset` (from 0) of the commit's block in the lists of its alerts' notifications. */
  alertEntries(draft: AlertDraft | DeliveryDraft, offset: number): Statement[] {
    const alerts = draft.kind === 'delivery' && draft.alerts ? draft.alerts : [draft.alert]
    return alerts.map(alert => ({ sql: this.#sql.alertEntry, parameters: [alert, offset] }))
  }

  /** What a retained message, made by entry `offset` (from 0) of the commit's block, does to its topic's row. */
  retained(
    { topic, device, payload, mqtt }: Pick<EventDraft, 'topic' | 'device' | 'payload' | 'mqtt'>,
    at: number,
    offset: number
  ): Statement {
    if (payload.length === 0 || mqtt === undefined) return { sql: this.#sql.noRetained, parameters: [topic] }
    return { sql: this.#sql.retained, parameters: [topic, offset, at, device, payload, packMqtt(mqtt)] }
  }
}

function one(sql: string, ...parameters: SqlValue[]): Statement[] {
  return [{ sql, parameters }]
}

function alertEntryInsert(db: Queries): string {
  return db
    .insertInto('alert_entry')
    .values({ alert: '', seq: sql<number>`(select next_seq from log_state) + ${0}` })
    .onConflict(conflict => conflict.doNothing())
    .compile().sql
}

function retainedUpsert(db: Queries): string {
  return db
    .insertInto('retained')
    .values({
      topic: '',
      seq: sql<number>`(select next_seq from log_state) + ${0}`,
      at: 0,
      device: '',
      payload: new Uint8Array(),
      mqtt: new Uint8Array()
    })
    .onConflict(conflict =>
      conflict.column('topic').doUpdateSet(row => ({
        seq: row.ref('excluded.seq'),
        at: row.ref('excluded.at'),
        device: row.ref('excluded.device'),
        payload: row.ref('excluded.payload'),
        mqtt: row.ref('excluded.mqtt')
      }))
    )
    .compile().sql
}
