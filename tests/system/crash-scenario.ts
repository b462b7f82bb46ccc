// A server that is killed again and again under load, and an oracle that knows what it had acknowledged.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { readEvents } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { DurableSession, FaintingSession } from './durable-session.ts'
import { Reception } from './reception.ts'
import { AlertOracle, type AlertReport } from './alert-oracle.ts'
import { countLost, countRepeats } from './crash-oracle.ts'
import { ExactSource } from './exact-source.ts'
import { HttpSource } from './http-source.ts'
import { connectSources, loadSources, totalAcknowledged, totalOpen, type Source } from './load-sources.ts'
import { ResumingFeed } from './resuming-feed.ts'

const EACH = 4
const WINDOW = 32
const CATCH_UP_MS = 60_000
/** Machines can be busy. */
const PATIENCE_MS = 60_000
/** Sessions are saved often, so that kills come between a saving and the acknowledgements of what it left open. */
const SETTINGS = { 'mqtt.sessionSaveMs': '100ms' }

/** What one kill did. Everything from `lost` on must be 0. */
export interface RoundReport {
  /** Events acknowledged in the round before the kill. */
  mqttAcknowledged: number
  tcpAcknowledged: number
  httpAcknowledged: number
  /** Events sent and not acknowledged when the process was killed. */
  openAtKill: number
  /** Events in the log at the end of the round. */
  logged: number
  /** Acknowledged events, of all rounds, that the log does not have. */
  lost: number
  /** Events over TCP, and over MQTT at QoS 2, that the log has more than once, or out of their order. */
  tcpRepeated: number
  exactRepeated: number
  /** Events in the log that a feed, resumed from its cursor, did not show. */
  feedMissed: number
  /** Events that a feed showed more than once, out of the log's order, or that are not in the log. */
  feedRepeated: number
  /**
   * Acknowledged events that did not come to the durable session that was offline at the kill, to the one that was
   * connected, and to the one that had stopped reading and lost what its socket held.
   */
  offlineMissed: number
  onlineMissed: number
  faintedMissed: number
  /** The same of two connected members of a shared subscription, together. */
  groupMissed: number
  /** Events that these sessions got for the first time after a later one of the same device. */
  sessionDisorders: number
  /** What became of alerts and their deliveries; null where no rules are loaded. */
  alerts: AlertReport | null
}

/** When a round's kill comes. */
export interface Kill {
  /** When about so many events of the round are acknowledged, some of them over each protocol. */
  after: number
  /** So long after that, ms. */
  delayMs?: number
  /** Whether the start after it is killed, too, and how long after its beginning, ms. */
  againMs?: number | null
}

