// A healthy client of each protocol that asks all the time while others misbehave: how long its answers take.
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber } from '../helpers/feed-subscriber.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import type { ServerProcess } from '../helpers/server-process.ts'
import { Latencies, type Latency } from '../system/latencies.ts'
import { mqttConnection } from '../system/load-sources.ts'
import type { Table } from './scenario.ts'

/** Names of the devices. */
export const PROBE_DEVICES = { mqtt: 'probe-mqtt', tcp: 'probe-tcp' } as const
const ASKED = ['mqtt', 'tcp', 'http', 'feed'] as const

const EVERY_MS = 50
const PATIENCE_MS = 10_000
/** It gives up after so many. */
const FAILURES_MAX = 5

export interface ProbeReport {
  /** From a device's sending to what it wants: PUBACK, ack, answer, and the event at a subscriber of the feed; ms. */
  mqtt: Latency
  tcp: Latency
  http: Latency
  feed: Latency
  /** Most memory of the server, and most open files. */
  residentBytes: number
  files: number
  /** What did not come in time, or ended. */
  failures: string[]
}

/** Runs until `stop`. */
export class Probe implements AsyncDisposable {
  readonly #server: ServerProcess
  readonly #mqtt: RawMqttClient
  readonly #tcp: RawTcpDevice
  readonly #feed: FeedSubscriber
  readonly #latencies = {
    mqtt: new Latencies(),
    tcp: new Latencies(),
    http: new Latencies(),
    feed: new Latencies()
  }
  readonly #failures: string[] = []
  readonly #running: Promise<void>
  #stopped = false
  #rounds = 0
  #residentBytes = 0
  #files = 0

  private constructor(
    server: ServerProcess,
    clients: { mqtt: RawMqttClient; tcp: RawTcpDevice; feed: FeedSubscriber }
  ) {
    this.#server = server
    this.#mqtt = clients.mqtt
    this.#tcp = clients.tcp
    this.#feed = clients.feed
    this.#running = this.#run()
  }

  /** `host`: where devices connect, 127.0.0.1 without; `tokens`: of its devices, where they must be registered. */
  static async start(
    server: ServerProcess,
    { host = '127.0.0.1', tokens = {} }: { host?: string; tokens?: Readonly<Record<string, string>> } = {}
  ): Promise<Probe> {
    const { url, adminToken: token, ports } = server
    const filter = { topics: ['probe/#'] }
    const target = { host, ports, tokens }
    const tcpToken = tokens[PROBE_DEVICES.tcp]
    const clients = {
      mqtt: await RawMqttClient.connect(mqttConnection(PROBE_DEVICES.mqtt, target)),
      tcp: await RawTcpDevice.connect({
        host,
        port: ports.tcp,
        device: PROBE_DEVICES.tcp,
        ...(tcpToken === undefined ? {} : { token: tcpToken }),
        stream: `probe-${process.pid}-${Date.now()}`
      }),
      feed: await FeedSubscriber.open({ url, token, filter, onItems: () => {} })
    }
    return new Probe(server, clients)
  }

  /** How often all were asked. */
  get rounds(): number {
    return this.#rounds
  }

  /** Whether it gave up. */
  get ended(): boolean {
    return this.#failures.length >= FAILURES_MAX
  }

  /** What it saw since it started, or since this was last asked. */
  report(): ProbeReport {
    const { mqtt, tcp, http, feed } = this.#latencies
    const report = {
      mqtt: mqtt.summary(),
      tcp: tcp.summary(),
      http: http.summary(),
      feed: feed.summary(),
      residentBytes: this.#residentBytes,
      files: this.#files,
      failures: [...this.#failures]
    }
    for (const latencies of Object.values(this.#latencies)) latencies.clear()
    this.#residentBytes = 0
    this.#files = 0
    return report
  }

  async stop(): Promise<ProbeReport> {
    this.#stopped = true
    await this.#running
    return this.report()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await this.#running
    for (const client of [this.#mqtt, this.#tcp, this.#feed]) await client[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    for (let n = 1; !this.#stopped; n++) {
      try {
        await this.#round(n)
        this.#rounds = n
      } catch (error) {
        this.#failures.push(String(error))
        if (this.#failures.length >= FAILURES_MAX) return
      }
      await delay(EVERY_MS)
    }
  }

  async #round(n: number): Promise<void> {
    const { feed, http, mqtt, tcp } = this.#latencies
    const within = { timeoutMs: PATIENCE_MS, everyMs: 1 }
    const start = () => performance.now()

    let sentMs = start()
    let acknowledged = false
    const seenBefore = this.#feed.cursor
    this.#mqtt.publish('probe/mqtt', `${n}`, () => {
      mqtt.note(sentMs)
      acknowledged = true
    })
    let seen = false
    const seeing = eventually(() => this.#feed.cursor !== seenBefore, {
      ...within,
      what: 'the event at the feed'
    }).then(() => {
      feed.note(sentMs)
      seen = true
    })
    await eventually(() => acknowledged, { ...within, what: 'PUBACK of the healthy client' })
    if (!seen) await seeing

    sentMs = start()
    this.#tcp.send(n, 'probe/tcp', n)
    await eventually(() => this.#tcp.acknowledged >= n, { ...within, what: 'ack of the healthy TCP device' })
    tcp.note(sentMs)

    sentMs = start()
    const { status } = await this.#server.ask('/healthz')
    http.note(sentMs)
    if (status !== 200) throw new Error(`/healthz answers ${status}`)
    this.#residentBytes = Math.max(this.#residentBytes, await this.#server.residentBytes())
    this.#files = Math.max(this.#files, await this.#server.openFiles())
  }
}

/** Rows of a table of what was seen at that time; ms. */
export function latencyRows(when: string, report: ProbeReport): Table {
  return ASKED.map(protocol => ({ when, protocol, ...report[protocol] }))
}

/** A fault for each protocol over which a client waited longer than that. */
export function starvedIn(report: ProbeReport, longestMs: number): string[] {
  return ASKED.filter(protocol => report[protocol].max > longestMs).map(
    protocol => `a healthy client waited more than ${longestMs} ms over ${protocol}`
  )
}
