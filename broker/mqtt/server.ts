// The MQTT server: aedes with this room's hooks, over TCP and WebSocket. Wires the parts; each concern is in its file.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { Aedes } from 'aedes'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { ReadGate } from '../../store/read-gate.ts'
import type { Log, Tables } from '../../store/store.ts'
import type { Authenticator } from '../authenticate.ts'
import type { Authorizer } from '../authorize.ts'
import type { Ingest } from '../ingest.ts'
import type { ConnectionLimits } from '../limits.ts'
import type { Presence } from '../presence.ts'
import { accept, type AcceptContext } from './accept.ts'
import type { AedesBroker, AedesClient } from './aedes-internals.ts'
import { Connection, type ConnectionContext } from './connection.ts'
import { Dispatcher } from './dispatcher.ts'
import { registerMetrics } from './metrics.ts'
import { Outbox } from './outbox.ts'
import { aedesPersistence } from './persistence.ts'
import { handlePublish, handleRelease, type PublishContext } from './publish.ts'
import { reason } from './reason-codes.ts'
import { RetainedMessages } from './retained-messages.ts'
import { RoomQueue } from './room-queue.ts'
import type { SessionContext } from './session.ts'
import { Sessions } from './sessions.ts'
import { handleSubscribe, handleUnsubscribe, type SubscribeContext } from './subscribe.ts'
import { Wills } from './wills.ts'

export interface MqttSettings {
  host: string
  port: number
  packetBytesMax: number
  topicLevelsMax: number
  connectTimeoutMs: number
  packetTimeoutMs: number
  keepaliveMaxS: number
  sessionExpiryMaxS: number
  sessionsMax: number
  subscriptionsMax: number
  inflightMax: number
  receiveMax: number
  topicAliasMax: number
  unsentBytesMax: number
  retainedMax: number
  retainedBytesMax: number
  sessionSaveMs: number
}

export interface MqttServerOptions {
  settings: MqttSettings
  log: Log
  tables: Tables
  ingest: Ingest
  authenticator: Authenticator
  authorizer: Authorizer
  presence: Presence
  limits: ConnectionLimits
  logger: Logger
  registry: Registry
  /** Time of day, ms since 1970. */
  now: () => number
}

const BACKLOG = 4096
const SWEEP_MS = 1000
/** Refused connections that may wait to be told why, in answer to their CONNECT; the rest is cut off at once. */
const REFUSED_MAX = 1000
// Pages of the log that sessions read at the same time.
const READS_AT_ONCE = 8

/** MQTT 3.1, 3.1.1 and 5 over TCP, and over the WebSocket upgrades it is given. */
export class MqttServer {
  readonly #options: MqttServerOptions
  readonly #connections = new Set<Connection>()
  /** The connection that holds each session. */
  readonly #byKey = new Map<string, Connection>()
  readonly #retained = new RetainedMessages()
  readonly #dispatcher: Dispatcher
  readonly #wills: Wills
  readonly #server: net.Server
  readonly #webSockets: WebSocketServer
  readonly #counts = { catchUps: 0, gaps: 0, tooLarge: 0, expired: 0 }
  #sessions: Sessions | null = null
  #broker: AedesBroker | null = null
  #accept: AcceptContext | null = null
  #connectionContext: ConnectionContext | null = null
  #sweep: NodeJS.Timeout | null = null
  #draining = false
  /** Connections that are open although they were refused. */
  #refused = 0

