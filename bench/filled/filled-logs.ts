// Logs of millions of notifications, filled once in a run and copied for each measure that needs one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { cp, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FilledCopy, FilledStores } from '../result.ts'
import { startTocsin } from '../servers/tocsin.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary-folder.ts'
import { eventsOf, OFTEN } from './fleet.ts'

/** What a notification takes on the disk, with room for its write-ahead log; measured, and rounded up. */
const BYTES_EACH = 260
const FILL_MS_MAX = 600_000
const CATCH_UP_MS = 300_000
const program = fileURLToPath(new URL('./fill-log.js', import.meta.url))

export class FilledLogs implements FilledStores, AsyncDisposable {
  readonly #filled = new Map<number, Promise<string>>()
  readonly #progress: (text: string) => void
  #folder: Promise<TemporaryFolder> | null = null
  #copies = 0

  constructor(progress: (text: string) => void) {
    this.#progress = progress
  }

  async copy(notifications: number): Promise<FilledCopy> {
    const { path: folder } = await (this.#folder ??= temporaryFolder('logs'))
    let filled = this.#filled.get(notifications)
    if (filled === undefined) {
      await this.#mindTheDisk(folder, 2 * notifications)
      filled = this.#fill(join(folder, String(notifications)), notifications)
      this.#filled.set(notifications, filled)
    } else await this.#mindTheDisk(folder, notifications)
    const copy = join(folder, `copy-${++this.#copies}`)
    await cp(await filled, copy, { recursive: true, mode: constants.COPYFILE_FICLONE })
    return { dir: copy, [Symbol.asyncDispose]: () => rm(copy, { recursive: true, force: true }) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const folder = await this.#folder
    await folder?.[Symbol.asyncDispose]()
  }

  async #mindTheDisk(folder: string, notifications: number): Promise<void> {
    const { bavail, bsize } = await statfs(folder)
    const needed = notifications * BYTES_EACH
    if (bavail * bsize > needed) return
    const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
    throw new Error(
      `This measure needs ${gigabytes(needed)} free in ${folder}, where ${gigabytes(bavail * bsize)} are. Set BENCH_DIR to a folder with more room.`
    )
  }

  async #fill(dir: string, notifications: number): Promise<string> {
    this.#progress(`  filling a log with ${notifications.toLocaleString('en')} notifications`)
    const child = spawn(process.execPath, [program, dir, String(notifications)], {
      stdio: 'inherit',
      timeout: FILL_MS_MAX
    })
    const orphan = () => void child.kill('SIGKILL')
    process.once('exit', orphan)
    const [code] = (await once(child, 'exit')) as [number | null]
    process.off('exit', orphan)
    if (code !== 0) throw new Error(`The log could not be filled; exit code ${code}`)
    await settle(dir, notifications)
    return dir
  }
}

/** Lets a server take note of all that is there, and say goodbye, as one does that has been running. */
async function settle(dir: string, notifications: number): Promise<void> {
  await using server = await startTocsin({ dir })
  const url = `http://127.0.0.1:${server.httpPort}/v1/devices/${OFTEN}`
  const headers = { authorization: `Bearer ${server.token}` }
  const wanted = eventsOf(OFTEN, notifications)
  const deadlineMs = performance.now() + CATCH_UP_MS
  for (;;) {
    const answer = await fetch(url, { headers })
    const { events = 0 } = (await answer.json()) as { events?: number }
    if (events >= wanted) return
    if (performance.now() > deadlineMs) throw new Error(`The server has seen ${events} of ${wanted} events`)
    await delay(100)
  }
}
