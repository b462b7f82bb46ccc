// The thread of the connection that reads, so that no read ever delays a commit.
import type { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { BackwardReader } from '../backward-reader.ts'
import type { BackwardRequest, PackedBackward } from '../backward-reader.ts'
import { BlockReader, ENTRIES_MAX, SUMMARIES_MAX } from '../block-reader.ts'
import type { PackedEntries, ReadRequest } from '../block-reader.ts'
import { bodyIsWhole } from '../block-seal.ts'
import { EntryPicker } from '../entry-picker.ts'
import type { PackedPick, PickRequest } from '../entry-picker.ts'
import { LeftBlocks } from '../left-blocks.ts'
import { headOf, type ReadHead } from './block-head.ts'
import { openDatabase } from './database.ts'
import type { ReaderQueries } from './log-queries.ts'
import type { PlainQuery, ReaderCalls, WorkerData } from './messages.ts'
import { damaged, isCorrupt } from './sqlite-errors.ts'
import { StatementCache } from './statement-cache.ts'
import { serve } from './thread-server.ts'

// Heads fetched at once, each time twice as many: a page is seldom in more than two blocks, while a read that finds nothing
// looks at thousands.
const HEADS_FIRST = 2
const HEADS_MAX = 64

const { dir, sql } = workerData as WorkerData<ReaderQueries>
let db: DatabaseSync | null = null
let statements: StatementCache | null = null
const leftBlocks = new LeftBlocks()

/** Runs in one read transaction, so that merging and retention can't move blocks under it. */
function reading<Outcome>(work: (statements: StatementCache) => Outcome): Outcome {
  if (statements === null) throw new Error('the database is not open')
  statements.get('begin').run()
  try {
    return work(statements)
  } catch (error) {
    throw isCorrupt(error) ? damaged(dir, String(error), { cause: error }) : error
  } finally {
    db?.exec('rollback') // it wrote nothing, and after damage was met a commit would fail
  }
}

function readEntries(request: ReadRequest): PackedEntries {
  return reading(statements => {
    const reader = new BlockReader(request)
    const floor = statements.get(sql.floor).get(request.after + 1, 1)
    let from = Number(floor?.['first'] ?? 0)
    for (let count = HEADS_FIRST; ; count = Math.min(2 * count, HEADS_MAX)) {
      const heads = statements.get(sql.heads).all(from, request.upTo, count)
      for (const row of heads) {
        if (reader.done) return reader.finish(false)
        const head = headOf(row)
        if (head.seal === null) {
          from = head.first + 1 // where it ends is not known: the next block tells
          reader.skip(head.first)
          continue
        }
        from = head.last + 1
        const { devices } = head.seal
        if (!reader.wants({ ...head, devices })) continue
        const block = leftBlocks.open(head, () => readBody(statements, head))
        if (block === null) {
          reader.miss(head)
          continue
        }
        reader.take(head, block)
        leftBlocks.leave(head, block)
      }
      if (heads.length < count) return reader.finish(!reader.done)
    }
  })
}

function readBackward(request: BackwardRequest): PackedBackward {
  return reading(statements => {
    const reader = new BackwardReader(request, { summaries: SUMMARIES_MAX, entries: ENTRIES_MAX })
    let before = request.before
    for (let count = HEADS_FIRST; ; count = Math.min(2 * count, HEADS_MAX)) {
      const heads = statements.get(sql.headsBackward).all(before, count)
      for (const row of heads) {
        if (reader.done) return reader.finish(false)
        const head = headOf(row)
        before = head.first
        if (head.seal === null) {
          reader.miss(head.first)
          continue
        }
        const { devices } = head.seal
        if (!reader.wants({ ...head, devices })) continue
        const body = readBody(statements, head)
        if (body === null) reader.miss(head.first)
        else reader.take(head, body)
      }
      if (heads.length < count) return reader.finish(!reader.done)
    }
  })
}

function pickEntries(request: PickRequest): PackedPick {
  return reading(statements => {
    const picker = new EntryPicker(request, ENTRIES_MAX)
    for (let seq = picker.next; seq !== null; seq = picker.next) {
      const [row] = statements.get(sql.headsBackward).all(seq + 1, 1)
      if (row === undefined) {
        picker.pass()
        continue
      }
      const head = headOf(row)
      const body = readBody(statements, head)
      if (body !== null) picker.take(head.first, body)
      else picker.miss(head.first, head.seal === null ? seq : head.last)
    }
    return picker.finish()
  })
}

/** Null when it, or the head, is damaged. */
function readBody(statements: StatementCache, { first, seal }: ReadHead): Uint8Array | null {
  if (seal === null) return null
  try {
    const body = statements.get(sql.body).get(first)?.['body']
    return body instanceof Uint8Array && bodyIsWhole(body, seal) ? body : null
  } catch (error) {
    if (isCorrupt(error)) return null
    throw error
  }
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
  readBackward(request) {
    const packed = readBackward(request)
    return { answer: packed, move: [packed.bytes.buffer, packed.seqs.buffer] }
  },
  pickEntries(request) {
    const packed = pickEntries(request)
    return { answer: packed, move: [packed.bytes.buffer, packed.seqs.buffer] }
  },
  query: queries => ({ answer: query(queries) }),
  close() {
    db?.close()
    return { answer: null }
  }
})
