// An MQTT server over a real store, for tests of this folder.
import { pino, type Logger } from 'pino'
import { Registry } from 'prom-client'
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { Authenticator } from '../../broker/authenticate.ts'
import { Authorizer, type AccessRule } from '../../broker/authorize.ts'
import { Ingest } from '../../broker/ingest.ts'
import { ConnectionLimits, type ConnectionLimitsOptions } from '../../broker/limits.ts'
import { MqttServer, type MqttSettings } from '../../broker/mqtt/server.ts'
import { Operators } from '../../broker/operators.ts'
import { Presence } from '../../broker/presence.ts'
import { openSqliteStore } from '../../store/sqlite/open-sqlite-store.ts'
import type { Log, Store } from '../../store/store.ts'
import { Tokens } from '../../store/tokens.ts'

const defaults: MqttSettings = {
  host: '127.0.0.1',
  port: 0,
  packetBytesMax: 1024 * 1024,
  topicLevelsMax: 100,
  connectTimeoutMs: 10_000,
  packetTimeoutMs: 60_000,
  keepaliveMaxS: 0,
  sessionExpiryMaxS: 7 * 86_400,
  sessionsMax: 1000,
  subscriptionsMax: 100,
  inflightMax: 256,
  receiveMax: 256,
  topicAliasMax: 32,
  unsentBytesMax: 256 * 1024,
  flushMs: 25,
  retainedMax: 1000,
  retainedBytesMax: 1024 * 1024,
  willsBytesMax: 1024 * 1024,
  sessionSaveMs: 100,
  sysIntervalMs: 0
}

export interface HarnessOptions {
  dir: string
  settings?: Partial<MqttSettings>
  access?: AccessRule[]
  anonymous?: boolean
  offlineDelayMs?: number
  connectionsMax?: number
  openBytesMax?: number
  limits?: Partial<ConnectionLimitsOptions>
  /** Wraps the store's log as the server sees it. */
  wrapLog?: (log: Log) => Log
  logger?: Logger
  /** Time of day, ms since 1970. */
  now?: () => number
}

export interface Harness extends AsyncDisposable {
  store: Store
  server: MqttServer
  presence: Presence
  port: number
  /** Connects an MQTT.js client; it is closed with the harness. */
  connect(options?: IClientOptions): Promise<MqttClient>
  /** Begins to connect. */
  connectLater(options?: IClientOptions): MqttClient
  /** Stops the server as SIGTERM does. */
  stop(): Promise<void>
}

/** Starts store and server. */
export async function startMqtt({
  dir,
  settings,
  access,
  anonymous = true,
  ...rest
}: HarnessOptions): Promise<Harness> {
  const logger = rest.logger ?? pino({ level: 'silent' })
  const registry = new Registry()
  const now = rest.now ?? Date.now
  const store = await openSqliteStore({
    dir,
    log: logger,
    registry,
    now,
    commitIntervalMs: 2,
    waitingBytesMax: 64 * 1024 * 1024,
    recentBytesMax: 1024 * 1024,
    retentionAgeMs: 0,
    retentionBytesMax: 0,
    maintenanceMs: 10_000,
    onFatal: error => {
      throw error
    }
  })
  const { tables } = store
  const log = rest.wrapLog?.(store.log) ?? store.log
  const authorizer = new Authorizer(access ?? [{ devices: ['*'], publish: ['#'], subscribe: ['#'] }])
  const presence = await Presence.load({
    log,
    tables,
    now,
    registry,
    offlineDelayMs: rest.offlineDelayMs ?? 10_000
  })
  const limits = new ConnectionLimits({
    connectionsMax: rest.connectionsMax ?? 1000,
    connectionsPerAddressMax: 0,
    connectsPerSecondMax: 0,
    connectsPerDeviceMax: 0,
    connectsPerDeviceWindowMs: 60_000,
    connectsPerDevicePauseMs: 60_000,
    connectsPerDeviceKnownMax: 1000,
    openBytesMax: rest.openBytesMax ?? 0,
    logger,
    registry,
    ...rest.limits
  })
  const tokens = new Tokens(store.tokens)
  const server = new MqttServer({
    settings: { ...defaults, ...settings },
    log,
    tables,
    ingest: new Ingest({ log, authorizer, registry }),
    operators: new Operators(tokens),
    authenticator: new Authenticator({ devices: store.devices, anonymous }),
    authorizer,
    presence,
    limits,
    logger,
    registry,
    version: '1.2.3',
    now
  })
  tokens.onRevoked(id => server.disconnectOperator(id, 'token-revoked'))
  const { port } = await server.listen()
  const clients: MqttClient[] = []
  let stopped: Promise<void> | null = null
  const stop = async () => {
    await server.close()
    presence.stop()
    await store.close()
  }
  return {
    store,
    server,
    presence,
    port,
    async connect(options = {}) {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options })
      client.on('error', () => undefined)
      clients.push(client)
      return client
    },
    connectLater(options = {}) {
      const client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options })
      client.on('error', () => undefined)
      clients.push(client)
      return client
    },
    stop: () => (stopped ??= stop()),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end(true)
      await (stopped ??= stop())
    }
  }
}
