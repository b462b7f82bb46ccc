// The server, wired by hand: store, then the operators' side (so that its health can be asked), then the devices' side.
import { fileURLToPath } from 'node:url'
import { Registry } from 'prom-client'
import type { Logger } from 'pino'
import { Authenticator } from '../broker/authenticate.ts'
import { Authorizer } from '../broker/authorize.ts'
import { Ingest } from '../broker/ingest.ts'
import { ConnectionLimits } from '../broker/limits.ts'
import { Operators } from '../broker/operators.ts'
import { MqttServer } from '../broker/mqtt/server.ts'
import { Presence } from '../broker/presence.ts'
import { TcpServer } from '../broker/tcp/server.ts'
import type { Config } from '../config/schema.ts'
import { Alerting } from '../gateway/alerting/alerting.ts'
import { systemClock } from '../gateway/clock.ts'
import { Gateway } from '../gateway/gateway.ts'
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts'
import type { Store } from '../store/store.ts'
import { Tokens } from '../store/tokens.ts'
import { alertingOptions } from './alerting-options.ts'
import { ensureAdminToken } from './admin-token.ts'
import { EventLoopWatch } from './event-loop-watch.ts'
import { collectProcessMetrics } from './process-metrics.ts'
import { explainStartFailure } from './start-failure.ts'
import { packageVersion } from './version.ts'

/** What the build made of console/, beside the compiled commands. */
const consoleDir = fileURLToPath(new URL('../console/page/', import.meta.url))

export interface Address {
  address: string
  port: number
}

export interface ServeOptions {
  logger: Logger
  /**
   * Told when the server can't go on (its store's thread died). Without it the process ends with exit code 1: recovery
   * is for the next start.
   */
  onFatal?: (error: Error) => void
}

export interface RunningServer {
  /** Where it listens; null where a protocol is not enabled. */
  addresses: { mqtt: Address | null; tcp: Address | null; http: Address }
  /** The file that holds the first start's admin token. */
  adminTokenFile: string
  /** Reads the alerting file again; what is wrong with it is logged. */
  reload(): Promise<void>
  /** Commits and acknowledges what came, says goodbye to everybody, and closes. Calls after the first wait for it. */
  stop(): Promise<void>
}

/** A part that runs, to be closed in this order: devices first, so that what they sent is committed and seen. */
interface Part {
  name: string
  close(): Promise<void> | void
}

/**
 * Starts a server. When a part can't start, those before it are closed and the failure is a `CliError` with a sentence,
 * where its reason is known.
 */
export async function startServer(config: Config, options: ServeOptions): Promise<RunningServer> {
  const { logger, onFatal = () => process.exit(1) } = options
  const parts: Part[] = []
  let phase: 'starting' | 'serving' | 'draining' = 'starting'
  const stop = async () => {
    phase = 'draining'
    for (const part of parts.splice(0)) {
      logger.debug({ part: part.name }, 'Closing')
      await part.close()
    }
  }
  try {
    const registry = new Registry()
    collectProcessMetrics(registry)
    const store = await openStore(config, logger, registry, onFatal)
    parts.unshift({ name: 'store', close: () => store.close() })
    const adminToken = await ensureAdminToken(store.tokens, config.store.dir, Date.now)
    if (adminToken.created) {
      logger.info({ file: adminToken.file }, 'An admin token was written')
      if (config.http.console) logger.info('"tocsin console" prints a link that signs a browser in')
    }

    const alerting = await Alerting.load({
      ...(await alertingOptions(config)),
      store,
      clock: systemClock,
      logger: logger.child({ room: 'alerting' }),
      registry,
      version: packageVersion(),
      random: Math.random
    })
    parts.unshift({ name: 'alerting', close: () => alerting.close() })

    const devices: DeviceServers = { mqtt: null, tcp: null }
    const gateway = new Gateway({
      store,
      alerting,
      settings: config.http,
      now: Date.now,
      logger: logger.child({ room: 'gateway' }),
      registry,
      status: () => ({ phase }),
      upgrades: {
        '/mqtt': (request, socket, head) => {
          if (devices.mqtt !== null && phase === 'serving') devices.mqtt.handleUpgrade(request, socket, head)
          else
            socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        }
      },
      version: packageVersion(),
      console: config.http.console ? { dir: consoleDir } : null
    })
    parts.unshift({ name: 'gateway', close: () => gateway.close() })
    const http = await gateway.listen()

    const { mqtt, tcp } = await startDevices(config, { store, logger, registry, parts, devices })
    phase = 'serving'
    // Only now: that starting takes the event loop's time is no news.
    const watch = new EventLoopWatch({ ...config.eventLoop, logger, registry })
    parts.push({ name: 'event loop watch', close: () => watch.stop() })
    let stopping: Promise<void> | null = null
    return {
      addresses: { mqtt, tcp, http },
      adminTokenFile: adminToken.file,
      reload: async () => void (await alerting.reload()),
      stop: () => (stopping ??= stop())
    }
  } catch (error) {
    await stop()
    throw explainStartFailure(error, config)
  }
}

