// Time from an event's being sent over MQTT QoS 1 to its being read from a WebSocket, durable in between. One subscriber
// reads the times, the one in the middle of those that are written to; the others count bytes.
import { setTimeout as delay } from 'node:timers/promises'
import { OTHERS, rowOf } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import { cpuMicroseconds, machineMicroseconds } from '../process-usage.ts'
import type { Goal, MeasureOptions, Result, Row } from '../result.ts'
import { startBuilds } from './builds.ts'

const CONNECTIONS = 5000
const PER_SECOND = 10_000
const PAYLOAD_BYTES = 100
const SUBSCRIBERS_MAX = 100
const SUBSCRIBERS = [1, SUBSCRIBERS_MAX]
const FIRST_WARM_UP_MS = 3000
const WARM_UP_MS = 1000

const WHY_MISSED_MEDIAN =
  'an event waits a millisecond for the next commit, which takes half of one and more where an fsync does; writing a batch to ' +
  'a hundred sockets takes another, of which the subscriber in the middle sees half. And where all threads share one core, the ' +
  'one that commits waits for it, too: 0.6 ms whenever it is woken, twice a commit (perf sched latency).'
const WHY_MISSED_P99 =
  'with one core for all threads, the one that commits may wake from its fsync while the event loop is in the middle of a time ' +
  'slice, and has to wait for its end: 4, 8 or 12 ms, where the system’s clock ticks every 4. Of 6,453 commits 117 took more ' +
  'than 5 ms, and 28 more than 10; each of them delays the hundred events that came meanwhile.'

interface Contender {
  name: string
  pid: number
  publishers: LoadProcess
  timed: LoadProcess
  others: LoadProcess[]
  subscribers: number
}

/** 10,000 events a second from 5,000 devices, to 1 and to 100 subscribers. */
export async function measureLatency(options: MeasureOptions): Promise<Result[]> {
  const title = `Publish to WebSocket: ${PER_SECOND.toLocaleString('en')} durable events a second, MQTT QoS 1 from ${CONNECTIONS.toLocaleString('en')} devices`
  options.progress(title)
  const rows: Row[] = []
  for (const subscribers of SUBSCRIBERS) {
    await using stack = new AsyncDisposableStack()
    const contenders = await contendersFor(options, subscribers, stack)
    const found = new Map<Contender, Record<string, number>[]>()
    for (let round = 0; round < options.rounds; round++) {
      for (const contender of contenders) {
        const figures = await timeOnce(contender, round === 0 ? FIRST_WARM_UP_MS : WARM_UP_MS, options)
        const { 'median ms': middle, 'p99 ms': p99 } = figures
        options.progress(`  round ${round + 1}: ${contender.name}: median ${middle} ms, p99 ${p99} ms`)
        found.set(contender, [...(found.get(contender) ?? []), figures])
      }
    }
    for (const [{ name }, figures] of found) rows.push(rowOf(name, figures))
  }
  const notes = [
    'All subscribers want everything. One in the middle of them reads when each event was sent; the others count bytes.',
    'lost: notifications of acknowledged events that did not reach each of the other subscribers.'
  ]
  return [{ measure: 'latency', title, rows, goals: goalsOf(rows), notes }]
}

function goalsOf(rows: readonly Row[]): Goal[] {
  const { figures = {} } = rows.find(({ name }) => name === nameOf('Tocsin', SUBSCRIBERS_MAX)) ?? {}
  return (
    [
      ['median', 'median ms', 3, WHY_MISSED_MEDIAN],
      ['99th percentile', 'p99 ms', 15, WHY_MISSED_P99]
    ] as const
  ).map(([what, column, limit, whyMissed]) => ({
    what: `publish to WebSocket, ${SUBSCRIBERS_MAX} subscribers, ${what}`,
    sense: 'at most',
    limit,
    unit: 'ms',
    figure: figures[column] ?? Number.NaN,
    whyMissed
  }))
}

function nameOf(build: string, subscribers: number): string {
  return `${build}, ${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`
}

async function contendersFor(
  options: MeasureOptions,
  subscribers: number,
  stack: AsyncDisposableStack
): Promise<Contender[]> {
  const contenders: Contender[] = []
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
    const { httpPort: port, token, pid } = server
    const counting = async (count: number) =>
      stack.use(
        await LoadProcess.create('web-subscribers', {
          port,
          token,
          subscribers: count,
          dialect: 'tocsin',
          wants: 'everything'
        })
      )
    // A batch is written to one subscriber after the other, in the order in which they came.
    const before = Math.floor((subscribers - 1) / 2)
    const after = subscribers - 1 - before
    const others = before > 0 ? [await counting(before)] : []
    const timed = stack.use(await LoadProcess.create('feed-latency', { port, token }))
    if (after > 0) others.push(await counting(after))
    contenders.push({ name: nameOf(name, subscribers), pid, publishers, timed, others, subscribers })
  }
  return contenders
}

async function timeOnce(
  { pid, publishers, timed, others, subscribers }: Contender,
  warmUpMs: number,
  { seconds }: MeasureOptions
): Promise<Record<string, number>> {
  const acknowledgedBefore = (await publishers.counts()).events ?? Number.NaN
  for (const other of others) await other.start()
  await publishers.start()
  await delay(warmUpMs)
  const pids = [publishers, timed, ...others].map(load => load.pid)
  const before = usage(pid, pids)
  await timed.start()
  await delay(seconds * 1000)
  const counts = await timed.counts()
  const after = usage(pid, pids)
  const acknowledged = ((await publishers.stop()).events ?? Number.NaN) - acknowledgedBefore
  let delivered = 0
  for (const other of others) delivered += (await other.stop()).events ?? Number.NaN
  // What did not come took no time that could be told.
  const ms = (name: string) =>
    (counts['events'] ?? 0) > 0 ? (counts[name] ?? Number.NaN) / 1000 : Number.NaN
  const percent = (part: keyof Usage) => ((after[part] - before[part]) / (after.ms - before.ms)) * 100
  return {
    'per second': (counts['events'] ?? Number.NaN) / seconds,
    'median ms': ms('medianMicroseconds'),
    'p99 ms': ms('p99Microseconds'),
    'p99.9 ms': ms('p999Microseconds'),
    'longest ms': ms('maxMicroseconds'),
    'CPU %': percent('serverMs'),
    'load CPU %': percent('loadMs'),
    [OTHERS]: percent('othersMs'),
    lost: acknowledged * (subscribers - 1) - delivered
  }
}

interface Usage {
  serverMs: number
  loadMs: number
  othersMs: number
  ms: number
}

/** CPU time until now, ms: of the server, of the load makers, and of everything else on the machine. */
function usage(server: number, loads: readonly number[]): Usage {
  const serverMs = cpuMicroseconds(server) / 1000
  const loadMs = loads.reduce((sum, pid) => sum + cpuMicroseconds(pid) / 1000, 0)
  return {
    serverMs,
    loadMs,
    othersMs: machineMicroseconds() / 1000 - serverMs - loadMs,
    ms: performance.now()
  }
}
