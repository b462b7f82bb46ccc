// What the store asks of a database: few calls, none of which takes the event loop's time. Everything else (group
// commit, followers, recent window, filters, queries) is the same over every engine.
import type { CompiledQuery, Kysely } from 'kysely'
import type { Block } from './block.ts'
import type { BackwardRequest, PackedBackward } from './backward-reader.ts'
import type { PackedEntries, ReadRequest } from './block-reader.ts'
import type { PackedPick, PickRequest } from './entry-picker.ts'
import type { Schema } from './schema.ts'

export type SqlValue = string | number | null | Uint8Array

/**
 * A statement of a commit. Where its text reads `next_seq` of `log_state`, it sees the first sequence of the block it
 * is committed with.
 */
export interface Statement {
  sql: string
  parameters: readonly SqlValue[]
}

/** One transaction. */
export interface Commit {
  block: Block | null
  statements: readonly Statement[]
}

/** Why a commit failed, when trying again may help. Anything else that is thrown is a broken invariant. */
export class CommitError extends Error {
  readonly code: 'disk-full' | 'disk-error'

  constructor(code: 'disk-full' | 'disk-error', reason: string) {
    super(reason)
    this.name = 'CommitError'
    this.code = code
  }
}

/** What the log was like when it was opened. */
export interface LogState {
  epoch: string
  first: number
  next: number
  /** `at` of the last entry. */
  lastAt: number
  /** Streams are in their table up to this sequence, and in later blocks' own lists. */
  folded: number
}

export interface LogSize {
  /** Lowest sequence that is kept; the next one when none is. */
  first: number
  blocks: number
  /** Bytes of all blocks. */
  blockBytes: number
  /** Bytes of the database, with what it will use again. */
  databaseBytes: number
}

/** What maintenance may do: one small slice for each call. */
export interface MaintenanceLimits {
  /** Blocks whose last entry is older than this (ms since 1970) are removed. */
  before: number
  blockBytesMax: number
  /** Only blocks up to this sequence are touched. */
  upTo: number
}

export interface MaintenanceSlice extends LogSize {
  removed: number
  merged: number
  /** Whether another slice would find work now. */
  more: boolean
}

export interface Engine {
  /** Builds and compiles queries in the engine's dialect; executes none. */
  readonly queries: Kysely<Schema>
  /**
   * Commits and fsyncs (one commit at a time: the next is not begun before this one ended), and resolves with the sequence of the block's first entry. Rejects with `CommitError` when
   * nothing was committed and the same commit may succeed later.
   */
  commit(commit: Commit): Promise<number>
  /** Finds entries of committed blocks. */
  readEntries(request: ReadRequest): Promise<PackedEntries>
  /** The same, newest first. */
  readBackward(request: BackwardRequest): Promise<PackedBackward>
  /** Finds single entries by their sequences. */
  pickEntries(request: PickRequest): Promise<PackedPick>
  /** Answers of several queries as of one moment. */
  query(queries: readonly CompiledQuery[]): Promise<unknown[][]>
  /** Does one slice of retention and merging. */
  maintain(limits: MaintenanceLimits): Promise<MaintenanceSlice>
  close(): Promise<void>
}
