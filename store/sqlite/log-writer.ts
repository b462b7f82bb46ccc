// The log's side of the writing connection: commits, and the slices of maintenance between them.
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { mergeBlocks } from '../block.ts'
import type { Block } from '../block.ts'
import { bodyIsWhole, seal, sealStreams } from '../block-seal.ts'
import type { Commit, LogSize, LogState, MaintenanceLimits, MaintenanceSlice } from '../engine.ts'
import { mergeRun } from '../merge-plan.ts'
import { headOf, type ReadHead } from './block-head.ts'
import type { WriterQueries } from './log-queries.ts'
import { commitErrorOf, isCorrupt } from './sqlite-errors.ts'
import { StatementCache } from './statement-cache.ts'

const REMOVED_MAX = 16 // blocks one slice removes: up to 8 MB of pages
const PLANNED_MAX = 512 // block heads one slice looks at for what to merge
// Blocks that the first slice merges; each after it may merge twice as many. Code that has never run takes several times as
// long. It does not depend on how long a slice takes: on a slow disk small ones would never catch up.
const MERGED_FIRST_MAX = 8

/** What is planned with. */
interface PlannedHead {
  first: number
  last: number
  bytes: number
}

export class LogWriter {
  readonly #db: DatabaseSync
  readonly #dir: string
  readonly #statements: StatementCache
  readonly #sql: WriterQueries
  readonly #size: LogSize
  #next: number
  #lastAt: number
  #mergedMax = MERGED_FIRST_MAX
  #mergeFrom = 0 // blocks before this are as large as they get

  constructor(db: DatabaseSync, { dir, sql }: { dir: string; sql: WriterQueries }) {
    this.#db = db
    this.#dir = dir
    this.#sql = sql
    this.#statements = new StatementCache(db)
    const epoch = BigInt(`0x${randomBytes(8).toString('hex')}`).toString(36)
    this.#run(this.#sql.create, [1, epoch, 1, 0, 0])
    const { next, lastAt } = this.state()
    this.#next = next
    this.#lastAt = lastAt
    this.#size = this.#measure()
  }

