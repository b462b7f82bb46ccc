// A server that is killed again and again under load, and an oracle that knows what it had acknowledged.
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber, type Item } from '../helpers/feed-subscriber.ts'
import { readEvents } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { DurableSession, FaintingSession } from './durable-session.ts'
import { Reception } from './reception.ts'
import { loadSources, totalAcknowledged, totalOpen, type Source, type SourcePayload } from './load-sources.ts'

const EACH = 4
const WINDOW = 32
const CATCH_UP_MS = 20_000
/** Sessions are saved often, so that kills come between a saving and the acknowledgements of what it left open. */
const SETTINGS = { 'mqtt.sessionSaveMs': '100ms' }

/** What one kill did. Everything from `lost` on must be 0. */
export interface RoundReport {
  /** Events acknowledged in the round before the kill. */
  mqttAcknowledged: number
  tcpAcknowledged: number
  /** Events sent and not acknowledged when the process was killed. */
  openAtKill: number
  /** Events in the log at the end of the round. */
  logged: number
  /** Acknowledged events, of all rounds, that the log does not have. */
  lost: number
  /** Events over TCP that the log has more than once, or out of their order. */
  tcpRepeated: number
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
}

export class CrashScenario implements AsyncDisposable {
  readonly #server: ServerProcess
  readonly #sources: readonly Source[] = loadSources({ each: EACH, window: WINDOW })
  readonly #offline = new DurableSession('watcher-offline', 4)
  readonly #online = new DurableSession('watcher-online', 5)
  readonly #fainting = new FaintingSession('watcher-fainting')
  readonly #worked = new Reception()
  readonly #group = [
    new DurableSession('worker-1', 4, this.#worked),
    new DurableSession('worker-2', 5, this.#worked)
  ]
  readonly #feeds: ResumingFeed[] = [new ResumingFeed('json'), new ResumingFeed('msgpack')]

  private constructor(server: ServerProcess) {
    this.#server = server
  }

  static async start(dir: string): Promise<CrashScenario> {
    const scenario = new CrashScenario(await ServerProcess.start(dir, SETTINGS))
    await scenario.#offline.join(scenario.#server.ports.mqtt, 'load/#')
    await scenario.#offline.leave()
    await scenario.#online.join(scenario.#server.ports.mqtt, 'load/#')
    await scenario.#fainting.join(scenario.#server.ports.mqtt, 'load/#')
    for (const worker of scenario.#group)
      await worker.join(scenario.#server.ports.mqtt, '$share/workers/load/#')
    return scenario
  }

  /** Kills the server when about so many events of this round are acknowledged, and looks at what it knows afterwards. */
  async round(killAfter: number): Promise<RoundReport> {
    const before = this.#acknowledgedByProtocol()
    const sources = this.#sources
    for (const feed of this.#feeds) await feed.resume(this.#server)
    await this.#connectSources()
    const start = totalAcknowledged(sources)
    const load = (count: number) =>
      eventually(() => totalAcknowledged(sources) >= start + count, {
        what: 'load',
        everyMs: 1,
        timeoutMs: 30_000
      })
    for (const source of sources) source.run(true)
    await load(killAfter / 2)
    this.#fainting.faint()
    await load(killAfter)

    const openAtKill = totalOpen(sources)
    await this.#server.kill9()
    for (const source of sources) source.run(false)
    await Promise.all(sources.map(source => source.closed()))
    await Promise.all(this.#feeds.map(feed => feed.closed()))
    await this.#fainting[Symbol.asyncDispose]()
    const after = this.#acknowledgedByProtocol()
    await this.#server.restart()
    const lost = countLost(sources, await readEvents(this.#server)) // before anything is sent again

    await this.#connectSources()
    await eventually(() => totalOpen(sources) === 0, { what: 'acknowledgement of what was sent again' })
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
    return {
      mqttAcknowledged: after.mqtt - before.mqtt,
      tcpAcknowledged: after.tcp - before.tcp,
      openAtKill,
      logged: log.length,
      lost: lost + countLost(sources, log),
      tcpRepeated: countTcpRepeats(sources, log),
      feedMissed: feeds.reduce((sum, { missed }) => sum + missed, 0),
      feedRepeated: feeds.reduce((sum, { repeated }) => sum + repeated, 0),
      offlineMissed,
      onlineMissed,
      faintedMissed,
      groupMissed,
      sessionDisorders: sessions.reduce((sum, { reception }) => sum + reception.disorders, 0)
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
  }

  async #connectSources(): Promise<void> {
    const { ports } = this.#server
    const problems = await Promise.all(this.#sources.map(source => source.connect(ports[source.protocol])))
    const problem = problems.find(text => text !== null)
    if (problem !== undefined) throw new Error(problem)
  }

  #acknowledgedByProtocol(): { mqtt: number; tcp: number } {
    const of = (protocol: string) =>
      totalAcknowledged(this.#sources.filter(source => source.protocol === protocol))
    return { mqtt: of('mqtt'), tcp: of('tcp') }
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

/** A feed over many connections, each of which goes on from the cursor where the one before ended. */
class ResumingFeed implements AsyncDisposable {
  readonly #format: 'json' | 'msgpack'
  readonly #cursors: string[] = []
  #connection: FeedSubscriber | null = null
  #cursor = 'earliest'
  #gaps = 0

  constructor(format: 'json' | 'msgpack') {
    this.#format = format
  }

  async resume(server: ServerProcess): Promise<void> {
    if (this.#connection?.closeCode === null) return
    const { url, adminToken: token } = server
    const onItems = (items: readonly Item[]) => {
      for (const { cursor } of items) this.#cursors.push(cursor)
    }
    const filter = { kinds: ['event'] }
    this.#connection = await FeedSubscriber.open({
      url,
      token,
      format: this.#format,
      filter,
      after: this.#cursor,
      onItems
    })
    if (this.#connection.recovered !== true) this.#gaps++
  }

  async closed(): Promise<void> {
    await this.#connection?.closed
    this.#cursor = this.#connection?.cursor ?? this.#cursor
  }

  /** Reads to the end of the log and compares what was ever shown with it. */
  async compare(server: ServerProcess, log: readonly Item[]): Promise<{ missed: number; repeated: number }> {
    await this.resume(server)
    const last = log.at(-1)?.cursor
    await eventually(() => this.#cursors.at(-1) === last, { timeoutMs: CATCH_UP_MS }).catch(() => {}) // counted instead
    const place = new Map(log.map(({ cursor }, index) => [cursor, index]))
    const seen = new Set(this.#cursors)
    let repeated = 0
    let reached = -1
    for (const cursor of this.#cursors) {
      const at = place.get(cursor)
      if (at === undefined || at <= reached) repeated++
      else reached = at
    }
    const gaps = this.#gaps + (this.#connection?.gaps.length ?? 0)
    return { missed: log.filter(({ cursor }) => !seen.has(cursor)).length + gaps, repeated }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.[Symbol.asyncDispose]()
  }
}

function numbersByDevice(log: readonly Item[]): Map<string, number[]> {
  const byDevice = new Map<string, number[]>()
  for (const { device, payload } of log) {
    const { from, n } = payload as SourcePayload
    if (from !== device) throw new Error(`an event of ${from} is attributed to ${device}`)
    const numbers = byDevice.get(device)
    if (numbers === undefined) byDevice.set(device, [n])
    else numbers.push(n)
  }
  return byDevice
}

/** How many acknowledged events are not in the log. */
export function countLost(sources: readonly Source[], log: readonly Item[]): number {
  const byDevice = numbersByDevice(log)
  let lost = 0
  for (const source of sources) {
    const logged = new Set(byDevice.get(source.name))
    for (let n = 1; n <= source.sent; n++) if (source.wasAcknowledged(n) && !logged.has(n)) lost++
  }
  return lost
}

/** How many events over TCP are in the log beside one of each, in order. */
export function countTcpRepeats(sources: readonly Source[], log: readonly Item[]): number {
  const byDevice = numbersByDevice(log)
  let repeated = 0
  for (const { protocol, name } of sources) {
    if (protocol !== 'tcp') continue
    let expected = 1
    for (const n of byDevice.get(name) ?? []) {
      if (n === expected) expected++
      else repeated++
    }
  }
  return repeated
}
