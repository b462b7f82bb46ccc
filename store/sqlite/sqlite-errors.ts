// What SQLite's result codes mean for the log (https://www.sqlite.org/rescode.html).
import { statfsSync } from 'node:fs'
import { CommitError } from '../engine.ts'
import { StoreError } from '../errors.ts'

const SPARE_BYTES = 256 * 1024 // with less than this free, an I/O error is taken for a full disk

const primary = { busy: 5, readonly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 }
const transient: ReadonlySet<number> = new Set([
  primary.busy,
  primary.readonly,
  primary.ioError,
  primary.corrupt,
  primary.full,
  primary.cantOpen
])

/** Primary result code of an error of `node:sqlite`, or null. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode & 0xff
}

/** Whether another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === primary.busy
}

/** Whether the database's structure is not what SQLite wrote. */
export function isCorrupt(error: unknown): boolean {
  const code = resultCode(error)
  return code === primary.corrupt || code === primary.notADatabase
}

/** What to do about damage, as the end of a sentence. */
const ADVICE = 'restore the folder from a backup, or save what is left as docs/operate.md says under "Damage"'

/** An error that says that the database is damaged, and what to do. */
export function damaged(dir: string, what: string, options?: ErrorOptions): StoreError {
  return new StoreError('store-unreadable', `the database in ${dir} is damaged: ${what}; ${ADVICE}`, options)
}

/** The error as `CommitError` when a later try may succeed, else as it is. */
export function commitErrorOf(error: unknown, dir: string): unknown {
  const code = resultCode(error)
  if (code === null || !transient.has(code)) return error
  // Shared memory that can't grow is an I/O error to SQLite, though the disk is full.
  if (code === primary.full || (code === primary.ioError && diskIsFull(dir)))
    return new CommitError('disk-full', `no space is left on the disk of ${dir}`)
  return new CommitError('disk-error', `the database in ${dir} cannot be written: ${messageOf(error)}`)
}

/** Makes errors of opening the database speak of the folder. */
export function openErrorOf(error: unknown, dir: string): unknown {
  const code = resultCode(error)
  if (code === null) return error
  if (isCorrupt(error)) return damaged(dir, messageOf(error), { cause: error })
  return new StoreError('store-unreadable', `the database in ${dir} cannot be opened: ${messageOf(error)}`, {
    cause: error
  })
}

function diskIsFull(dir: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dir)
    return bavail * bsize < SPARE_BYTES
  } catch {
    return false // the folder is gone, or so; the error itself says more
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
