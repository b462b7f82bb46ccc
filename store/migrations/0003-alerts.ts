// Alerts with the notifications that tell of them, and what parts of the gateway keep over restarts.
import type { Kysely } from 'kysely'
import type { ColumnTypes } from '../migrate.ts'

/** Creates the tables `state`, `alert` and `alert_entry`. */
export async function alerts(db: Kysely<unknown>, { whole, bytes }: ColumnTypes): Promise<void> {
  const { schema } = db
  await schema
    .createTable('state')
    .addColumn('scope', 'text', column => column.notNull())
    .addColumn('key', 'text', column => column.notNull())
    .addColumn('value', bytes, column => column.notNull())
    .addPrimaryKeyConstraint('state_key', ['scope', 'key'])
    .execute()
  await schema
    .createTable('alert')
    .addColumn('id', 'text', column => column.primaryKey().notNull())
    .addColumn('number', whole, column => column.notNull().unique())
    .addColumn('rule', 'text', column => column.notNull())
    .addColumn('key', 'text', column => column.notNull())
    .addColumn('device', 'text', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull())
    .addColumn('severity', whole, column => column.notNull())
    .addColumn('first_at', whole, column => column.notNull())
    .addColumn('changed_at', whole, column => column.notNull())
    .addColumn('body', bytes, column => column.notNull())
    .execute()
  await schema.createIndex('alert_by_state').on('alert').columns(['state', 'changed_at']).execute()
  await schema.createIndex('alert_by_device').on('alert').columns(['device', 'number']).execute()
  await schema.createIndex('alert_by_rule').on('alert').columns(['rule', 'number']).execute()
  await schema
    .createTable('alert_entry')
    .addColumn('alert', 'text', column => column.notNull())
    .addColumn('seq', whole, column => column.notNull())
    .addPrimaryKeyConstraint('alert_entry_key', ['alert', 'seq'])
    .execute()
}
