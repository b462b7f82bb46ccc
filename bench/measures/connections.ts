// 15,000 devices connected to one process, over MQTT, over raw TCP, and half over each: memory and CPU time of each, how fast
// they come, and that they stay served. Mosquitto has them all over MQTT.
import { setTimeout as delay } from 'node:timers/promises'
import type { CrowdOptions } from '../load/crowd.ts'
import { LoadProcess } from '../load/load-process.ts'
import { cpuMicroseconds, residentBytes } from '../process-usage.ts'
import { unlessMissing } from '../peers/peer.ts'
import { ratioGoal, withRatios, type Goal, type MeasureOptions, type Result, type Row } from '../result.ts'
import { startMosquitto } from '../peers/mosquitto.ts'
import { rowOf } from '../compare.ts'
import { startBuilds } from './builds.ts'

const CONNECTIONS = 15_000
const CONNECTS_AT_ONCE = 100
const PAYLOAD_BYTES = 100
const KEEPALIVE_S = 60
/** Checks that everybody is served, and the time between them. */
const CHECKS = 3
const SETTLE_MS = 1500
const collectOnSignal = new URL('../servers/collect-on-signal.js', import.meta.url).href

interface Target {
  name: string
  pid: number
  crowds: Pick<CrowdOptions, 'protocol' | 'port'>[]
  /** Whether it can be told to collect garbage. */
  collects: boolean
}

const mixes = {
  MQTT: ['mqtt', 'mqtt'],
  'raw TCP': ['tcp', 'tcp'],
  'half each': ['mqtt', 'tcp']
} as const
type Mix = keyof typeof mixes

const MOSQUITTO = 'Mosquitto'
const CONNECT_COST = 'CPU µs/connect'
const MEMORY = 'KB each'
const WHY_MISSED =
  'a connect is a socket of Node.js, a session with its place in the log, and a notification of presence with its row, which is made durable; Mosquitto keeps nothing.'

type Figures = Record<string, number>

/** 15,000 connections, of each server in turn. */
export async function measureConnections(options: MeasureOptions): Promise<Result[]> {
  const title = `${CONNECTIONS} connections: ${CONNECTS_AT_ONCE} connects at a time from each of 2 processes`
  options.progress(title)
  const rounds = new Map<string, Figures[]>()
  const missing: string[] = []
  for (let round = 1; round <= options.rounds; round++) {
    const measure = async (target: Target) => {
      const progress = (text: string) => options.progress(`  round ${round}: ${text}`)
      const figures = await measureCrowd(target, { ...options, progress })
      rounds.set(target.name, [...(rounds.get(target.name) ?? []), figures])
    }
    if (missing.length === 0) await measureMosquitto(measure, missing)
    for (const mix of Object.keys(mixes) as Mix[]) await measureTocsin(mix, measure, options)
  }
  const found = [...rounds].map(([name, figures]) => {
    const row = rowOf(name, figures)
    return name === MOSQUITTO ? { ...row, peer: true } : row
  })
  const rows = withRatios(found, CONNECT_COST)
  const goals = [
    memoryGoal(rows, 'MQTT', 12),
    memoryGoal(rows, 'raw TCP', 6),
    ratioGoal(rows, { what: 'CPU time of an MQTT connect', to: MOSQUITTO, limit: 4, whyMissed: WHY_MISSED })
  ]
  return [{ measure: 'connections', title, rows, goals, missing }]
}

async function measureMosquitto(
  measure: (target: Target) => Promise<void>,
  missing: string[]
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const mosquitto = await unlessMissing(missing, startMosquitto)
  if (mosquitto === null) return
  stack.use(mosquitto)
  const crowd = { protocol: 'mqtt', port: mosquitto.mqttPort } as const
  await measure({ name: MOSQUITTO, pid: mosquitto.pid, crowds: [crowd, crowd], collects: false })
}

