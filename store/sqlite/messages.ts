// What the event loop and the two database threads say to each other.
import type { CompiledQuery } from 'kysely'
import type { BackwardRequest, PackedBackward } from '../backward-reader.ts'
import type { PackedEntries, ReadRequest } from '../block-reader.ts'
import type { LogSize, LogState, MaintenanceLimits, MaintenanceSlice, SqlValue } from '../engine.ts'
import type { PackedPick, PickRequest } from '../entry-picker.ts'
import type { StoreErrorCode } from '../errors.ts'
import type { PackedCommit } from './packed-commit.ts'

/** What a thread starts with: the folder and its statements' texts. */
export interface WorkerData<Queries> {
  dir: string
  sql: Queries
}

/** A statement's text and parameters, without the syntax tree that Kysely keeps beside them. */
export interface PlainQuery {
  sql: string
  parameters: readonly SqlValue[]
}

/** Requests to the writer with their answers. */
export interface WriterCalls {
  /**
   * `schema`: the newest schema that is known. `walFramesLost`: frames at the end of the write-ahead file that SQLite did
   * not take.
   */
  open: { request: { schema: number }; answer: { state: LogState; size: LogSize; walFramesLost: number } }
  commit: { request: PackedCommit; answer: number }
  maintain: { request: MaintenanceLimits; answer: MaintenanceSlice }
  close: { request: null; answer: null }
}

/** Requests to the reader with their answers. */
export interface ReaderCalls {
  open: { request: null; answer: null }
  readEntries: { request: ReadRequest; answer: PackedEntries }
  readBackward: { request: BackwardRequest; answer: PackedBackward }
  pickEntries: { request: PickRequest; answer: PackedPick }
  query: { request: readonly PlainQuery[]; answer: unknown[][] }
  close: { request: null; answer: null }
}

/** Any table of calls. */
export type Calls<Known> = { [Name in keyof Known]: { request: unknown; answer: unknown } }

/** How an error crosses from a thread. */
export interface Failure {
  kind: 'commit' | 'store' | 'unexpected'
  code: 'disk-full' | 'disk-error' | StoreErrorCode | null
  message: string
  stack: string | null
}

// Rows and not objects: in a message each name of a property is written and looked up anew.
export type Request = readonly [id: number, call: string, request: unknown]

export type Reply =
  readonly [id: number, answer: unknown] | readonly [id: number, answer: null, failure: Failure]

/** Text and parameters of a query that was compiled on the event loop. */
export function plainQuery({ sql, parameters }: CompiledQuery): PlainQuery {
  return { sql, parameters: parameters as readonly SqlValue[] }
}
