// The thread of the connection that reads, so that no read ever delays a commit.
import type { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { BlockReader } from '../block-reader.ts'
import type { PackedEntries, ReadRequest } from '../block-reader.ts'
import { openDatabase } from './database.ts'
import type { ReaderQueries } from './log-queries.ts'
import type { PlainQuery, ReaderCalls, WorkerData } from './messages.ts'
import { StatementCache } from './statement-cache.ts'
import { serve } from './thread-server.ts'

const HEADS_MAX = 64 // heads fetched at once: a read that finds what it wants soon looks at few for nothing

const { dir, sql } = workerData as WorkerData<ReaderQueries>
let db: DatabaseSync | null = null
let statements: StatementCache | null = null

/** Runs in one read transaction, so that merging and retention can't move blocks under it. */
function reading<Outcome>(work: (statements: StatementCache) => Outcome): Outcome {
  if (statements === null) throw new Error('the database is not open')
  statements.get('begin').run()
  try {
    return work(statements)
  } finally {
    statements.get('commit').run()
  }
}

function readEntries(request: ReadRequest): PackedEntries {
  return reading(statements => {
    const reader = new BlockReader(request)
    const floor = statements.get(sql.floor).get(request.after + 1, 1)
    let from = Number(floor?.['first'] ?? 0)
    for (;;) {
      const heads = statements.get(sql.heads).all(from, request.upTo, HEADS_MAX)
      for (const row of heads) {
        if (reader.done) return reader.finish(false)
        const head = {
          first: Number(row['first']),
          last: Number(row['last']),
          kinds: Number(row['kinds']),
          severity: Number(row['severity']),
          devices: row['devices'] as Uint8Array
        }
        from = head.last + 1
        if (!reader.wants(head)) continue
        const body = statements.get(sql.body).get(head.first)?.['body']
        reader.take(head, body as Uint8Array)
      }
      if (heads.length < HEADS_MAX) return reader.finish(!reader.done)
    }
  })
}

function query(queries: readonly PlainQuery[]): unknown[][] {
  return reading(statements => queries.map(({ sql, parameters }) => statements.get(sql).all(...parameters)))
}

serve<ReaderCalls>({
  open() {
    db = openDatabase(dir, { write: false })
    statements = new StatementCache(db)
    return { answer: null }
  },
  readEntries(request) {
    const packed = readEntries(request)
    return { answer: packed, move: [packed.bytes.buffer, packed.seqs.buffer] }
  },
  query: queries => ({ answer: query(queries) }),
  close() {
    db?.close()
    return { answer: null }
  }
})
