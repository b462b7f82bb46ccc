// Everything that comes and goes at a server, over and over: devices, subscriptions, rules, alerts, silences. Names are taken
// from a limited number, so that what the server knows is limited, too.
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber } from '../helpers/feed-subscriber.ts'
import type { Random } from '../helpers/random.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import type { ServerProcess } from '../helpers/server-process.ts'

const NAMES = 200
const FILTERS = ['churn/#', 'churn/+/state', 'churn/1', '+/2/#', '#'] as const
const RELOAD_EVERY_MS = 5000
/** Pause of each worker between two turns, at most. */
const PAUSE_MS = 100
const WORKERS = { mqtt: 6, tcp: 4, feed: 4, alerts: 2 }

/** How often each thing was done. */
export interface ChurnCounts {
  'MQTT connections': number
  'raw TCP connections': number
  'feed subscriptions': number
  events: number
  'reloads of rules': number
  'alerts acknowledged': number
  silences: number
}

export interface ChurnOptions {
  server: ServerProcess
  random: Random
  alertingFile: string
  /** Where the rules' webhooks go. */
  webhook: string
}

export class ChurnLoad {
  readonly counts: ChurnCounts = {
    'MQTT connections': 0,
    'raw TCP connections': 0,
    'feed subscriptions': 0,
    events: 0,
    'reloads of rules': 0,
    'alerts acknowledged': 0,
    silences: 0
  }
  readonly #options: ChurnOptions
  readonly #running: Promise<void>[] = []
  #stopping = false

  constructor(options: ChurnOptions) {
    this.#options = options
  }

  start(): void {
    const turns: [number, (worker: number) => Promise<void>][] = [
      [WORKERS.mqtt, worker => this.#mqtt(worker)],
      [WORKERS.tcp, worker => this.#tcp(worker)],
      [WORKERS.feed, () => this.#feed()],
      [WORKERS.alerts, () => this.#alerts()]
    ]
    for (const [workers, turn] of turns)
      for (let worker = 0; worker < workers; worker++) this.#running.push(this.#repeat(() => turn(worker)))
    this.#running.push(this.#reload())
  }

  /** Ends; what went wrong meanwhile rejects. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running)
  }

  async #repeat(turn: () => Promise<void>): Promise<void> {
    while (!this.#stopping) {
      await turn()
      await delay(this.#options.random.below(PAUSE_MS))
    }
  }

  async #mqtt(worker: number): Promise<void> {
    const { server, random } = this.#options
    // A worker has names of its own: nobody takes over from another.
    const name = `churn-${worker * NAMES + random.below(NAMES)}`
    const version = random.of<4 | 5>([4, 5])
    const options = {
      port: server.ports.mqtt,
      clientId: name,
      version,
      clean: random.below(2) === 0
    } as const
    await using client = await RawMqttClient.connect(options)
    this.counts['MQTT connections']++
    await client.subscribe(random.of(FILTERS), random.of<0 | 1>([0, 1]))
    let acknowledged = 0
    const events = 1 + random.below(20)
    for (let n = 0; n < events; n++)
      client.publish(
        `churn/${random.below(5)}/state`,
        JSON.stringify({ celsius: random.below(60) }),
        () => acknowledged++
      )
    await eventually(() => acknowledged === events, { what: 'PUBACKs', timeoutMs: 30_000 })
    this.counts.events += events
  }

  async #tcp(worker: number): Promise<void> {
    const { server, random } = this.#options
    const name = `churn-tcp-${worker * NAMES + random.below(NAMES)}`
    await using device = await RawTcpDevice.connect({ port: server.ports.tcp, device: name })
    this.counts['raw TCP connections']++
    const events = 1 + random.below(20)
    for (let n = 1; n <= events; n++)
      device.send(n, `churn/${random.below(5)}/state`, { celsius: random.below(60) })
    await eventually(() => device.acknowledged === events, { what: 'acknowledgements', timeoutMs: 30_000 })
    this.counts.events += events
  }

  async #feed(): Promise<void> {
    const { server, random } = this.#options
    const { url, adminToken: token } = server
    const format = random.of<'json' | 'msgpack'>(['json', 'msgpack'])
    const filter = { topics: [random.of(FILTERS)] }
    let seen = 0
    const onItems = (items: readonly unknown[]) => {
      seen += items.length
    }
    await using _feed = await FeedSubscriber.open({ url, token, format, filter, onItems })
    this.counts['feed subscriptions']++
    await eventually(() => seen > 20 || this.#stopping, { timeoutMs: 2000 }).catch(() => {}) // a quiet filter
  }

  async #alerts(): Promise<void> {
    const { server, random } = this.#options
    const { body } = await server.ask('/v1/alerts?states=firing&limit=20')
    const { items } = body as { items: { id: string }[] }
    const alert = items[random.below(Math.max(1, items.length))]
    if (alert) {
      // Another one may have resolved it meanwhile.
      const { status } = await server.ask(`/v1/alerts/${alert.id}/acknowledge`, { body: { comment: 'seen' } })
      if (status === 200) this.counts['alerts acknowledged']++
    }
    const match = { devices: [`churn-${random.below(NAMES)}`] }
    const added = await server.ask('/v1/silences', { body: { match, for: '2s', comment: 'churn' } })
    if (added.status !== 201) throw new Error(`POST /v1/silences answers ${added.status}`)
    this.counts.silences++
  }

  async #reload(): Promise<void> {
    const { server, alertingFile, webhook } = this.#options
    while (!this.#stopping) {
      await writeFile(alertingFile, rulesOf(this.counts['reloads of rules'] % 2, webhook))
      server.hangUp()
      this.counts['reloads of rules']++
      const until = performance.now() + RELOAD_EVERY_MS
      while (!this.#stopping && performance.now() < until) await delay(100)
    }
  }
}

/** Two sets of rules in turn: one stays, one changes, one comes and goes. */
export function rulesOf(turn: number, webhook: string): string {
  const extra = `
  - { name: cold, topics: ['churn/#'], when: payload.celsius < 5, severity: minor, title: '{device} is cold' }`
  return `
rules:
  - { name: hot, topics: ['churn/#'], when: payload.celsius > 50, clear: payload.celsius < 40, severity: major, title: '{device} is hot' }
  - { name: quiet, topics: ['churn/#'], absent: ${turn === 0 ? 20 : 30}s, severity: warning, title: '{device} is quiet' }${turn === 0 ? extra : ''}
channels:
  - { name: pager, webhook: { url: '${webhook}' } }
routes:
  - { channels: [pager], groupWait: 1s, groupInterval: 2s, repeatInterval: 0 }
`
}
