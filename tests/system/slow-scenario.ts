// Subscribers of one server, three of which stop reading for a while: what the others and the server notice.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber, type Item } from '../helpers/feed-subscriber.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { Latencies, type Latency } from './latencies.ts'
import { eventOf, type TickEvent } from './slow-events.ts'
import { SlowLoad } from './slow-load.ts'
import type { ReaderReport, SlowReadersData, SlowReadersRequest } from './slow-readers.ts'

/** Subscribers that always read, half of them WebSockets. */
const OTHERS = 197
/** Of the load that everybody gets. */
const TICK_MS = 20
const WARM_MS = 2000
const MEMORY_SAMPLE_MS = 200
const CATCH_UP_MS = 60_000

/** What the load did for a while. */
export interface PhaseReport {
  /** From a device's sending to the receiving of the subscribers that always read. */
  latency: Latency
  /** Most memory of the server's process, in MiB. */
  residentMiB: number
}

export interface SlowReport {
  /** Three subscribers don't read. */
  frozen: PhaseReport
  /** They read again, until they have caught up. */
  catchUp: PhaseReport
  /** All read. */
  steady: PhaseReport
  catchUpSeconds: number
  /** How much was sent to each of the three while it didn't read, in MiB. */
  heldBackMiB: number
  /** Times a feed subscriber left live delivery, and MQTT sessions began to read from the log. */
  feedLeaves: number
  mqttCatchUps: number
  /** For each of the three: events it missed, and those that came out of order or twice. */
  readers: { name: string; received: number; missed: number; disordered: number; gaps: number }[]
}

export interface SlowOptions {
  seconds: number
  settings?: Record<string, string>
  /** Subscribers beside the three. */
  others?: number
  /** Time between two events that everybody gets, ms. */
  tickMs?: number
}

/**
 * Runs the load with three subscribers frozen, then with everybody reading, each for so long. The frozen ones come
 * first, and stop when their load begins: by then the system has given their sockets little room, so that it is the
 * server that must hold back.
 */
export async function runSlowScenario(
  dir: string,
  { seconds, settings = {}, others = OTHERS, tickMs = TICK_MS }: SlowOptions
): Promise<SlowReport> {
  await using cleanup = new AsyncDisposableStack()
  const server = cleanup.use(await ServerProcess.start(dir, settings))
  const latencies = new Latencies()
  const slow = cleanup.use(await SlowReaders.start(server))
  await connectOthers(server, latencies, { count: others, cleanup })
  const load = cleanup.use(await SlowLoad.connect(server))
  load.startTicks(tickMs)
  await eventually(() => load.sent.tick * tickMs > WARM_MS, { what: 'a warm server' })

  const before = { leaves: await feedLeaves(server), catchUps: await mqttCatchUps(server) }
  await slow.tell('freeze')
  load.startBulk()
  const frozen = await measure(server, latencies, () => delay(seconds * 1000))
  const heldBackMiB = Math.round(load.bulkBytes / 2 ** 20)

  const thawedMs = performance.now()
  await slow.tell('thaw')
  const catchUp = await measure(server, latencies, () => slow.reach({ ...load.sent }))
  const catchUpSeconds = (performance.now() - thawedMs) / 1000

  const steady = await measure(server, latencies, () => delay(seconds * 1000))
  await load.stop()
  await slow.reach(load.sent).catch(() => {}) // what is missing is counted instead
  return {
    frozen,
    catchUp,
    steady,
    catchUpSeconds,
    heldBackMiB,
    feedLeaves: (await feedLeaves(server)) - before.leaves,
    mqttCatchUps: (await mqttCatchUps(server)) - before.catchUps,
    readers: (await slow.tell('report')).map(report => summary(report, load.sent))
  }
}

const feedLeaves = (server: ServerProcess) => server.metric('tocsin_feed_slow_leaves_total')
const mqttCatchUps = (server: ServerProcess) => server.metric('tocsin_mqtt_catch_ups_total')

/** Latencies and memory while something goes on. */
async function measure(
  server: ServerProcess,
  latencies: Latencies,
  during: () => Promise<unknown>
): Promise<PhaseReport> {
  latencies.clear()
  let residentBytes = await server.residentBytes()
  const sampling = new AbortController()
  const samples = (async () => {
    for (;;) {
      await delay(MEMORY_SAMPLE_MS, undefined, { signal: sampling.signal })
      residentBytes = Math.max(residentBytes, await server.residentBytes())
    }
  })().catch(() => {}) // aborted
  await during()
  sampling.abort()
  await samples
  return { latency: latencies.summary(), residentMiB: Math.round(residentBytes / 2 ** 20) }
}

/** Connects those who always read, to the ticks alone. */
async function connectOthers(
  { url, adminToken: token, ports }: ServerProcess,
  latencies: Latencies,
  { count, cleanup }: { count: number; cleanup: AsyncDisposableStack }
): Promise<void> {
  const note = ({ sentMs }: TickEvent) => sentMs !== undefined && latencies.note(sentMs)
  const onItems = (items: readonly Item[]) => {
    for (const { payload } of items) note(payload as TickEvent)
  }
  for (let index = 0; index < Math.ceil(count / 2); index++) {
    const format = index % 2 === 0 ? 'json' : 'msgpack'
    cleanup.use(await FeedSubscriber.open({ url, token, format, filter: { topics: ['tick'] }, onItems }))
  }
  for (let index = 0; index < Math.floor(count / 2); index++) {
    const onMessage = ({ payload }: { payload: Buffer | string }) => note(eventOf(payload as Buffer))
    const clientId = `reader-${index}`
    const client = cleanup.use(await RawMqttClient.connect({ port: ports.mqtt, clientId, onMessage }))
    await client.subscribe('tick', index % 2 === 0 ? 0 : 1)
  }
}

/** The thread of those who stop reading. */
class SlowReaders implements AsyncDisposable {
  readonly #thread: Worker

  private constructor(thread: Worker) {
    this.#thread = thread
  }

  static async start({ url, adminToken: token, ports }: ServerProcess): Promise<SlowReaders> {
    const workerData: SlowReadersData = { url, token, mqttPort: ports.mqtt }
    const thread = new Worker(new URL('./slow-readers.js', import.meta.url), { workerData })
    await once(thread, 'message')
    return new SlowReaders(thread)
  }

  async tell(request: SlowReadersRequest): Promise<ReaderReport[]> {
    this.#thread.postMessage(request)
    const [reports] = (await once(this.#thread, 'message')) as [ReaderReport[]]
    return reports
  }

  /** Resolves when each has received the event of this number, or a later one, on each topic. */
  reach(goal: Readonly<Record<string, number>>): Promise<unknown> {
    const reached = ({ topics }: ReaderReport) =>
      Object.entries(goal).every(([topic, n]) => (topics[topic]?.last ?? 0) >= n)
    const all = async () => (await this.tell('report')).every(reached)
    return eventually(all, { timeoutMs: CATCH_UP_MS, everyMs: 20, what: 'catching up' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate()
  }
}

function summary({ name, topics, gaps }: ReaderReport, sent: Readonly<Record<string, number>>) {
  let [received, missed, disordered] = [0, 0, 0]
  for (const [topic, n] of Object.entries(sent)) {
    const seen = topics[topic] ?? { first: 1, count: 0, disordered: 0 }
    received += seen.count
    disordered += seen.disordered
    missed += n - (seen.first - 1) - (seen.count - seen.disordered)
  }
  return { name, received, missed, disordered, gaps }
}