function openStore(config: Config, logger: Logger, registry: Registry, onFatal: (error: Error) => void) {
  return openSqliteStore({
    ...config.store,
    now: Date.now,
    log: logger.child({ room: 'store' }),
    registry,
    onFatal
  })
}

/** What devices connect to; null where it is not enabled, or not there yet. */
interface DeviceServers {
  mqtt: MqttServer | null
  tcp: TcpServer | null
}

interface DeviceWiring {
  store: Store
  logger: Logger
  registry: Registry
  parts: Part[]
  devices: DeviceServers
}

/** Starts what devices connect to. They share who they are, what they may do, presence and limits. */
async function startDevices(config: Config, { store, logger, registry, parts, devices }: DeviceWiring) {
  const { log, tables } = store
  const presence = await Presence.load({ log, tables, ...config.devices, now: Date.now, registry })
  const authorizer = new Authorizer(config.devices.access)
  const shared = {
    log,
    tables,
    presence,
    authorizer,
    authenticator: new Authenticator({ devices: store.devices, anonymous: config.devices.anonymous }),
    ingest: new Ingest({ log, authorizer, registry, topicLevelsMax: config.mqtt.topicLevelsMax }),
    limits: new ConnectionLimits({ ...config.limits, logger: logger.child({ room: 'limits' }), registry }),
    registry,
    version: packageVersion(),
    now: Date.now
  }
  const tokens = new Tokens(store.tokens)
  const operators = new Operators(tokens)
  const { mqtt, tcp } = config
  if (mqtt.enabled)
    devices.mqtt = new MqttServer({
      ...shared,
      operators,
      settings: mqtt,
      logger: logger.child({ room: 'mqtt' })
    })
  if (tcp.enabled)
    devices.tcp = new TcpServer({ ...shared, settings: tcp, logger: logger.child({ room: 'tcp' }) })
  // Whoever is connected with a device's id when its token changes, or when it becomes a registered one, must come back.
  store.devices.onChange((id, row) => {
    const code = row === undefined ? 'device-removed' : 'token-changed'
    devices.mqtt?.disconnectDevice(id, code)
    devices.tcp?.disconnectDevice(id, code)
  })
  tokens.onRevoked(id => devices.mqtt?.disconnectOperator(id, 'token-revoked'))
  parts.unshift(
    { name: 'presence', close: () => presence.stop() }, // first: that devices are cut off now tells nothing of them
    {
      name: 'device servers',
      close: async () => void (await Promise.all([devices.mqtt?.close(), devices.tcp?.close()]))
    }
  )
  return { mqtt: (await devices.mqtt?.listen()) ?? null, tcp: (await devices.tcp?.listen()) ?? null }
}
