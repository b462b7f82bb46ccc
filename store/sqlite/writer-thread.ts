// The thread of the one connection that writes: opens and locks the folder, migrates, commits, maintains.
import type { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { migrate } from '../migrate.ts'
import { lockFolder, openDatabase } from './database.ts'
import { executingKysely } from './kysely-sqlite.ts'
import { LogWriter } from './log-writer.ts'
import type { WorkerData, WriterCalls } from './messages.ts'
import { openErrorOf } from './sqlite-errors.ts'
import { serve } from './thread-server.ts'

const { dir } = workerData as WorkerData
let lock: DatabaseSync | null = null
let db: DatabaseSync | null = null
let writer: LogWriter | null = null

function opened(): LogWriter {
  if (writer === null) throw new Error('the database is not open')
  return writer
}

async function open(): Promise<LogWriter> {
  try {
    lock = lockFolder(dir)
    db = openDatabase(dir, { write: true })
    await migrate(executingKysely(db), { whole: 'integer', bytes: 'blob' })
    return new LogWriter(db, dir)
  } catch (error) {
    throw openErrorOf(error, dir)
  }
}

serve<WriterCalls>({
  async open() {
    writer = await open()
    return { answer: { state: writer.state(), size: writer.size } }
  },
  commit: commit => ({ answer: opened().commit(commit) }),
  maintain: limits => ({ answer: opened().maintain(limits) }),
  close() {
    db?.close()
    lock?.close()
    return { answer: null }
  }
})
