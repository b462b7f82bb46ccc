// The operators' side on one HTTP port: routes, the feed, and upgrades that belong to others.
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Store } from '../store/store.ts'
import type { Alerting } from './alerting/alerting.ts'
import { DeviceDirectory } from './device-directory.ts'
import { GatewayError } from './errors.ts'
import { FeedCounts } from './feed/feed-metrics.ts'
import { FeedServer } from './feed/feed-server.ts'
import { Hub } from './feed/hub.ts'
import { alertRoutes } from './http/alert-routes.ts'
import { installAuthorization } from './http/authorization.ts'
import type { HttpContext, Phase } from './http/context.ts'
import { consoleRoutes, findConsoleFiles } from './http/console-routes.ts'
import type { ConsoleOptions } from './http/console-routes.ts'
import { deliveryRoutes } from './http/delivery-routes.ts'
import { deviceRoutes } from './http/devices.ts'
import { eventRoutes } from './http/events.ts'
import { feedRoutes } from './http/feed-routes.ts'
import { historyRoutes } from './http/history.ts'
import { installOpenApi } from './http/openapi.ts'
import { operationRoutes } from './http/operations.ts'
import { overviewRoute } from './http/overview-route.ts'
import { checkOrigin, pageOrigins } from './http/origin.ts'
import type { PageOrigins } from './http/origin.ts'
import { outsideAlertRoutes } from './http/outside-alert-routes.ts'
import { endWithProblem, installProblems, onClientError, onFrameworkError } from './http/problem.ts'
import { installRequestMetrics } from './http/request-metrics.ts'
import { ruleRoutes } from './http/rule-routes.ts'
import { sessionRoutes } from './http/session-routes.ts'
import { silenceRoutes } from './http/silence-routes.ts'
import { tokenRoutes } from './http/token-routes.ts'
import { Overview } from './overview/overview.ts'
import { Sessions } from './sessions/sessions.ts'
import type { GatewaySettings } from './settings.ts'
import { Tokens } from '../store/tokens.ts'

/** Time for a whole request to arrive. */
const REQUEST_TIMEOUT_MS = 60_000
/** Time for connections to end by themselves after `close` was called. */
const CLOSE_GRACE_MS = 3000

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface GatewayOptions {
  store: Store
  settings: GatewaySettings
  /** ms since 1970 */
  now: () => number
  logger: Logger
  registry: Registry
  status: () => { phase: Phase }
  /** Rules, alerts and deliveries. Whoever made them closes them. */
  alerting: Alerting
  /** The operators' console; null: none is served. */
  console: ConsoleOptions | null
  /** Who takes upgrades at other paths than the feed's, by path. */
  upgrades?: Record<string, UpgradeHandler>
  version: string
}

interface Parts {
  app: FastifyInstance
  hub: Hub
  feed: FeedServer
  sessions: Sessions
  directory: DeviceDirectory
  overview: Overview
}

export class Gateway {
  readonly #options: GatewayOptions
  readonly #origins: PageOrigins
  readonly #draining = new AbortController()
  readonly #upgraded = new Set<Duplex>()
  #parts: Parts | null = null
  #closed: Promise<void> | null = null

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#origins = pageOrigins(options.settings)
  }

  /** Starts following the log and serving. */
  async listen(): Promise<{ address: string; port: number }> {
    const { store, settings, logger, registry, now } = this.#options
    const { log } = store
    const tokens = new Tokens(store.tokens)
    const counts = new FeedCounts()
    counts.register(registry)
    const directory = await DeviceDirectory.load(store, logger)
    new Gauge({
      name: 'tocsin_devices_known',
      help: 'Devices that are registered or were seen.',
      registers: [registry],
      collect() {
        this.set(directory.size)
      }
    })
    const hub = new Hub({ log, flushMs: settings.flushMs, counts, logger, now })
    const sessions = await Sessions.load({ store, tokens, settings, sweepMs: settings.pingMs, now })
    const origins = this.#origins
    const feed = new FeedServer({ log, hub, tokens, sessions, origins, counts, settings })
    const draining = this.#draining.signal
    const overview = new Overview({ log, registry, logger, now, ...settings })
    const app = buildApp({
      ...this.#options,
      tokens,
      sessions,
      origins,
      hub,
      feed,
      counts,
      directory,
      overview,
      draining
    })
    this.#parts = { app, hub, feed, sessions, directory, overview }
    app.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    const page = this.#options.console
    if (page !== null) consoleRoutes(app, { ...page, files: await findConsoleFiles(page.dir) })
    await app.listen({ host: settings.host, port: settings.port, backlog: 4096 })
    const { address, port } = app.server.address() as AddressInfo
    return { address, port }
  }

  /**
   * Drains: takes no new connection, sends subscribers what is committed and tells them to come back, answers
   * long-polls, saves what is known of devices.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    if (this.#parts === null) return
    const { app, hub, feed, sessions, directory, overview } = this.#parts
    this.#draining.abort()
    const cutOff = setTimeout(() => {
      for (const socket of this.#upgraded) socket.destroy()
      app.server.closeAllConnections() // those on which no request ever began count as active
    }, CLOSE_GRACE_MS)
    await Promise.all([feed.close(), app.close()])
    clearTimeout(cutOff)
    hub.stop()
    sessions.stop()
    overview.stop()
    await directory.close()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgraded.add(socket)
    socket.once('close', () => this.#upgraded.delete(socket))
    socket.on('error', () => socket.destroy()) // a lost connection; its owner sees "close"
    try {
      checkOrigin(request, this.#origins)
      const path = (request.url ?? '').split('?', 1)[0] ?? ''
      const handler = Object.hasOwn(this.#options.upgrades ?? {}, path)
        ? this.#options.upgrades?.[path]
        : undefined
      if (path === '/v1/feed') this.#parts?.feed.upgrade(request, socket, head)
      else if (handler) handler(request, socket, head)
      else throw new GatewayError('route-unknown', 'no WebSocket is served here; the feed is at /v1/feed')
    } catch (error) {
      if (error instanceof GatewayError) return endWithProblem(socket, error)
      this.#options.logger.error({ err: error }, 'an upgrade failed')
      endWithProblem(socket, new GatewayError('internal', 'the server failed; its log says more'))
    }
  }
}

function buildApp(context: HttpContext): FastifyInstance {
  const { settings, logger, registry, version } = context
  const app = Fastify({
    logger: false,
    bodyLimit: settings.bodyBytesMax,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: 1024, querystringParser: parseQuery },
    return503OnClosing: false,
    clientErrorHandler: onClientError,
    frameworkErrors: onFrameworkError,
    ajv: { customOptions: { removeAdditional: false, allErrors: true, allowUnionTypes: true } }
  })
  installProblems(app, logger)
  app.removeContentTypeParser('text/plain') // bodies are JSON; what a page of anywhere can send is not taken
  installAuthorization(app, context)
  installRequestMetrics(app, registry)
  installOpenApi(app, version)
  operationRoutes(app, context)
  overviewRoute(app, context)
  feedRoutes(app, context)
  historyRoutes(app, context)
  eventRoutes(app, context)
  deviceRoutes(app, context)
  alertRoutes(app, context)
  outsideAlertRoutes(app, context)
  silenceRoutes(app, context)
  ruleRoutes(app, context)
  deliveryRoutes(app, context)
  tokenRoutes(app, context)
  sessionRoutes(app, context)
  return app
}

/** Parameters by name; one that is repeated is a list. */
function parseQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (const [name, value] of new URLSearchParams(text)) {
    const known = query[name]
    query[name] = known === undefined ? value : [known, value].flat()
  }
  return query
}
