// How long a start takes until the server can take work, with an empty log and with ten million notifications in it, after
// an orderly end and after a kill.
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { rowOf } from '../compare.ts'
import { residentBytes } from '../process-usage.ts'
import type { Goal, MeasureOptions, Result, Row } from '../result.ts'
import { freePort } from '../servers/free-port.ts'
import { startTocsin } from '../servers/tocsin.ts'
import { buildsOf, type BuildOptions } from './builds.ts'

const NOTIFICATIONS = 10_000_000
const POLL_MS = 3
const READY_MS_MAX = 120_000
const MS = 'ms until ready'

export async function measureStart(options: MeasureOptions): Promise<Result[]> {
  const title = `start with ${NOTIFICATIONS.toLocaleString('en')} notifications in the log`
  options.progress(title)
  const rows: Row[] = []
  for (const build of buildsOf(options)) {
    await using full = await options.stores.copy(NOTIFICATIONS)
    const ways = [
      { name: 'an empty log', dir: null, signal: 'SIGTERM' },
      { name: '10 million notifications, after SIGTERM', dir: full.dir, signal: 'SIGTERM' },
      { name: '10 million notifications, after SIGKILL', dir: full.dir, signal: 'SIGKILL' }
    ] as const
    for (const { name, dir, signal } of ways) {
      const rounds: Record<string, number>[] = []
      // The first one is not counted: it makes the end that the others start from.
      for (let round = 0; round <= options.rounds; round++) {
        const figures = await startOnce(build, dir, signal)
        if (round === 0) continue
        options.progress(`  round ${round}: ${name}: ${figures[MS]?.toFixed(0)} ms`)
        rounds.push(figures)
      }
      rows.push(rowOf(`${build.name}, ${name}`, rounds))
    }
  }
  const goals = rows.slice(1, 3).map((row): Goal => {
    const figure = (row.figures[MS] ?? Number.NaN) / 1000
    return { what: `start: ${row.name}`, sense: 'at most', limit: 2, unit: 's', figure }
  })
  return [{ measure: 'start', title, rows, goals }]
}

async function startOnce(
  build: BuildOptions,
  dir: string | null,
  end: NodeJS.Signals
): Promise<Record<string, number>> {
  const httpPort = await freePort()
  const startedMs = performance.now()
  const starting = startTocsin({ ...build.options, httpPort, ...(dir !== null && { dir }) })
  // Whichever comes first: that it is ready, or that it has failed.
  await Promise.race([ready(httpPort), starting.then(() => ready(httpPort))])
  const elapsedMs = performance.now() - startedMs
  await using server = await starting
  const memory = residentBytes(server.pid) / 1024 ** 2
  process.kill(server.pid, end)
  return { [MS]: elapsedMs, 'MiB resident': memory }
}

/** Resolves when /readyz answers 200. */
async function ready(port: number): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX
  while ((await statusOf(port)) !== 200) {
    if (performance.now() > deadlineMs) throw new Error(`The server is not ready after ${READY_MS_MAX} ms`)
    await delay(POLL_MS)
  }
}

/** The status of /readyz; 0 when nobody answers. */
function statusOf(port: number): Promise<number> {
  return new Promise(resolve => {
    const asked = request({ host: '127.0.0.1', port, path: '/readyz', agent: false }, answer => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    asked.on('error', () => resolve(0))
    asked.end()
  })
}
