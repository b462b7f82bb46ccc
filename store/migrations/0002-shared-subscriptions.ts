// Shared subscriptions: each one's place in the log, and which of them a message in flight came from.
import type { Kysely } from 'kysely'
import type { ColumnTypes } from '../migrate.ts'

/** Creates the table of shares and the column that refers to it. */
export async function sharedSubscriptions(db: Kysely<unknown>, { whole }: ColumnTypes): Promise<void> {
  const { schema } = db
  await schema
    .createTable('share')
    .addColumn('key', 'text', column => column.primaryKey().notNull())
    .addColumn('cursor', whole, column => column.notNull())
    .addColumn('due', 'text', column => column.notNull())
    .addColumn('taken', 'text', column => column.notNull())
    .execute()
  await schema.alterTable('inflight').addColumn('share', 'text').execute()
}
