// How the cost of an event grows with what a server has to carry beside it: connections, subscribers, a long log, rules.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compare, type Contender } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import type { Chart, MeasureOptions, Result, Row } from '../result.ts'
import { startTocsin, type TocsinOptions } from '../servers/tocsin.ts'
import { temporaryFolder } from '../servers/temporary-folder.ts'
import { buildsOf } from './builds.ts'
import { ruleList } from './rule-texts.ts'

const CONNECTIONS = [100, 1000, 5000, 15_000]
const SUBSCRIBERS = [1, 10, 100, 1000, 5000]
const NOTIFICATIONS = [1_000_000, 3_000_000, 10_000_000]
const RULES = [0, 10, 100, 1000]
/** Rules that look at an event's topic where the others look at others'. */
const RULES_A_TOPIC = 5
const PAYLOAD_BYTES = 100
const EACH = 'CPU µs/event'

/** One way to grow, with a server for each of its points. */
interface Growth {
  chart: Omit<Chart, 'points' | 'lines' | 'up'>
  /** Numbers of whatever grows. */
  points: readonly number[]
  perSecond: number
  /** Name of each line, and how a server of one of its points is started and loaded. */
  lines: Record<string, (point: number, context: Context) => Promise<Contender>>
}

interface Context {
  name: string
  options: MeasureOptions
  stack: AsyncDisposableStack
  perSecond: number
}

const growths: readonly Growth[] = [
  {
    chart: { title: 'Connections', across: 'devices connected' },
    points: CONNECTIONS,
    perSecond: 5000,
    lines: {
      'MQTT QoS 1': async (devices, context) => publishing(await start(context), devices, context),
      'raw TCP': async (devices, context) => {
        const { server, name } = await start(context)
        const load = { devices, payloadBytes: PAYLOAD_BYTES, inflight: 4, perSecond: context.perSecond }
        const loads = [
          context.stack.use(await LoadProcess.create('tcp-devices', { ...load, port: server.tcpPort }))
        ]
        return { name, peer: false, pids: [server.pid], loads }
      }
    }
  },
  {
    chart: { title: 'Subscribers', across: 'WebSockets that want every event', logarithmic: true },
    points: SUBSCRIBERS,
    perSecond: 200,
    lines: {
      'taken in and delivered to all': async (subscribers, context) => {
        const started = await start(context)
        const { httpPort: port, token } = started.server
        const wants = { dialect: 'tocsin', wants: 'everything' } as const
        const clients = await LoadProcess.create('web-subscribers', { port, token, subscribers, ...wants })
        const contender = await publishing(started, 100, context)
        // What is counted is events, however many see each.
        const [counted] = contender.loads
        const loads = [...contender.loads, context.stack.use(clients)]
        return { ...contender, loads, ...(counted && { counted }) }
      }
    }
  },
  {
    chart: { title: 'Length of the log', across: 'notifications in the log' },
    points: NOTIFICATIONS,
    perSecond: 5000,
    lines: {
      'MQTT QoS 1': async (notifications, context) => {
        const { dir } = context.stack.use(await context.options.stores.copy(notifications))
        return publishing(await start(context, { dir }), 1000, context)
      }
    }
  },
  {
    chart: { title: 'Rules', across: 'rules', logarithmic: true },
    points: RULES,
    perSecond: 500,
    lines: {
      'all look at the event': (rules, context) => ruled(rules, rules, context),
      'five look at it, the rest at others': (rules, context) => ruled(rules, RULES_A_TOPIC, context)
    }
  }
]

/** Four tables, each with its chart. */
export async function measureGrowth(options: MeasureOptions): Promise<Result[]> {
  const results: Result[] = []
  for (const growth of growths) results.push(await measureOne(growth, options))
  return results
}

async function measureOne(growth: Growth, options: MeasureOptions): Promise<Result> {
  const { chart, points, perSecond, lines } = growth
  const title = `growth: ${chart.title.toLowerCase()}, at ${perSecond.toLocaleString('en')} events a second`
  options.progress(title)
  const rows: Row[] = []
  const drawn: Chart['lines'] = []
  for (const [line, startOne] of Object.entries(lines)) {
    await using stack = new AsyncDisposableStack()
    const contenders: Contender[] = []
    for (const point of points) {
      const name = `${line}: ${point.toLocaleString('en')} ${chart.across}`
      contenders.push(await startOne(point, { name, options, stack, perSecond }))
    }
    const found = await compare(contenders, { ...options, each: EACH })
    rows.push(...found)
    drawn.push({ name: line, values: found.map(({ figures }) => figures[EACH] ?? Number.NaN) })
  }
  const up = 'µs of CPU time an event'
  return {
    measure: 'growth',
    title,
    rows,
    chart: { ...chart, up, points: points.map(shortText), lines: drawn }
  }
}

/** A number with few digits: 15k, 3M. */
function shortText(value: number): string {
  if (value >= 1_000_000) return `${value / 1_000_000}M`
  return value >= 10_000 ? `${value / 1000}k` : value.toLocaleString('en')
}

interface Started {
  server: Awaited<ReturnType<typeof startTocsin>>
  name: string
}

async function start({ name, options, stack }: Context, more: TocsinOptions = {}): Promise<Started> {
  const [build] = buildsOf({ ...options, against: null })
  return { name, server: stack.use(await startTocsin({ ...build?.options, ...more })) }
}

async function publishing(
  { server, name }: Started,
  publishers: number,
  { stack, perSecond }: Context
): Promise<Contender> {
  const load = { payloadBytes: PAYLOAD_BYTES, inflight: 4, perSecond, stamped: false }
  const devices = await LoadProcess.create('publishers', { ...load, publishers, port: server.mqttPort })
  return { name, peer: false, pids: [server.pid], loads: [stack.use(devices)] }
}

/** A server with rules, of which some look at the events and the others at what nobody sends. */
async function ruled(rules: number, looking: number, context: Context): Promise<Contender> {
  const folder = context.stack.use(await temporaryFolder('rules'))
  const file = join(folder.path, 'alerting.yaml')
  const topics = Array.from({ length: rules }, (_, index) =>
    index < looking ? 'bench/+/temperature' : `bench/+/machine-${index}`
  )
  await writeFile(file, rules === 0 ? 'rules: []\n' : `rules:\n${ruleList(topics)}`)
  // Few devices: what is measured is rules, not the number of their keys.
  return publishing(await start(context, { flags: ['--alerting.file', file] }), 100, context)
}
