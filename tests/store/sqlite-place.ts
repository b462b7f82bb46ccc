// A folder for SQLite stores, for tests.
import { pino } from 'pino'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { openSqliteStore } from '../../store/sqlite/open-sqlite-store.ts'
import type { StoreOptions } from '../../store/store.ts'
import { quietOptions } from '../contract/store-place.ts'
import type { OpenStore, StorePlace } from '../contract/store-place.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

interface Extra {
  log?: Logger
  onFatal?: (error: Error) => void
}

/** Opens a store in `dir`. What would be fatal fails the test by being thrown. */
export async function openIn(dir: string, options: Partial<StoreOptions> & Extra = {}): Promise<OpenStore> {
  const registry = new Registry()
  const store = await openSqliteStore({
    ...quietOptions,
    log: pino({ level: 'silent' }),
    registry,
    ...options,
    dir
  })
  const metric = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0
  return {
    ...store,
    blocks: () => metric('tocsin_log_blocks'),
    metric,
    [Symbol.asyncDispose]: () => store.close()
  }
}

/** An empty folder that stores can be opened in. */
export async function sqlitePlace(): Promise<StorePlace & { dir: string }> {
  const folder = await temporaryFolder()
  return {
    dir: folder.path,
    open: options => openIn(folder.path, options),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]()
  }
}