export class CrashScenario implements AsyncDisposable {
  readonly #server: ServerProcess
  readonly #alerts: AlertOracle | null
  readonly #sources: readonly Source[] = [
    ...loadSources({ each: EACH, window: WINDOW }),
    ...[0, 1].map(index => new ExactSource({ name: `exact-${index}`, window: WINDOW })),
    ...[0, 1].map(index => new HttpSource({ name: `http-${index}`, window: WINDOW }))
  ]
  readonly #offline = new DurableSession('watcher-offline', 4)
  readonly #online = new DurableSession('watcher-online', 5)
  readonly #fainting = new FaintingSession('watcher-fainting')
  readonly #worked = new Reception()
  readonly #group = [
    new DurableSession('worker-1', 4, this.#worked),
    new DurableSession('worker-2', 5, this.#worked)
  ]
  readonly #feeds: ResumingFeed[] = [new ResumingFeed('json'), new ResumingFeed('msgpack')]

  private constructor(server: ServerProcess, alerts: AlertOracle | null) {
    this.#server = server
    this.#alerts = alerts
  }

  /** `alerts`: whether rules judge the load and webhooks tell of it, to a receiver whose faults `seed` repeats. */
  static async start(
    dir: string,
    { alerts = false, seed = 1 }: { alerts?: boolean; seed?: number } = {}
  ): Promise<CrashScenario> {
    const oracle = alerts ? await AlertOracle.start(dir, seed) : null
    const server = await ServerProcess.start(join(dir, 'data'), { ...SETTINGS, ...oracle?.settings })
    const scenario = new CrashScenario(server, oracle)
    await scenario.#offline.join(scenario.#server.ports.mqtt, 'load/#')
    await scenario.#offline.leave()
    await scenario.#online.join(scenario.#server.ports.mqtt, 'load/#')
    await scenario.#fainting.join(scenario.#server.ports.mqtt, 'load/#')
    for (const worker of scenario.#group)
      await worker.join(scenario.#server.ports.mqtt, '$share/workers/load/#')
    return scenario
  }

  /** Kills the server under load and looks at what it knows afterwards. */
  async round({ after: killAfter, delayMs = 0, againMs = null }: Kill): Promise<RoundReport> {
    const before = this.#acknowledgedByProtocol()
    const sources = this.#sources
    if (this.#alerts) this.#alerts.receiver.faulty = true
    for (const feed of this.#feeds) await feed.resume(this.#server)
    await connectSources(sources, this.#server)
    const start = totalAcknowledged(sources)
    const load = (count: number) =>
      eventually(() => totalAcknowledged(sources) >= start + count, {
        what: 'load',
        everyMs: 1,
        timeoutMs: PATIENCE_MS
      })
    for (const source of sources) source.run(true)
    await load(killAfter / 2)
    this.#fainting.faint()
    await load(killAfter)
    const overEach = () => {
      const now = this.#acknowledgedByProtocol()
      return now.mqtt > before.mqtt && now.tcp > before.tcp && now.http > before.http
    }
    await eventually(overEach, {
      what: 'load over each protocol',
      everyMs: 1,
      timeoutMs: PATIENCE_MS
    })
    if (delayMs > 0) await delay(delayMs)

    const openAtKill = totalOpen(sources)
    await this.#server.kill9()
    for (const source of sources) source.run(false)
    await Promise.all(sources.map(source => source.closed()))
    await Promise.all(this.#feeds.map(feed => feed.closed()))
    await this.#fainting[Symbol.asyncDispose]()
    const after = this.#acknowledgedByProtocol()
    if (againMs !== null) await this.#server.startAndKill(againMs)
    await this.#server.restart()
    const lost = countLost(sources, await readEvents(this.#server)) // before anything is sent again

    await connectSources(sources, this.#server)
    await eventually(() => totalOpen(sources) === 0, {
      what: 'acknowledgement of what was sent again',
      timeoutMs: PATIENCE_MS
    })
    const log = await readEvents(this.#server)
    const feeds = await Promise.all(this.#feeds.map(feed => feed.compare(this.#server, log)))
    await this.#offline.join(this.#server.ports.mqtt)
    await this.#fainting.join(this.#server.ports.mqtt)
    const offlineMissed = await this.#missedBy(this.#offline)
    const onlineMissed = await this.#missedBy(this.#online)
    const faintedMissed = await this.#missedBy(this.#fainting)
    const groupMissed = await this.#missedBy({ reception: this.#worked })
    const sessions = [this.#offline, this.#online, this.#fainting]
    await this.#offline.leave()
    await Promise.all(sources.map(source => source.close()))
    const alerts = await this.#alerts?.judge(this.#server)
    return {
      mqttAcknowledged: after.mqtt - before.mqtt,
      tcpAcknowledged: after.tcp - before.tcp,
      httpAcknowledged: after.http - before.http,
      openAtKill,
      logged: log.length,
      lost: lost + countLost(sources, log),
      tcpRepeated: countRepeats(
        sources.filter(({ protocol }) => protocol === 'tcp'),
        log
      ),
      exactRepeated: countRepeats(
        sources.filter(({ protocol }) => protocol === 'mqtt'),
        log
      ),
      feedMissed: feeds.reduce((sum, { missed }) => sum + missed, 0),
      feedRepeated: feeds.reduce((sum, { repeated }) => sum + repeated, 0),
      offlineMissed,
      onlineMissed,
      faintedMissed,
      groupMissed,
      sessionDisorders: sessions.reduce((sum, { reception }) => sum + reception.disorders, 0),
      alerts: alerts ?? null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const resources = [
      this.#offline,
      this.#online,
      this.#fainting,
      ...this.#group,
      ...this.#feeds,
      this.#server
    ]
    for (const source of this.#sources) await source.close()
    for (const resource of resources) await resource[Symbol.asyncDispose]()
    await this.#alerts?.[Symbol.asyncDispose]()
  }

  #acknowledgedByProtocol(): { mqtt: number; tcp: number; http: number } {
    const of = (protocol: string) =>
      totalAcknowledged(this.#sources.filter(source => source.protocol === protocol))
    return { mqtt: of('mqtt'), tcp: of('tcp'), http: of('http') }
  }

  /** Waits until the session has everything, as long as it gets anything; then counts. */
  async #missedBy({ reception }: { reception: Reception }): Promise<number> {
    await eventually(() => reception.missing(this.#sources) === 0, {
      timeoutMs: CATCH_UP_MS,
      everyMs: 20
    }).catch(() => {}) // counted instead
    return reception.missing(this.#sources)
  }
}
