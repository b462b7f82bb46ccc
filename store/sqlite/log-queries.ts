// Texts of the log's own statements. Compiled once, on the event loop, for both threads: loading Kysely in each takes
// longer than everything else they do at start.
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

/** What a head consists of; `headOf` in block-head.ts reads it. */
const HEAD_COLUMNS = [
  'first_seq as first',
  'last_seq as last',
  'at_min',
  'at_max',
  'kinds',
  'severity',
  'body_bytes as bytes',
  'devices'
] as const

export type WriterQueries = ReturnType<typeof writerQueries>
export type ReaderQueries = ReturnType<typeof readerQueries>

/** Texts for the writer. Limits, too, are parameters. */
export function writerQueries(db: Kysely<Schema>) {
  const none = new Uint8Array()
  return {
    create: db
      .insertInto('log_state')
      .values({ id: 1, epoch: '', next_seq: 1, last_at: 0, folded_seq: 0 })
      .onConflict(conflict => conflict.doNothing())
      .compile().sql,
    state: db.selectFrom('log_state').selectAll().compile().sql,
    advance: db.updateTable('log_state').set({ next_seq: 0, last_at: 0 }).compile().sql,
    insert: db
      .insertInto('block')
      .values({
        first_seq: 0,
        last_seq: 0,
        at_min: 0,
        at_max: 0,
        kinds: 0,
        severity: 0,
        body_bytes: 0,
        devices: none,
        streams: none,
        body: none
      })
      .compile().sql,
    size: db
      .selectFrom('block')
      .select(row => [
        row.fn.min('first_seq').as('first'),
        row.fn.countAll().as('blocks'),
        row.fn.sum('body_bytes').as('bytes')
      ])
      .compile().sql,
    oldest: db
      .selectFrom('block')
      .select(['last_seq as last', 'at_max', 'body_bytes as bytes'])
      .where('last_seq', '<=', 0)
      .orderBy('first_seq')
      .limit(0)
      .compile().sql,
    heads: db
      .selectFrom('block')
      .select(['first_seq as first', 'last_seq as last', 'body_bytes as bytes'])
      .where('first_seq', '>=', 0)
      .where('last_seq', '<=', 0)
      .orderBy('first_seq')
      .limit(0)
      .compile().sql,
    bodies: db
      .selectFrom('block')
      .select([...HEAD_COLUMNS, 'body'])
      .where('first_seq', '>=', 0)
      .where('first_seq', '<=', 0)
      .orderBy('first_seq')
      .limit(0)
      .compile().sql,
    delete: db.deleteFrom('block').where('first_seq', '>=', 0).where('first_seq', '<=', 0).compile().sql
  }
}

/** Texts for the reader. */
export function readerQueries(db: Kysely<Schema>) {
  return {
    // Blocks never overlap: the one that holds a sequence is the last that begins at or before it.
    floor: db
      .selectFrom('block')
      .select('first_seq as first')
      .where('first_seq', '<=', 0)
      .orderBy('first_seq', 'desc')
      .limit(0)
      .compile().sql,
    heads: db
      .selectFrom('block')
      .select(HEAD_COLUMNS)
      .where('first_seq', '>=', 0)
      .where('first_seq', '<=', 0)
      .orderBy('first_seq')
      .limit(0)
      .compile().sql,
    headsBackward: db
      .selectFrom('block')
      .select(HEAD_COLUMNS)
      .where('first_seq', '<', 0)
      .orderBy('first_seq', 'desc')
      .limit(0)
      .compile().sql,
    body: db.selectFrom('block').select('body').where('first_seq', '=', 0).compile().sql
  }
}
