// The thread of the one connection that writes: opens and locks the folder, migrates, commits, maintains.
import type { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { checkEpoch, checkFiles, checkTables } from './damage-check.ts'
import { lockFolder, openDatabase } from './database.ts'
import type { WriterQueries } from './log-queries.ts'
import { LogWriter } from './log-writer.ts'
import type { WorkerData, WriterCalls } from './messages.ts'
import { CommitUnpacker } from './packed-commit.ts'
import { openErrorOf } from './sqlite-errors.ts'
import { serve } from './thread-server.ts'

const { dir, sql } = workerData as WorkerData<WriterQueries>
const unpacker = new CommitUnpacker()
let lock: DatabaseSync | null = null
let db: DatabaseSync | null = null
let writer: LogWriter | null = null

function opened(): LogWriter {
  if (writer === null) throw new Error('the database is not open')
  return writer
}

async function open(schema: number): Promise<{ opened: LogWriter; walFramesLost: number }> {
  try {
    lock = lockFolder(dir)
    const { framesLost } = checkFiles(dir)
    db = openDatabase(dir, { write: true })
    if (schemaOf(db) !== schema) await migrateSchema(db)
    checkTables(db, dir)
    const opened = new LogWriter(db, { dir, sql })
    checkEpoch(dir, opened.state().epoch)
    return { opened, walFramesLost: framesLost }
  } catch (error) {
    throw openErrorOf(error, dir)
  }
}

/** Number of the newest migration that was applied, 0 for a new database. */
function schemaOf(db: DatabaseSync): number {
  const table = db.prepare(`select 1 from sqlite_schema where name = 'migration'`).get()
  return table ? Number(db.prepare('select max(number) as number from migration').get()?.['number'] ?? 0) : 0
}

// Kysely is loaded only when there is something to do: it takes most of the time of a start.
async function migrateSchema(db: DatabaseSync): Promise<void> {
  const { migrate } = await import('../migrate.ts')
  const { executingKysely } = await import('./kysely-sqlite.ts')
  await migrate(executingKysely(db), { whole: 'integer', bytes: 'blob' })
}

serve<WriterCalls>({
  async open({ schema }) {
    const { opened, walFramesLost } = await open(schema)
    writer = opened
    return { answer: { state: opened.state(), size: opened.size, walFramesLost } }
  },
  commit: packed => ({ answer: opened().commit(unpacker.unpack(packed)) }),
  maintain: limits => ({ answer: opened().maintain(limits) }),
  close() {
    db?.close()
    lock?.close()
    return { answer: null }
  }
})