async function measureTocsin(
  mix: Mix,
  measure: (target: Target) => Promise<void>,
  options: MeasureOptions
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const nodeFlags = ['--expose-gc', '--import', collectOnSignal]
  for (const { name, server } of await startBuilds(options, stack, { nodeFlags })) {
    const ports = { mqtt: server.mqttPort, tcp: server.tcpPort }
    const crowds = mixes[mix].map(protocol => ({ protocol, port: ports[protocol] }))
    await measure({ name: `${name}, ${mix}`, pid: server.pid, crowds, collects: true })
  }
}

function memoryGoal(rows: readonly Row[], mix: string, limit: number): Goal {
  const figure = rows.find(({ name }) => name === `Tocsin, ${mix}`)?.figures[MEMORY] ?? Number.NaN
  return { what: `memory of a connection, ${mix}`, sense: 'at most', limit, unit: 'KB', figure }
}

async function measureCrowd(target: Target, { seconds, progress }: MeasureOptions): Promise<Figures> {
  const { name, pid, crowds } = target
  await using stack = new AsyncDisposableStack()
  const devices = CONNECTIONS / crowds.length
  const loads: LoadProcess[] = []
  for (const [index, crowd] of crowds.entries()) {
    const options = { ...crowd, devices, first: index * devices, atOnce: CONNECTS_AT_ONCE }
    const rest = { keepaliveS: KEEPALIVE_S, payloadBytes: PAYLOAD_BYTES }
    loads.push(stack.use(await LoadProcess.create('crowd', { ...options, ...rest })))
  }
  const residentBefore = await settledBytes(target)
  const cpuBefore = cpuMicroseconds(pid)
  const startedMs = performance.now()
  await Promise.all(loads.map(load => load.start()))
  const connectSeconds = (performance.now() - startedMs) / 1000
  const connectCpu = cpuMicroseconds(pid) - cpuBefore
  progress(`${name}: connected in ${connectSeconds.toFixed(1)} s`)
  const residentPeak = residentBytes(pid)
  const resident = await settledBytes(target)
  let unanswered = 0
  let checkMs = 0
  for (let check = 0; check < CHECKS; check++) {
    await delay(seconds * 1000)
    const checkStartedMs = performance.now()
    const counts = await Promise.all(loads.map(load => load.check()))
    checkMs = performance.now() - checkStartedMs
    for (const { acknowledged = 0, pongs = 0 } of counts) unanswered += 2 * devices - acknowledged - pongs
  }
  const idleCpu = await idlePercent(pid, seconds)
  const counts = await Promise.all(loads.map(load => load.counts()))
  const closed = counts.reduce((sum, count) => sum + (count['closed'] ?? 0), 0)
  progress(`${name}: ${closed} closed, ${unanswered} answers missing`)
  return {
    [MEMORY]: (resident - residentBefore) / CONNECTIONS / 1000,
    'MiB in all': resident / 1024 ** 2,
    'MiB at peak': residentPeak / 1024 ** 2,
    'MiB after checks': (await settledBytes(target)) / 1024 ** 2,
    'connects/s': CONNECTIONS / connectSeconds,
    [CONNECT_COST]: connectCpu / CONNECTIONS,
    'check ms': checkMs,
    'idle CPU %': idleCpu,
    closed,
    'answers missing': unanswered
  }
}

async function idlePercent(pid: number, seconds: number): Promise<number> {
  const before = cpuMicroseconds(pid)
  await delay(seconds * 1000)
  return (cpuMicroseconds(pid) - before) / seconds / 10_000
}

/** Resident bytes when garbage is collected and what is freed is given back. */
async function settledBytes({ pid, collects }: Target): Promise<number> {
  for (let time = 0; time < 2; time++) {
    await delay(SETTLE_MS)
    if (collects) process.kill(pid, 'SIGUSR2')
  }
  await delay(SETTLE_MS)
  return residentBytes(pid)
}
