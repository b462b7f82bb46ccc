// How fast a subscriber that was away catches up: a million notifications from the log to one WebSocket.
import { rowOf } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import { cpuMicroseconds } from '../process-usage.ts'
import type { MeasureOptions, Result, Row } from '../result.ts'
import { startTocsin } from '../servers/tocsin.ts'
import { buildsOf } from './builds.ts'

const MISSED = 1_000_000
const WHY_MISSED =
  'taking notifications out of the log’s blocks and writing them as JSON takes most of the core, a third of which the thread that reads the log needs.'

export async function measureResume(options: MeasureOptions): Promise<Result[]> {
  const title = `resume: one WebSocket subscriber with ${MISSED.toLocaleString('en')} missed notifications`
  options.progress(title)
  const rows: Row[] = []
  for (const build of buildsOf(options)) {
    await using stack = new AsyncDisposableStack()
    const { dir } = stack.use(await options.stores.copy(MISSED))
    const server = stack.use(await startTocsin({ ...build.options, dir }))
    const { httpPort: port, token } = server
    const reader = stack.use(await LoadProcess.create('feed-reader', { port, token, notifications: MISSED }))
    const rounds: Record<string, number>[] = []
    await reader.start() // warms up: later rounds find what runs often compiled
    for (let round = 1; round <= options.rounds; round++) {
      const before = cpuMicroseconds(server.pid)
      await reader.start()
      const cpu = cpuMicroseconds(server.pid) - before
      const { events = Number.NaN, elapsedMs = Number.NaN } = await reader.counts()
      const figures = { 'per second': (events * 1000) / elapsedMs, 'CPU µs/notification': cpu / events }
      options.progress(`  round ${round}: ${Math.round(figures['per second'])} a second`)
      rounds.push(figures)
    }
    rows.push(rowOf(build.name, rounds))
  }
  const figure = rows[0]?.figures['per second'] ?? Number.NaN
  const what = 'resume of 1 million missed notifications'
  return [
    {
      measure: 'resume',
      title,
      rows,
      goals: [{ what, sense: 'at least', limit: 500_000, unit: '/s', figure, whyMissed: WHY_MISSED }],
      notes: [
        'The log is read from its file, which the system has in its page cache. One reading before the rounds warms up.'
      ]
    }
  ]
}
