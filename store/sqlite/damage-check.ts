// What is looked at before a database is served, in time that does not grow with the log: that the file is as long as it
// says, that it is the one that was there before, and that the tables beside the log agree with their indexes. Blocks have
// checksums, which are looked at when a block is read.
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../errors.ts'
import { damaged } from './sqlite-errors.ts'
import { readWal } from './wal-file.ts'

const HEADER_BYTES = 100
const EPOCH_FILE = 'log.epoch'
/** Rows beyond which a table is not checked at start: a tenth of a second each. */
const CHECKED_ROWS_MAX = 50_000

/**
 * Before the database is opened: that no page is missing. Pages that a crash left in the write-ahead file are not in the
 * database file yet. Returns the frames at the end of that file that SQLite will not take. Throws `store-unreadable`.
 */
export function checkFiles(dir: string): { framesLost: number } {
  const path = join(dir, 'tocsin.db')
  const wal = readWal(`${path}-wal`)
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (bytes === 0) {
    // SQLite would make a new database, and remove the write-ahead file of the one that was there.
    if (wal.pages.size > 0 || epochOf(dir) !== null) throw notTheSame(dir)
    return wal
  }
  const header = readHeader(path)
  if (header === null) throw damaged(dir, `tocsin.db has ${bytes} bytes, less than its header`)
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw damaged(dir, 'tocsin.db does not begin as a SQLite database does')
  const size = header.readUInt16BE(16)
  const pageBytes = size === 1 ? 65_536 : size
  const pages = wal.databasePages ?? header.readUInt32BE(28)
  let missing = 0
  for (let page = Math.floor(bytes / pageBytes) + 1; page <= pages; page++)
    if (!wal.pages.has(page)) missing++
  if (missing > 0)
    throw damaged(
      dir,
      `tocsin.db was cut short: it has ${bytes} bytes and should have ${pages * pageBytes}, ${missing} pages are missing`
    )
  return wal
}

function readHeader(path: string): Buffer | null {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    return readSync(file, header, 0, HEADER_BYTES, 0) === HEADER_BYTES ? header : null
  } finally {
    closeSync(file)
  }
}

/** That tables and their indexes say the same; tables too large for a start are passed by. Throws `store-unreadable`. */
export function checkTables(db: DatabaseSync, dir: string): void {
  const tables = db.prepare(`select name from sqlite_schema where type = 'table' and name <> 'block'`).all()
  for (const { name } of tables) {
    const rows = Number(db.prepare(`select max(rowid) as rows from "${name}"`).get()?.['rows'] ?? 0)
    if (rows > CHECKED_ROWS_MAX) continue
    const [problem] = db.prepare(`pragma integrity_check("${name}")`).all()
    const text = String(problem?.['integrity_check'])
      .replace('*** in database main ***', '')
      .trim()
      .replaceAll('\n', ', ')
    if (text !== 'ok') throw damaged(dir, `table ${name}: ${text}`)
  }
}

/** That the log is the one this folder had before; a folder that had none notes it. Throws `store-unreadable`. */
export function checkEpoch(dir: string, epoch: string): void {
  const before = epochOf(dir)
  if (before === null) writeFileSync(join(dir, EPOCH_FILE), `${epoch}\n`, { mode: 0o600 })
  else if (before !== epoch) throw notTheSame(dir)
}

/** Null where none was noted. */
function epochOf(dir: string): string | null {
  try {
    return readFileSync(join(dir, EPOCH_FILE), 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function notTheSame(dir: string): StoreError {
  const [epochFile, walFile] = [join(dir, EPOCH_FILE), join(dir, 'tocsin.db-wal')]
  return new StoreError(
    'store-unreadable',
    `the database in ${dir} is not the one that was there before: tocsin.db is missing, empty or another log. ` +
      `Put it back, or remove ${epochFile} and ${walFile} if that is meant`
  )
}
