// Where in the log the last event of each device is.
import type { Kysely } from 'kysely'
import type { ColumnTypes } from '../migrate.ts'

/** Adds the column; it is 0 for devices that were seen before, until their next event. */
export async function lastEvents(db: Kysely<unknown>, { whole }: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('activity')
    .addColumn('last_seq', whole, column => column.notNull().defaultTo(0))
    .execute()
}
