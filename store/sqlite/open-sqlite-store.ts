// Opens a store in a folder, on SQLite.
import { openStore } from '../open-store.ts'
import type { OpenStoreOptions } from '../open-store.ts'
import type { Store } from '../store.ts'
import { StoreError } from '../errors.ts'
import { damaged } from './sqlite-errors.ts'
import { SqliteEngine } from './sqlite-engine.ts'

export interface SqliteStoreOptions extends OpenStoreOptions {
  /** Folder of the data; created, for its owner only, when missing. */
  dir: string
}

/**
 * Opens the store in `dir` for this process alone. Rejects with `store-locked` when another process has it, and
 * `store-unreadable` when a newer version wrote it or it is damaged.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  let told = false
  // A thread that dies fails the commit it was at, too: that is one end, not two.
  const onFatal = (error: Error) => {
    if (told) return
    told = true
    if (!options.onFatal) throw error
    options.onFatal(error)
  }
  let opened = false
  const engine = new SqliteEngine(options.dir, error => {
    if (!opened) return // the call to open it rejects
    options.log.fatal({ err: error }, 'a database thread ended')
    onFatal(error)
  })
  try {
    const { walFramesLost, ...state } = await engine.open()
    opened = true
    if (walFramesLost > 0)
      options.log.warn(
        { frames: walFramesLost },
        'frames at the end of the write-ahead file are not whole and left out: a write that failed or was cut off leaves such, and so does damage'
      )
    return await openStore(engine, state, { ...options, onFatal }).catch((error: unknown) => {
      const unreadable = error instanceof StoreError && error.code === 'store-unreadable'
      throw unreadable ? damaged(options.dir, error.message, { cause: error }) : error
    })
  } catch (error) {
    await engine.close()
    throw error
  }
}
