// Opens the files of a store: the database with its settings, and the lock that keeps other processes out.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../errors.ts'
import { isBusy } from './sqlite-errors.ts'

const PAGE_BYTES = 8192 // blocks are large: a fifth less time in writes than 4096, and small commits stay small
const WAL_PAGES = 2048 // 16 MB of log before it is copied into the database: fewer, larger copies
const WAL_KEEP_BYTES = 64 * 1024 * 1024 // a larger log file is cut back after the copy
const BUSY_MS = 5000

/** Opens the database of the folder; `write` for the one connection that commits. */
export function openDatabase(dir: string, { write }: { write: boolean }): DatabaseSync {
  const db = new DatabaseSync(join(dir, 'tocsin.db'))
  db.exec(`pragma busy_timeout = ${BUSY_MS}`)
  if (write) {
    db.exec(`pragma page_size = ${PAGE_BYTES}`) // of a new database; others keep theirs
    db.exec('pragma journal_mode = wal')
    db.exec('pragma synchronous = full') // a commit returns after its fsync
    db.exec(`pragma wal_autocheckpoint = ${WAL_PAGES}`)
    db.exec(`pragma journal_size_limit = ${WAL_KEEP_BYTES}`)
  } else {
    db.exec('pragma query_only = on')
  }
  return db
}

/**
 * Takes the folder for this process until the returned database is closed or the process ends, however it ends: the
 * lock is the kernel's. Throws `store-locked`, and the system's error where the folder can't be made or written.
 */
export function lockFolder(dir: string): DatabaseSync {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  accessSync(dir, constants.W_OK) // SQLite would only say that it can't open a file
  const lock = new DatabaseSync(join(dir, 'lock.db'))
  try {
    lock.exec('pragma busy_timeout = 0')
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new StoreError(
      'store-locked',
      `another process serves ${dir}; stop it, or choose another store.dir`,
      {
        cause: error
      }
    )
  }
}
