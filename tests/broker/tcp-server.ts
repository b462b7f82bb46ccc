// A raw TCP server over a real store, with everything that stands between them.
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Authenticator } from '../../broker/authenticate.ts'
import { Authorizer, type AccessRule } from '../../broker/authorize.ts'
import { Ingest } from '../../broker/ingest.ts'
import { ConnectionLimits, type ConnectionLimitsOptions } from '../../broker/limits.ts'
import { Presence } from '../../broker/presence.ts'
import { TcpServer, type TcpSettings } from '../../broker/tcp/server.ts'
import type { EventNotification, Notification, PresenceNotification } from '../../store/notification.ts'
import { openSqliteStore } from '../../store/sqlite/open-sqlite-store.ts'
import type { Store } from '../../store/store.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { devicesWith } from './devices.ts'
import { HeldLog } from './held-log.ts'
import { TcpDevice } from './tcp-device.ts'

export interface ServerOptions {
  settings?: Partial<TcpSettings>
  limits?: Partial<ConnectionLimitsOptions>
  access?: AccessRule[]
  tokens?: Record<string, string>
  anonymous?: boolean
  offlineDelayMs?: number
  /** Folder of the data, to start a second time in it; without it, one that is removed at the end. */
  dir?: string
}

const defaults: TcpSettings = {
  host: '127.0.0.1',
  port: 0,
  frameBytesMax: 4096,
  nestingMax: 8,
  helloTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  windowEvents: 64,
  streamsMax: 16,
  eventsPerSecondMax: 0,
  unsentBytesMax: 65_536
}

export class TestServer implements AsyncDisposable {
  readonly port: number
  readonly server: TcpServer
  readonly log: HeldLog
  readonly presence: Presence
  readonly registry: Registry
  readonly #store: Store
  readonly #devices: TcpDevice[] = []
  readonly #removeFolder: () => Promise<void>
  #stopped = false

  private constructor(
    port: number,
    parts: { server: TcpServer; log: HeldLog; presence: Presence; registry: Registry; store: Store },
    removeFolder: () => Promise<void>
  ) {
    this.port = port
    this.server = parts.server
    this.log = parts.log
    this.presence = parts.presence
    this.registry = parts.registry
    this.#store = parts.store
    this.#removeFolder = removeFolder
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const folder = options.dir === undefined ? await temporaryFolder() : null
    const registry = new Registry()
    const logger = pino({ level: 'silent' })
    const store = await openSqliteStore({
      dir: options.dir ?? folder?.path ?? '',
      commitIntervalMs: 2,
      waitingBytesMax: 2 ** 26,
      recentBytesMax: 2 ** 22,
      retentionAgeMs: 0,
      retentionBytesMax: 0,
      maintenanceMs: 60_000,
      now: Date.now,
      log: logger,
      registry
    })
    const log = new HeldLog(store.log)
    const { tables } = store
    const limits = new ConnectionLimits({
      connectionsMax: 1000,
      connectionsPerAddressMax: 0,
      connectsPerSecondMax: 0,
      connectsPerDeviceMax: 0,
      connectsPerDeviceWindowMs: 60_000,
      connectsPerDevicePauseMs: 60_000,
      connectsPerDeviceKnownMax: 1000,
      openBytesMax: 0,
      logger,
      registry,
      ...options.limits
    })
    const access = options.access ?? [{ devices: ['*'], publish: ['#'], subscribe: [] }]
    const { offlineDelayMs = 60_000, tokens = {}, anonymous = true } = options
    const presence = await Presence.load({ log, tables, offlineDelayMs, now: Date.now, registry })
    const server = new TcpServer({
      settings: { ...defaults, ...options.settings },
      log,
      ingest: new Ingest({ log, authorizer: new Authorizer(access), registry }),
      authenticator: new Authenticator({ devices: devicesWith(tokens), anonymous }),
      presence,
      limits,
      logger,
      registry
    })
    const { port } = await server.listen().catch(async (error: unknown) => {
      presence.stop()
      await store.close()
      await folder?.[Symbol.asyncDispose]()
      throw error
    })
    return new TestServer(port, { server, log, presence, registry, store }, async () => {
      await folder?.[Symbol.asyncDispose]()
    })
  }

  /** A connection that has said nothing yet. */
  async connect(): Promise<TcpDevice> {
    const device = await TcpDevice.connect(this.port)
    this.#devices.push(device)
    return device
  }

  /** A connection that was welcomed as this device. */
  async join(device: string, stream: string | null = null): Promise<TcpDevice> {
    const connection = await this.connect()
    connection.hello({ device, stream })
    await connection.next('welcome')
    return connection
  }

  async notifications(): Promise<Notification[]> {
    return (await this.log.read(0, { limit: 100_000 })).items
  }

  async events(): Promise<EventNotification[]> {
    return (await this.notifications()).filter(item => item.kind === 'event')
  }

  /** Waits until the device's statuses, in order, are these: `online connected`, `offline bye`, … */
  async statuses(device: string, wanted: string[]): Promise<PresenceNotification[]> {
    let found: PresenceNotification[] = []
    await eventually(
      async () => {
        found = (await this.notifications()).filter(item => item.kind === 'presence')
        found = found.filter(item => item.device === device)
        return found.length >= wanted.length
      },
      { what: wanted.join(', ') }
    )
    const texts = found.map(({ status, reason }) => `${status} ${reason}`)
    if (texts.join() !== wanted.join()) throw new Error(`statuses are ${texts.join(', ')}`)
    return found
  }

  /** The value of a metric with these labels. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const metric = await this.registry.getSingleMetric(name)?.get()
    return metric?.values.find(value => {
      return Object.entries(labels).every(([label, text]) => value.labels[label] === text)
    })?.value
  }

  /** As when the process ends: nothing is told any more, what was taken is committed. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.log.release()
    this.log.empty()
    this.presence.stop()
    const closing = this.server.close()
    for (const device of this.#devices) device.destroy()
    await closing
    await this.#store.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#removeFolder()
  }
}
