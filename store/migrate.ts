// Brings a database to the newest schema: numbered steps, each in a transaction of its own together with its record.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import { StoreError } from './errors.ts'
import { logAndTables } from './migrations/0001-log-and-tables.ts'
import { sharedSubscriptions } from './migrations/0002-shared-subscriptions.ts'
import { alerts } from './migrations/0003-alerts.ts'
import { lastEvents } from './migrations/0004-last-events.ts'
import { blockSeals } from './migrations/0005-block-seals.ts'

/** An engine's names for whole numbers up to 2^53 and for bytes. */
export interface ColumnTypes {
  whole: 'integer' | 'bigint'
  bytes: 'blob' | 'bytea'
}

export type Migration = (db: Kysely<unknown>, types: ColumnTypes) => Promise<void>

/** Every step, in order; step n has number n + 1. Steps that were released are never changed. */
export const migrations: readonly Migration[] = [
  logAndTables,
  sharedSubscriptions,
  alerts,
  lastEvents,
  blockSeals
]

interface MigrationTable {
  migration: { number: number; applied_at: number }
}

/** Applies the steps that are missing. A database with more steps than are known is `store-unreadable`. */
export async function migrate(
  db: Kysely<unknown>,
  types: ColumnTypes,
  steps: readonly Migration[] = migrations
): Promise<void> {
  const records = db as unknown as Kysely<MigrationTable>
  await records.schema
    .createTable('migration')
    .ifNotExists()
    .addColumn('number', types.whole, column => column.primaryKey())
    .addColumn('applied_at', types.whole, column => column.notNull())
    .execute()
  const newest = await records
    .selectFrom('migration')
    .select(sql<number>`coalesce(max(number), 0)`.as('number'))
    .executeTakeFirstOrThrow()
  if (newest.number > steps.length) {
    throw new StoreError(
      'store-unreadable',
      `the data has schema ${newest.number}, this version of Tocsin knows schemas up to ${steps.length}; ` +
        'start the newer version that wrote it'
    )
  }
  for (const [index, step] of steps.entries()) {
    if (index < newest.number) continue
    await db.transaction().execute(async transaction => {
      await step(transaction, types)
      await (transaction as unknown as Kysely<MigrationTable>)
        .insertInto('migration')
        .values({ number: index + 1, applied_at: Date.now() })
        .execute()
    })
  }
}
