// Time from an event's being sent over MQTT QoS 1 to its being read from a WebSocket, durable in between.
import { setTimeout as delay } from 'node:timers/promises'
import { rowOf } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import type { Goal, MeasureOptions, Result, Row } from '../result.ts'
import { startBuilds } from './builds.ts'

const CONNECTIONS = 5000
const PER_SECOND = 10_000
const PAYLOAD_BYTES = 100
const SUBSCRIBERS_MAX = 100
const SUBSCRIBERS = [1, SUBSCRIBERS_MAX]
const WARM_UP_MS = 3000

/** 10,000 events a second from 5,000 devices, to 1 and to 100 subscribers. */
export async function measureLatency(options: MeasureOptions): Promise<Result[]> {
  const title = `Publish to WebSocket: ${PER_SECOND.toLocaleString('en')} durable events a second, MQTT QoS 1 from ${CONNECTIONS.toLocaleString('en')} devices`
  options.progress(title)
  const rows: Row[] = []
  for (const subscribers of SUBSCRIBERS) {
    await using stack = new AsyncDisposableStack()
    for (const { name, server } of await startBuilds(options, stack)) {
      const publishers = stack.use(
        await LoadProcess.create('publishers', {
          port: server.mqttPort,
          publishers: CONNECTIONS,
          payloadBytes: PAYLOAD_BYTES,
          inflight: 16,
          perSecond: PER_SECOND,
          stamped: true
        })
      )
      const { httpPort: port, token } = server
      const timed = stack.use(await LoadProcess.create('feed-latency', { port, token }))
      if (subscribers > 1) {
        const others = { port, token, subscribers: subscribers - 1 }
        const same = { dialect: 'tocsin', wants: 'everything' } as const
        stack.use(await LoadProcess.create('web-subscribers', { ...others, ...same }))
      }
      const rounds = await timeRounds(options, publishers, timed)
      rows.push(rowOf(nameOf(name, subscribers), rounds))
    }
  }
  return [{ measure: 'latency', title, rows, goals: goalsOf(rows) }]
}

function goalsOf(rows: readonly Row[]): Goal[] {
  const { figures = {} } = rows.find(({ name }) => name === nameOf('Tocsin', SUBSCRIBERS_MAX)) ?? {}
  return (
    [
      ['median', 'median ms', 3],
      ['99th percentile', 'p99 ms', 15]
    ] as const
  ).map(([what, column, limit]) => ({
    what: `publish to WebSocket, ${SUBSCRIBERS_MAX} subscribers, ${what}`,
    sense: 'at most',
    limit,
    unit: 'ms',
    figure: figures[column] ?? Number.NaN
  }))
}

function nameOf(build: string, subscribers: number): string {
  return `${build}, ${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`
}

async function timeRounds(
  { rounds, seconds, progress }: MeasureOptions,
  publishers: LoadProcess,
  timed: LoadProcess
): Promise<Record<string, number>[]> {
  const all: Record<string, number>[] = []
  await publishers.start()
  await delay(WARM_UP_MS)
  for (let round = 1; round <= rounds; round++) {
    await timed.start()
    await delay(seconds * 1000)
    const counts = await timed.counts()
    // What did not come took no time that could be told.
    const ms = (name: string) =>
      (counts['events'] ?? 0) > 0 ? (counts[name] ?? Number.NaN) / 1000 : Number.NaN
    const figures = {
      'per second': (counts['events'] ?? Number.NaN) / seconds,
      'median ms': ms('medianMicroseconds'),
      'p99 ms': ms('p99Microseconds'),
      'p99.9 ms': ms('p999Microseconds'),
      'longest ms': ms('maxMicroseconds')
    }
    progress(`  round ${round}: median ${figures['median ms']} ms, p99 ${figures['p99 ms']} ms`)
    all.push(figures)
  }
  await publishers.stop()
  return all
}
