// The engine over SQLite: two threads with a connection each, so that reads never delay commits and neither takes the
// event loop's time.
import type { CompiledQuery } from 'kysely'
import type { Block } from '../block.ts'
import type { BackwardRequest, PackedBackward } from '../backward-reader.ts'
import type { PackedEntries, ReadRequest } from '../block-reader.ts'
import type { Commit, Engine, MaintenanceLimits, MaintenanceSlice } from '../engine.ts'
import type { PackedPick, PickRequest } from '../entry-picker.ts'
import { migrations } from '../migrate.ts'
import { compilingKysely } from './kysely-sqlite.ts'
import { readerQueries, writerQueries } from './log-queries.ts'
import { plainQuery } from './messages.ts'
import type { ReaderCalls, WriterCalls } from './messages.ts'
import { ThreadClient } from './thread-client.ts'

const OUTBOX_BYTES = 2 * 1024 * 1024 // more than a usual commit's body

export class SqliteEngine implements Engine {
  readonly queries = compilingKysely()
  readonly #outbox = new Outbox()
  readonly #writer: ThreadClient<WriterCalls>
  readonly #reader: ThreadClient<ReaderCalls>

  constructor(dir: string, onDeath: (error: Error) => void) {
    this.#writer = new ThreadClient(
      script('writer-thread'),
      { dir, sql: writerQueries(this.queries) },
      onDeath
    )
    this.#reader = new ThreadClient(
      script('reader-thread'),
      { dir, sql: readerQueries(this.queries) },
      onDeath
    )
  }

  /** Locks and opens the folder, and brings its schema up to date. */
  async open(): Promise<WriterCalls['open']['answer']> {
    const opened = await this.#writer.call('open', { schema: migrations.length })
    await this.#reader.call('open', null)
    return opened
  }

  commit(commit: Commit): Promise<number> {
    return this.#writer.call('commit', { ...commit, block: commit.block && this.#outbox.put(commit.block) })
  }

  readEntries(request: ReadRequest): Promise<PackedEntries> {
    return this.#reader.call('readEntries', request)
  }

  readBackward(request: BackwardRequest): Promise<PackedBackward> {
    return this.#reader.call('readBackward', request)
  }

  pickEntries(request: PickRequest): Promise<PackedPick> {
    return this.#reader.call('pickEntries', request)
  }

  query(queries: readonly CompiledQuery[]): Promise<unknown[][]> {
    return this.#reader.call('query', queries.map(plainQuery))
  }

  maintain(limits: MaintenanceLimits): Promise<MaintenanceSlice> {
    return this.#writer.call('maintain', limits)
  }

  /** The reader goes first: the connection that closes last tidies up the log file, and only the writer may write. */
  async close(): Promise<void> {
    await this.#reader.close()
    await this.#writer.close()
  }
}

/**
 * Memory that the event loop writes a block's body into and the writer thread reads it from: messages would copy it
 * three times, into memory that is new each time, at a third of what an append costs in all. There is one commit at a
 * time, so one place is enough.
 */
class Outbox {
  #shared: Uint8Array = new Uint8Array(new SharedArrayBuffer(OUTBOX_BYTES))

  put(block: Block): Block {
    const { length } = block.body
    if (length > this.#shared.length || (length <= OUTBOX_BYTES && this.#shared.length > OUTBOX_BYTES))
      this.#shared = new Uint8Array(new SharedArrayBuffer(Math.max(length, OUTBOX_BYTES)))
    this.#shared.set(block.body)
    return { ...block, body: this.#shared.subarray(0, length) }
  }
}

// Beside this file, with its ending: compiled or not.
function script(name: string): URL {
  return new URL(import.meta.url.replace(/[^/]*(\.[jt]s)$/, `${name}$1`))
}