  constructor(options: MqttServerOptions) {
    this.#options = options
    const { log, now, settings } = options
    this.#dispatcher = new Dispatcher({ position: log.bounds().last, retained: this.#retained })
    this.#wills = new Wills({ log, now })
    this.#server = net.createServer({ noDelay: true, keepAlive: true }, socket => {
      this.#onStream(socket, socket.remoteAddress ?? '')
    })
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: settings.packetBytesMax * 2, // a frame may hold several packets
      handleProtocols: offered => ['mqtt', 'mqttv3.1'].find(name => offered.has(name)) ?? false // [MQTT-6.0.0-4]
    })
  }

  /** Loads what is stored, then listens. Rejects with the system's error when the port can't be had. */
  async listen(): Promise<{ address: string; port: number }> {
    const { tables, log, settings } = this.#options
    await tables.retained(rows => {
      for (const row of rows) this.#retained.load(row)
    })
    this.#dispatcher.start(log)
    await this.#wills.load(tables)
    this.#sessions = await this.#loadSessions()
    this.#broker = await this.#createBroker()
    this.#wire(this.#broker, this.#sessions)
    this.#wills.start()
    this.#sessions.start()
    this.#sweep = setInterval(() => this.#cutOffOverdue(), SWEEP_MS)
    registerMetrics(this.#options.registry, {
      sessions: () => this.#sessions?.storedCount ?? 0,
      retained: () => this.#retained,
      delivered: () => this.#dispatcher.delivered,
      counts: this.#counts
    })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: settings.host, port: settings.port, backlog: BACKLOG }, resolve)
    })
    const { address, port } = this.#server.address() as net.AddressInfo
    return { address, port }
  }

  /** Takes over an HTTP upgrade as MQTT over WebSocket. The caller has checked the Origin. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
    if (!offered.includes('mqtt') && !offered.includes('mqttv3.1')) {
      const body = 'MQTT over WebSocket needs the subprotocol mqtt [MQTT-6.0.0-3]\n'
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      )
      return
    }
    this.#webSockets.handleUpgrade(request, socket, head, webSocket => {
      this.#onStream(createWebSocketStream(webSocket), request.socket.remoteAddress ?? '')
    })
  }

  /** Ends the connections of a device, for example because its token is no longer valid. */
  disconnectDevice(device: string, endReason: string): void {
    for (const connection of this.#connections) {
      if (connection.identity?.device === device) connection.end(reason.administrativeAction, endReason)
    }
  }

  /** Stops accepting, acknowledges what came, says goodbye, and stores the sessions away. Wills wait for the restart. */
  async close(): Promise<void> {
    this.#draining = true
    const { log } = this.#options
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const { client } of this.#connections) client.conn.pause()
    await new Promise<void>(resolve => log.write([], () => resolve()))
    await new Promise(resolve => setImmediate(resolve)) // acknowledgements are written in the turn of their commit
    for (const connection of this.#connections) connection.end(reason.serverShuttingDown, 'server-shutdown')
    this.#webSockets.close()
    this.#wills.stop()
    this.#sessions?.stop()
    this.#dispatcher.stop()
    if (this.#sweep !== null) clearInterval(this.#sweep)
    await new Promise<void>(resolve => (this.#broker === null ? resolve() : this.#broker.close(resolve)))
    await closed
  }

  #onStream(stream: Duplex, address: string): void {
    const broker = this.#broker
    const context = this.#connectionContext
    if (broker === null || context === null || this.#draining) {
      stream.destroy()
      return
    }
    const admission = this.#options.limits.admit(address, 'mqtt')
    if (!admission.ok && this.#refused >= REFUSED_MAX) {
      stream.destroy()
      return
    }
    if (!admission.ok) this.#refused++
    const connection = new Connection(
      broker.handle(stream),
      { address, admission, openedAt: performance.now() },
      context
    )
    connection.client.connection = connection
    this.#connections.add(connection)
  }

  async #loadSessions(): Promise<Sessions> {
    const { log, tables, logger, settings, now } = this.#options
    const context: SessionContext = {
      log,
      dispatcher: this.#dispatcher,
      retained: this.#retained,
      gate: new ReadGate(READS_AT_ONCE),
      unsentBytesMax: settings.unsentBytesMax,
      now,
      counts: this.#counts,
      onReadFailed: error => logger.warn({ err: error }, 'could not read the log for an MQTT session')
    }
    const { sessionsMax, sessionSaveMs } = settings
    const onEnded = (key: string) => this.#wills.sessionEnded(key)
    return Sessions.load({ context, tables, log, logger, sessionsMax, sessionSaveMs, now, onEnded })
  }

  async #createBroker(): Promise<AedesBroker> {
    const { settings, logger } = this.#options
    const broker = (await Aedes.createBroker({
      id: randomBytes(8).toString('hex'),
      mq: silentEmitter,
      persistence: aedesPersistence({
        sessionPresent: key => this.#byKey.get(key)?.sessionPresent ?? false,
        current: client => this.#byKey.get(client.id ?? '')?.client === client,
        holdWill: (client, will) =>
          this.#wills.hold(client.id ?? '', client.connection?.identity?.device ?? '', will),
        discardWill: key => this.#wills.discard(key)
      }),
      connectTimeout: settings.connectTimeoutMs,
      drainTimeout: 0, // a client that does not read its acknowledgements is not read from; nobody else waits for it
      keepaliveLimit: 0,
      maxClientsIdLength: 65_535,
      maxTopicLevels: settings.topicLevelsMax,
      maximumPacketSize: settings.packetBytesMax,
      receiveMaximum: settings.receiveMax,
      topicAliasMaximum: settings.topicAliasMax,
      sessionExpiryIntervalLimit: settings.sessionExpiryMaxS,
      preConnect: (client, packet, done) => {
        const { connection } = client as unknown as AedesClient
        if (connection !== undefined && this.#accept !== null) {
          accept.check(this.#accept, connection, packet, () => done(null, true))
        }
      },
      authenticate: (client, _user, _password, done) => {
        const { connection } = client as unknown as AedesClient
        if (connection === undefined || this.#accept === null) return
        accept
          .openSession(this.#accept, connection, () => done(null, true))
          .catch((error: unknown) => {
            logger.error({ err: error }, 'could not load an MQTT session')
            connection.end(reason.serverUnavailable, 'server-unavailable')
          })
      },
      authorizeSubscribe: (_client, _subscription, done) => done(null, null) // subscriptions are not aedes' here
    })) as unknown as AedesBroker
    return broker
  }

  #wire(broker: AedesBroker, sessions: Sessions): void {
    const { settings, presence, limits, log, authorizer, logger } = this.#options
    broker.clients = Object.create(null) as AedesBroker['clients']
    broker.brokers = Object.create(null) as AedesBroker['brokers']
    // What aedes would publish, wills and its $SYS news among it, does not come back through it.
    broker.publish = (_packet, client, done) => (typeof client === 'function' ? client() : done?.(null))
    broker.publishWill = client => this.#releaseWill(client, 0)
    broker.scheduleWill = (client, _will, delayS) => this.#releaseWill(client, delayS)
    broker.scheduleSessionExpiry = () => undefined
    broker.on('clientReady', (client: AedesClient) => {
      if (client.connection !== undefined && this.#accept !== null)
        accept.ready(this.#accept, client.connection)
    })
    broker.on('clientDisconnect', (client: AedesClient) => client.connection?.closed())
    broker.on('keepaliveTimeout', (client: AedesClient) => {
      client.connection?.end(reason.keepAliveTimeout, 'keepalive-timeout')
    })
    for (const event of ['clientError', 'connectionError'] as const) {
      broker.on(event, (client: AedesClient, error: Error) => {
        logger.debug({ client: client.connection?.key, err: error }, 'MQTT connection failed')
      })
    }
    broker.on('error', (error: Error) => logger.error({ err: error }, 'aedes reports an error'))

    const publishing: PublishContext = { ...this.#options, ...settings, retained: this.#retained }
    const subscribing: SubscribeContext = { ...settings, log, dispatcher: this.#dispatcher, authorizer }
    this.#accept = {
      ...this.#options,
      sessions,
      wills: this.#wills,
      byKey: this.#byKey,
      inflightMax: settings.inflightMax,
      keepaliveMaxS: settings.keepaliveMaxS,
      draining: () => this.#draining
    }
    this.#connectionContext = {
      outbox: new Outbox(),
      limits,
      room: new RoomQueue(this.#options.ingest),
      unsentBytesMax: settings.unsentBytesMax,
      receiveMax: settings.receiveMax,
      packetBytesMax: settings.packetBytesMax,
      publish: (connection, packet) => handlePublish(publishing, connection, packet),
      subscribe: (connection, packet, done) => handleSubscribe(subscribing, connection, packet, done),
      unsubscribe: (connection, packet, done) => handleUnsubscribe(subscribing, connection, packet, done),
      release: ({ session }, packetId, done) =>
        session === null ? done(false) : handleRelease(log, session, packetId, done),
      ended: connection => {
        this.#connections.delete(connection)
        if (!connection.admission.ok) this.#refused--
        accept.ended({ presence, sessions, byKey: this.#byKey, draining: () => this.#draining }, connection)
      }
    }
  }

  #releaseWill({ id, connected }: AedesClient, delayS: number): void {
    if (id === null || this.#draining) return
    if (connected) this.#wills.release(id, delayS)
    else this.#wills.discard(id) // its CONNECT was never accepted [MQTT-3.1.2-8]
  }

  #cutOffOverdue(): void {
    const { connectTimeoutMs, packetTimeoutMs } = this.#options.settings
    const now = performance.now()
    for (const connection of this.#connections) {
      connection.forgiveSilence()
      if (connection.state !== 'open') {
        if (now - connection.openedAt > connectTimeoutMs) connection.end(reason.serverBusy, 'connect-timeout')
      } else if (connection.packetOpenSince > 0 && now - connection.packetOpenSince > packetTimeoutMs) {
        connection.end(reason.unspecifiedError, 'packet-timeout', 'a packet took too long to arrive')
      }
    }
  }
}

/** aedes' emitter: nothing goes through it, for what clients get comes from the log. */
const silentEmitter = {
  current: 0,
  concurrency: 0,
  on(_topic: string, _listener: unknown, done?: () => void) {
    if (done !== undefined) setImmediate(done)
    return this
  },
  removeListener(_topic: string, _listener: unknown, done?: () => void) {
    if (done !== undefined) setImmediate(done)
    return this
  },
  emit(_packet: unknown, done?: () => void) {
    if (done !== undefined) setImmediate(done)
    return this
  },
  close(done: () => void) {
    setImmediate(done)
  }
}