  state(): LogState {
    const row = this.#get(this.#sql.state)
    const next = Number(row['next_seq'])
    return {
      epoch: String(row['epoch']),
      next,
      first: Number(this.#get(this.#sql.size)['first'] ?? next),
      lastAt: Number(row['last_at']),
      folded: Number(row['folded_seq'])
    }
  }

  get size(): LogSize {
    return this.#size
  }

  /** Commits; returns the first sequence. Throws `CommitError` when nothing was committed and it may be tried again. */
  commit({ block, statements }: Commit): number {
    const first = this.#next
    this.#transaction(() => {
      for (const { sql, parameters } of statements) this.#statements.get(sql).run(...parameters)
      if (block === null) return
      this.#insert(block, first)
      this.#run(this.#sql.advance, [first + block.count, Math.max(this.#lastAt, block.atMax)])
    })
    if (block !== null) {
      this.#next = first + block.count
      this.#lastAt = Math.max(this.#lastAt, block.atMax)
      this.#size.blocks++
      this.#size.blockBytes += block.body.length
    }
    return first
  }

  /** One slice: removes some blocks, or merges some, or finds nothing to do. */
  maintain(limits: MaintenanceLimits): MaintenanceSlice {
    const removed = this.#remove(limits)
    const from = this.#mergeFrom
    const merged = removed > 0 ? 0 : this.#merge(limits.upTo)
    const more = removed + merged > 0 || this.#mergeFrom > from
    if (!more) this.#size.databaseBytes = this.#databaseBytes()
    return { ...this.#size, removed, merged, more }
  }

  #remove({ before, blockBytesMax, upTo }: MaintenanceLimits): number {
    const oldest = this.#all(this.#sql.oldest, [upTo, REMOVED_MAX])
    let bytes = this.#size.blockBytes
    let removed = 0
    let last = 0
    for (const row of oldest) {
      if (Number(row['at_max']) >= before && bytes <= blockBytesMax) break
      bytes -= Number(row['bytes'])
      last = Number(row['last'])
      removed++
    }
    if (removed === 0) return 0
    this.#transaction(() => this.#run(this.#sql.delete, [0, last]))
    this.#size.blocks -= removed
    this.#size.blockBytes = bytes
    this.#size.first = Number(this.#get(this.#sql.size)['first'] ?? this.#next)
    return removed
  }

  #merge(upTo: number): number {
    const heads = this.#all(this.#sql.heads, [this.#mergeFrom, upTo, PLANNED_MAX]).map(plannedHeadOf)
    const plan = mergeRun(heads)
    this.#mergeFrom = plan.from
    const run = plan.run.slice(0, this.#mergedMax)
    // Nothing to merge among these, but there are more heads to look at: the next slice goes on after them.
    if (run.length === 0) return 0
    this.#mergedMax = Math.min(2 * this.#mergedMax, PLANNED_MAX)
    const damagedAt = this.#mergeAll(run)
    if (damagedAt !== null) {
      this.#mergeFrom = damagedAt + 1 // it stays as it is, for who reads it to be told
      return 0
    }
    this.#size.blocks -= run.length - 1
    return run.length
  }

  /** Makes one block of these; or says where one is damaged, which must not get a good checksum by being merged. */
  #mergeAll(run: readonly PlannedHead[]): number | null {
    const [oldest, newest] = [run[0] as PlannedHead, run.at(-1) as PlannedHead]
    let damagedAt: number | null = null
    this.#transaction(() => {
      const blocks: (ReadHead & { body: Uint8Array })[] = []
      for (const { first } of run) {
        const block = this.#wholeBlock(first)
        if (block === null) {
          damagedAt = first
          return
        }
        blocks.push(block)
      }
      const block = mergeBlocks(blocks)
      this.#run(this.#sql.delete, [oldest.first, newest.last])
      this.#insert(block, oldest.first)
      this.#size.blockBytes += block.body.length - run.reduce((sum, head) => sum + head.bytes, 0)
    })
    return damagedAt
  }

  /** Null when it is damaged. */
  #wholeBlock(first: number): (ReadHead & { body: Uint8Array }) | null {
    try {
      const row = this.#all(this.#sql.bodies, [first, first, 1])[0] ?? {}
      const head = headOf(row)
      const { body } = row as { body?: unknown }
      return head.seal !== null && body instanceof Uint8Array && bodyIsWhole(body, head.seal)
        ? { ...head, body }
        : null
    } catch (error) {
      if (isCorrupt(error)) return null
      throw error
    }
  }

  #insert(block: Block, first: number): void {
    const { count, atMin, atMax, kinds, severity, devices, streams, body } = block
    const head = {
      first,
      last: first + count - 1,
      atMin,
      atMax,
      kinds,
      severity,
      bodyBytes: body.length
    }
    this.#run(this.#sql.insert, [
      ...Object.values(head),
      seal(devices, head, body),
      streams && sealStreams(streams),
      body
    ])
  }

  #transaction(work: () => void): void {
    try {
      this.#run('begin immediate', [])
      work()
      this.#run('commit', [])
    } catch (error) {
      // SQLite has rolled back by itself after some errors; then there is nothing to roll back.
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw commitErrorOf(error, this.#dir)
    }
  }

  #measure(): LogSize {
    const row = this.#get(this.#sql.size)
    return {
      first: Number(row['first'] ?? this.#next),
      blocks: Number(row['blocks']),
      blockBytes: Number(row['bytes'] ?? 0),
      databaseBytes: this.#databaseBytes()
    }
  }

  #databaseBytes(): number {
    const pages = Number(this.#get('pragma page_count')['page_count'])
    return pages * Number(this.#get('pragma page_size')['page_size'])
  }

  #run(text: string, parameters: (string | number | null | Uint8Array)[]): void {
    this.#statements.get(text).run(...parameters)
  }

  #get(text: string): Record<string, unknown> {
    return this.#statements.get(text).get() ?? {}
  }

  #all(text: string, parameters: number[]): Record<string, unknown>[] {
    return this.#statements.get(text).all(...parameters)
  }
}

function plannedHeadOf(row: Record<string, unknown>): PlannedHead {
  return { first: Number(row['first']), last: Number(row['last']), bytes: Number(row['bytes']) }
}
