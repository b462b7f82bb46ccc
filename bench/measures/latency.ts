// Time from an event's being sent over MQTT QoS 1 to its being read from a WebSocket, durable in between.
import { setTimeout as delay } from 'node:timers/promises'
import { rowOf } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import type { MeasureOptions, Result, Row } from '../result.ts'
import { startBuilds } from './builds.ts'

const CONNECTIONS = 500
const PER_SECOND = 5000
const PAYLOAD_BYTES = 100
const SUBSCRIBERS = [1, 100]
const WARM_UP_MS = 3000

/** 5,000 events a second from 500 publishers, to 1 and to 100 subscribers. */
export async function measureLatency(options: MeasureOptions): Promise<Result[]> {
  const title = `Publish to WebSocket: ${PER_SECOND} QoS 1 events a second over ${CONNECTIONS} connections`
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
        const others = { port, token, dialect: 'tocsin', subscribers: subscribers - 1 } as const
        stack.use(await LoadProcess.create('web-subscribers', others))
      }
      const rounds = await timeRounds(options, publishers, timed)
      rows.push(rowOf(`${name}, ${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`, rounds))
    }
  }
  return [{ measure: 'latency', title, rows }]
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
    const ms = (name: string) => (counts[name] ?? Number.NaN) / 1000
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
