// A gateway on a free port over a real store in a folder of its own, and clients to talk to it.
import { once } from 'node:events'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { WebSocket } from 'ws'
import { Alerting } from '../../gateway/alerting/alerting.ts'
import type { AlertingOptions } from '../../gateway/alerting/alerting.ts'
import type { AlertingSettings } from '../../gateway/alerting/settings.ts'
import { systemClock } from '../../gateway/clock.ts'
import { Gateway } from '../../gateway/gateway.ts'
import type { GatewayOptions } from '../../gateway/gateway.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { hashToken, newToken } from '../../store/credentials.ts'
import type { Draft, EventDraft } from '../../store/notification.ts'
import { openSqliteStore } from '../../store/sqlite/open-sqlite-store.ts'
import type { Role, Store, StoreOptions } from '../../store/store.ts'
import { pack, unpack } from '../../gateway/feed/payload.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { alertingSettings } from './alerting-settings.ts'

export const silent = pino({ level: 'silent' })

export const settings: GatewaySettings = {
  host: '127.0.0.1',
  port: 0,
  bodyBytesMax: 1024 * 1024,
  flushMs: 10,
  authTimeoutMs: 10_000,
  pingMs: 30_000,
  subscribersMax: 10_000,
  subscriptionsMax: 64,
  filterTermsMax: 256,
  messageBytesMax: 65_536,
  unsentBytesMax: 1024 * 1024,
  pageMax: 1000,
  waitMaxMs: 60_000,
  sampleMs: 60_000,
  samplesMax: 720,
  appendTimeoutMs: 10_000,
  allowedOrigins: [],
  publicUrl: '',
  sessionMs: 43_200_000,
  sessionsMax: 1000,
  signInCodeMs: 600_000
}

export interface HarnessOptions {
  settings?: Partial<GatewaySettings>
  store?: Partial<StoreOptions>
  gateway?: Partial<GatewayOptions>
  dir?: string
  /** The text of the alerting file. */
  alertingFile?: string
  alerting?: Partial<AlertingSettings>
  /** How channels are opened, where not for real. */
  openChannel?: NonNullable<AlertingOptions['openChannel']>
}

/** Opens a store with the harness's settings in a folder. */
export async function openStoreIn(dir: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  return openSqliteStore({
    dir,
    commitIntervalMs: 2,
    waitingBytesMax: 64 * 1024 * 1024,
    recentBytesMax: 32 * 1024 * 1024,
    retentionAgeMs: 0,
    retentionBytesMax: 0,
    maintenanceMs: 600_000,
    now: Date.now,
    log: silent,
    registry: new Registry(),
    ...options
  })
}

/** Starts a gateway; use with `await using`. */
export async function startGateway(options: HarnessOptions = {}): Promise<Harness> {
  const folder = options.dir === undefined ? await temporaryFolder() : null
  const store = await openStoreIn(options.dir ?? folder?.path ?? '', options.store)
  const tokens = {} as Record<Role, string>
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    tokens[role] = newToken()
    await store.tokens.put({ id: role, hash: hashToken(tokens[role]), role, name: role, createdAt: 0 })
  }
  const registry = new Registry()
  const file = { text: options.alertingFile ?? '' }
  const alerting = await Alerting.load({
    store,
    settings: { ...alertingSettings, ...options.alerting },
    readSource: () => ({
      ok: true,
      source: {
        file: 'alerting.yaml',
        text: file.text,
        secret: async () => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        moduleUrl: name => name
      }
    }),
    clock: systemClock,
    logger: silent,
    registry,
    version: '1.2.3',
    random: Math.random,
    ...(options.openChannel && { openChannel: options.openChannel })
  })
  const gateway = new Gateway({
    store,
    alerting,
    settings: { ...settings, ...options.settings },
    now: Date.now,
    logger: silent,
    registry,
    status: () => ({ phase: 'serving' }),
    version: '1.2.3',
    console: null,
    ...options.gateway
  })
  const { port } = await gateway.listen()
  return new Harness({ store, alerting, file, gateway, registry, tokens, port, folder })
}

interface HarnessParts {
  store: Store
  alerting: Alerting
  file: { text: string }
  gateway: Gateway
  registry: Registry
  tokens: Record<Role, string>
  port: number
  folder: AsyncDisposable | null
}

export class Harness {
  readonly store: Store
  readonly alerting: Alerting
  /** The alerting file: change its text, and reload. */
  readonly file: { text: string }
  readonly gateway: Gateway
  readonly registry: Registry
  readonly tokens: Record<Role, string>
  readonly port: number
  readonly #folder: AsyncDisposable | null

