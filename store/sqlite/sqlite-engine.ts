// The engine over SQLite: two threads with a connection each, so that reads never delay commits and neither takes the
// event loop's time.
import type { CompiledQuery } from 'kysely'
import type { PackedEntries, ReadRequest } from '../block-reader.ts'
import type { Commit, Engine, LogSize, LogState, MaintenanceLimits, MaintenanceSlice } from '../engine.ts'
import { compilingKysely } from './kysely-sqlite.ts'
import { plainQuery } from './messages.ts'
import type { ReaderCalls, WriterCalls } from './messages.ts'
import { ThreadClient } from './thread-client.ts'

export class SqliteEngine implements Engine {
  readonly queries = compilingKysely()
  readonly #writer: ThreadClient<WriterCalls>
  readonly #reader: ThreadClient<ReaderCalls>

  constructor(dir: string, onDeath: (error: Error) => void) {
    this.#writer = new ThreadClient(script('writer-thread'), { dir }, onDeath)
    this.#reader = new ThreadClient(script('reader-thread'), { dir }, onDeath)
  }

  /** Locks and opens the folder, and brings its schema up to date. */
  async open(): Promise<{ state: LogState; size: LogSize }> {
    const opened = await this.#writer.call('open', null)
    await this.#reader.call('open', null)
    return opened
  }

  commit(commit: Commit): Promise<number> {
    return this.#writer.call('commit', commit)
  }

  readEntries(request: ReadRequest): Promise<PackedEntries> {
    return this.#reader.call('readEntries', request)
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
