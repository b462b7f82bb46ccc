// Reads of alerts and of the lists of their notifications.
import { severityIndex } from './entry-codec.ts'
import { severities } from './notification.ts'
import type { AlertQuery, AlertRow } from './store.ts'
import { PAGE_MESSAGES } from './table-reader.ts'
import type { TableReader } from './table-reader.ts'

/** Alerts, as `Tables` has them. */
export class AlertTables {
  readonly #reader: TableReader

  constructor(reader: TableReader) {
    this.#reader = reader
  }

  async open(onPage: (rows: AlertRow[]) => void): Promise<void> {
    for (let after = 0; ;) {
      const rows = await this.#reader.one(
        this.#select()
          .where('state', 'in', ['firing', 'acknowledged'])
          .where('number', '>', after)
          .orderBy('number')
          .limit(PAGE_MESSAGES)
          .compile()
      )
      const last = rows.at(-1)
      if (!last) return
      after = last.number
      onPage(rows.map(alertOf))
    }
  }

  async one(id: string): Promise<AlertRow | null> {
    const [row] = await this.#reader.one(this.#select().where('id', '=', id).compile())
    return row ? alertOf(row) : null
  }

  async some({ states, severityMin, rules, devices, keys, before, limit }: AlertQuery): Promise<AlertRow[]> {
    let query = this.#select().orderBy('number', 'desc').limit(limit)
    if (states) query = query.where('state', 'in', states)
    if (severityMin) query = query.where('severity', '>=', severityIndex(severityMin))
    if (rules) query = query.where('rule', 'in', rules)
    if (devices) query = query.where('device', 'in', devices)
    if (keys) query = query.where('key', 'in', keys)
    if (before !== undefined) query = query.where('number', '<', before)
    const rows = await this.#reader.one(query.compile())
    return rows.map(alertOf)
  }

  async entries(id: string, limit: number): Promise<number[]> {
    const query = this.#reader.queries
      .selectFrom('alert_entry')
      .select('seq')
      .where('alert', '=', id)
      .orderBy('seq', 'desc')
      .limit(limit)
    const rows = await this.#reader.one(query.compile())
    return rows.map(({ seq }) => seq).toReversed()
  }

  async last(): Promise<number> {
    const query = this.#reader.queries.selectFrom('alert').select('number').orderBy('number', 'desc').limit(1)
    const [row] = await this.#reader.one(query.compile())
    return row?.number ?? 0
  }

  async resolvedBefore(at: number, limit: number): Promise<string[]> {
    const query = this.#reader.queries
      .selectFrom('alert')
      .select('id')
      .where('state', '=', 'resolved')
      .where('changed_at', '<', at)
      .orderBy('changed_at')
      .limit(limit)
    const rows = await this.#reader.one(query.compile())
    return rows.map(({ id }) => id)
  }

  #select() {
    return this.#reader.queries
      .selectFrom('alert')
      .select([
        'id',
        'number',
        'rule',
        'key',
        'device',
        'state',
        'severity',
        'first_at as firstAt',
        'changed_at as changedAt',
        'body'
      ])
  }
}

function alertOf({
  severity,
  state,
  ...row
}: Omit<AlertRow, 'severity' | 'state'> & { severity: number; state: string }): AlertRow {
  return { ...row, severity: severities[severity] ?? 'info', state: state as AlertRow['state'] }
}
