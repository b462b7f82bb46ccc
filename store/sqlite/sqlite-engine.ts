// The engine over SQLite: two threads with a connection each, so that reads never delay commits and neither takes the
// event loop's time.
import type { CompiledQuery } from 'kysely'
import type { BackwardRequest, PackedBackward } from '../backward-reader.ts'
import type { PackedEntries, ReadRequest } from '../block-reader.ts'
import type { Commit, Engine, MaintenanceLimits, MaintenanceSlice } from '../engine.ts'
import type { PackedPick, PickRequest } from '../entry-picker.ts'
import { migrations } from '../migrate.ts'
import { compilingKysely } from './kysely-sqlite.ts'
import { readerQueries, writerQueries } from './log-queries.ts'
import { plainQuery } from './messages.ts'
import { CommitPacker } from './packed-commit.ts'
import type { ReaderCalls, WriterCalls } from './messages.ts'
import { ThreadClient } from './thread-client.ts'

export class SqliteEngine implements Engine {
  readonly queries = compilingKysely()
  readonly #packer = new CommitPacker()
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
    return this.#writer.call('commit', this.#packer.pack(commit))
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

// Beside this file, with its ending: compiled or not.
function script(name: string): URL {
  return new URL(import.meta.url.replace(/[^/]*(\.[jt]s)$/, `${name}$1`))
}
