// What the `$SYS` topics say, by the names that operators know from Mosquitto (docs/protocol/mqtt.md lists them). They
// are sums over everybody: no name, id or address of a client is ever part of a topic or a value.
import type { Log } from '../../store/store.ts'
import { LoadAverages } from './load-averages.ts'
import type { ClientCount, TrafficCounts } from './metrics.ts'

/** What the values are worked out from. */
export interface SysSources {
  version: string
  traffic: TrafficCounts
  clients: Pick<ClientCount, 'connected' | 'maximum'>
  /** Messages that were not sent, by reason. */
  counts: { tooLarge: number; expired: number }
  sessions: {
    /** Durable sessions, connected or not. */
    readonly storedCount: number
    readonly expiredCount: number
    /** Sessions in memory. */
    readonly loaded: Iterable<CountedSession>
  }
  connections: Iterable<{ readonly outbox: { readonly unsentBytes: number } }>
  retained: { readonly count: number }
  log: Pick<Log, 'bounds'>
  /** A clock that never goes back, ms. */
  monotonicMs: () => number
}

interface CountedSession {
  readonly attached: boolean
  readonly durable: boolean
  readonly inflightCount: number
  readonly subscriptionCount: number
  readonly memberships: { readonly size: number }
}

const PREFIX = '$SYS/broker/'

/** The values of all topics; reading them costs a walk over all sessions and connections. */
export class SysValues {
  readonly #sources: SysSources
  readonly #loads: LoadAverages
  readonly #startedAt: number

  constructor(sources: SysSources) {
    const { traffic, monotonicMs } = sources
    this.#sources = sources
    this.#startedAt = monotonicMs()
    this.#loads = new LoadAverages(
      {
        'load/connections': () => traffic.connectsReceived,
        'load/sockets': () => traffic.socketsOpened,
        'load/messages/received': () => traffic.packetsReceived,
        'load/messages/sent': () => traffic.packetsSent,
        'load/bytes/received': () => traffic.bytesReceived,
        'load/bytes/sent': () => traffic.bytesSent,
        'load/publish/received': () => traffic.publishReceived,
        'load/publish/sent': () => traffic.publishSent,
        'load/publish/dropped': () => this.#dropped
      },
      monotonicMs
    )
  }

  /** Takes the last interval into the averages. To be called once an interval, whether anybody looks or not. */
  advance(): void {
    this.#loads.advance()
  }

  /** Each topic's value now; the topics are always the same ones. */
  read(): [topic: string, value: string][] {
    const values: [string, string | number][] = [
      ...this.#server(),
      ...this.#clients(),
      ...this.#traffic(),
      ...this.#loads.values().map(([name, perMinute]): [string, string] => [name, perMinute.toFixed(2)])
    ]
    return values.map(([name, value]) => [PREFIX + name, String(value)])
  }

  get #dropped(): number {
    const { tooLarge, expired } = this.#sources.counts
    return tooLarge + expired
  }

  #server(): [string, string | number][] {
    const { version, monotonicMs, log, retained } = this.#sources
    const { first, last } = log.bounds()
    const { heapUsed, external } = process.memoryUsage()
    return [
      ['version', `tocsin version ${version}`],
      ['uptime', `${Math.floor((monotonicMs() - this.#startedAt) / 1000)} seconds`],
      ['heap/current', heapUsed + external],
      ['retained messages/count', retained.count],
      ['store/messages/count', last - first + 1],
      ['messages/stored', last - first + 1]
    ]
  }

  #clients(): [string, string | number][] {
    const { clients, sessions } = this.#sources
    const { connected, maximum } = clients
    const { durable, subscriptions, memberships, inflight } = sumOf(sessions.loaded)
    const disconnected = sessions.storedCount - durable
    return [
      ['clients/connected', connected],
      ['clients/active', connected],
      ['clients/disconnected', disconnected],
      ['clients/inactive', disconnected],
      ['clients/total', connected + disconnected],
      ['clients/maximum', maximum],
      ['clients/expired', sessions.expiredCount],
      ['subscriptions/count', subscriptions],
      ['shared_subscriptions/count', memberships],
      ['messages/inflight', inflight]
    ]
  }

  #traffic(): [string, string | number][] {
    const { traffic, connections } = this.#sources
    let unsentBytes = 0
    for (const { outbox } of connections) unsentBytes += outbox.unsentBytes
    return [
      ['messages/received', traffic.packetsReceived],
      ['messages/sent', traffic.packetsSent],
      ['bytes/received', traffic.bytesReceived],
      ['bytes/sent', traffic.bytesSent],
      ['publish/messages/received', traffic.publishReceived],
      ['publish/messages/sent', traffic.publishSent],
      ['publish/messages/dropped', this.#dropped],
      ['publish/bytes/received', traffic.publishBytesReceived],
      ['publish/bytes/sent', traffic.publishBytesSent],
      ['connections/socket/count', traffic.socketsOpened],
      ['packet/out/bytes', unsentBytes]
    ]
  }
}

function sumOf(sessions: Iterable<CountedSession>): {
  durable: number
  subscriptions: number
  memberships: number
  inflight: number
} {
  const sum = { durable: 0, subscriptions: 0, memberships: 0, inflight: 0 }
  for (const session of sessions) {
    if (!session.attached) continue
    if (session.durable) sum.durable++
    sum.subscriptions += session.subscriptionCount
    sum.memberships += session.memberships.size
    sum.inflight += session.inflightCount
  }
  return sum
}
