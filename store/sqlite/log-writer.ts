// The log's side of the writing connection: commits, and the slices of maintenance between them.
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Block } from '../block.ts'
import { seal, sealStreams } from '../block-seal.ts'
import type { Commit, LogSize, LogState, MaintenanceLimits, MaintenanceSlice } from '../engine.ts'
import { BlockMerger, type MergedRun } from './block-merger.ts'
import type { WriterQueries } from './log-queries.ts'
import { commitErrorOf } from './sqlite-errors.ts'
import { StatementCache } from './statement-cache.ts'

const REMOVED_MAX = 16 // blocks one slice removes: up to 8 MB of pages

export class LogWriter {
  readonly #db: DatabaseSync
  readonly #dir: string
  readonly #statements: StatementCache
  readonly #sql: WriterQueries
  readonly #size: LogSize
  #next: number
  #lastAt: number
  readonly #merger: BlockMerger

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
    this.#merger = new BlockMerger({
      all: (text, parameters) => this.#all(text, parameters),
      sql: this.#sql,
      replace: run => this.#replace(run),
      nowMs: () => performance.now()
    })
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

  /** One slice: removes some blocks, or goes a step on with merging some, or finds nothing to do. */
  maintain(limits: MaintenanceLimits): MaintenanceSlice {
    const removed = this.#remove(limits)
    if (removed > 0) this.#merger.restart()
    const { merged, more } = removed > 0 ? { merged: 0, more: true } : this.#merger.step(limits.upTo)
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

  #replace({ first, last, blocks, bytes, block }: MergedRun): void {
    this.#transaction(() => {
      this.#run(this.#sql.delete, [first, last])
      this.#insert(block, first)
    })
    this.#size.blocks -= blocks - 1
    this.#size.blockBytes += block.body.length - bytes
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