  constructor({ store, alerting, file, gateway, registry, tokens, port, folder }: HarnessParts) {
    this.store = store
    this.alerting = alerting
    this.file = file
    this.gateway = gateway
    this.registry = registry
    this.tokens = tokens
    this.port = port
    this.#folder = folder
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Appends and resolves when all are durable. */
  async append(...drafts: Draft[]): Promise<void> {
    await Promise.all(drafts.map(draft => appendOne(this.store, draft)))
  }

  /** A request with a token of the role; null sends none. */
  async ask(
    path: string,
    { role = 'viewer', ...init }: RequestInit & { role?: Role | null } = {}
  ): Promise<Reply> {
    const headers = new Headers(init.headers)
    if (role !== null && !headers.has('authorization'))
      headers.set('authorization', `Bearer ${this.tokens[role]}`)
    if (init.body !== undefined && !headers.has('content-type'))
      headers.set('content-type', 'application/json')
    const response = await fetch(this.url + path, { ...init, headers })
    const text = await response.text()
    const type = response.headers.get('content-type') ?? ''
    return {
      status: response.status,
      headers: response.headers,
      text,
      type,
      body: type.includes('json') ? JSON.parse(text) : null
    }
  }

  async connect(options: ConnectOptions = {}): Promise<FeedClient> {
    const client = new FeedClient(this, options)
    await client.opened
    return client
  }

  metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    return metricValue(this.registry, name, labels)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.close()
    await this.alerting.close()
    await this.store.close()
    await this.#folder?.[Symbol.asyncDispose]()
  }
}

export interface Reply {
  status: number
  headers: Headers
  text: string
  type: string
  // eslint-disable-next-line typescript/no-explicit-any -- tests look into it as they know it to be
  body: any
}

export interface ConnectOptions {
  format?: 'json' | 'msgpack'
  role?: Role | null
  headers?: Record<string, string>
  path?: string
}

// eslint-disable-next-line typescript/no-explicit-any -- tests look into messages as they know them to be
export type Message = Record<string, any>

/** A WebSocket client that keeps what it got. */
export class FeedClient {
  readonly socket: WebSocket
  readonly messages: Message[] = []
  readonly opened: Promise<void>
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #format: 'json' | 'msgpack'
  onMessage: ((message: Message) => void) | null = null

  constructor(
    harness: Harness,
    { format = 'json', role = 'viewer', headers = {}, path = '/v1/feed' }: ConnectOptions
  ) {
    this.#format = format
    const authorization = role === null ? {} : { authorization: `Bearer ${harness.tokens[role]}` }
    this.socket = new WebSocket(`ws://127.0.0.1:${harness.port}${path}`, `tocsin.v1.${format}`, {
      headers: { ...authorization, ...headers },
      perMessageDeflate: false
    })
    this.opened = once(this.socket, 'open').then(() => undefined)
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({
      code: code as number,
      reason: String(reason)
    }))
    this.closed.catch(() => {}) // a test that expects a failure to open looks at `opened`
    this.socket.on('message', (data: Buffer) => {
      const message = (format === 'json' ? JSON.parse(data.toString()) : unpack(data)) as Message
      this.messages.push(message)
      this.onMessage?.(message)
    })
  }

  send(message: object | string): void {
    if (typeof message === 'string') this.socket.send(message)
    else if (this.#format === 'json') this.socket.send(JSON.stringify(message))
    else this.socket.send(packMessage(message))
  }

  /** Subscribes and resolves with the confirmation. */
  async subscribe(id: string, options: { filter?: object; after?: string } = {}): Promise<Message> {
    this.send({ type: 'subscribe', id, ...options })
    return this.next(message => message['type'] === 'subscribed' && message['id'] === id)
  }

  /** The first message that is wanted, once it is there. */
  next(wanted: (message: Message) => boolean, what = 'a message'): Promise<Message> {
    return eventually(() => this.messages.find(wanted), { what })
  }

  /** All notifications so far. */
  items(id?: string): Message[] {
    return this.messages.flatMap(message =>
      message['type'] === 'notifications' && (id === undefined || message['id'] === id)
        ? (message['items'] as Message[])
        : []
    )
  }

  /** Waits for so many notifications. */
  async count(count: number): Promise<Message[]> {
    await eventually(() => this.items().length >= count, {
      what: `${count} notifications (${this.items().length} came)`
    })
    return this.items()
  }

  [Symbol.dispose](): void {
    this.socket.terminate()
  }
}

export function packMessage(value: object): Buffer {
  return pack(value)
}

export function appendOne(store: Store, draft: Draft): Promise<void> {
  return new Promise((resolve, reject) =>
    store.log.append(draft, error => (error ? reject(error) : resolve()))
  )
}

/** An event draft. */
export function event(overrides: Partial<EventDraft> = {}): EventDraft {
  return {
    kind: 'event',
    device: 'dev-1',
    severity: 'info',
    topic: 'site/a/temperature',
    payload: Buffer.from('21.5'),
    format: 'plain',
    source: 'mqtt',
    ...overrides
  }
}

/** A numbered event. */
export function numbered(n: number, overrides: Partial<EventDraft> = {}): EventDraft {
  return event({ payload: Buffer.from(String(n)), ...overrides })
}

export async function metricValue(
  registry: Registry,
  name: string,
  labels: Record<string, string> = {}
): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get()
  const value = metric?.values.find(({ labels: has }) =>
    Object.entries(labels).every(([key, want]) => has[key] === want)
  )
  return value?.value ?? Number.NaN
}
