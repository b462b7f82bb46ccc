// The MQTT server: aedes with this room's hooks, over TCP and WebSocket. Wires the parts; each concern is in its file.
import type { IncomingMessage } from 'node:http'
import net from 'node:net'
import { getDefaultHighWaterMark, type Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { ReadGate } from '../../store/read-gate.ts'
import type { Change, Log, Tables } from '../../store/store.ts'
import type { Authenticator } from '../authenticate.ts'
import type { Authorizer } from '../authorize.ts'
import type { Ingest } from '../ingest.ts'
import type { ConnectionLimits } from '../limits.ts'
import type { Operators } from '../operators.ts'
import type { Presence } from '../presence.ts'
import { accept, type AcceptContext } from './accept.ts'
import { AedesBridge } from './aedes-bridge.ts'
import type { AedesClient } from './aedes-internals.ts'
import { Connection, type ConnectionContext } from './connection.ts'
import { Dispatcher } from './dispatcher.ts'
import { ClientCount, newTrafficCounts, registerMetrics } from './metrics.ts'
import { Outbox } from './outbox.ts'
import { handlePublish, handleRelease, hasRoomToRetain, type PublishContext } from './publish.ts'
import { reason } from './reason-codes.ts'
import { RetainedMessages, type Retainable } from './retained-messages.ts'
import { RoomQueue } from './room-queue.ts'
import type { SessionContext } from './session.ts'
import { Sessions } from './sessions.ts'
import type { ShareContext } from './share.ts'
import { Shares } from './shares.ts'
import { handleSubscribe, type SubscribeContext } from './subscribe.ts'
import { SysTopics } from './sys-topics.ts'
import { SysValues } from './sys-values.ts'
import { handleUnsubscribe } from './unsubscribe.ts'
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
  flushMs: number
  retainedMax: number
  retainedBytesMax: number
  willsBytesMax: number
  sessionSaveMs: number
  sysIntervalMs: number
}

export interface MqttServerOptions {
  settings: MqttSettings
  log: Log
  tables: Tables
  ingest: Ingest
  operators: Operators
  authenticator: Authenticator
  authorizer: Authorizer
  presence: Presence
  limits: ConnectionLimits
  logger: Logger
  registry: Registry
  /** The version of Tocsin, as `$SYS` tells it. */
  version: string
  /** Time of day, ms since 1970. */
  now: () => number
}

/** A socket, or a WebSocket's stream, and whose it is. */
interface ClientSocket extends Duplex {
  connection?: Connection
}

interface Parts {
  sessions: Sessions
  shares: Shares
  sys: SysTopics
}

const BACKLOG = 4096
const SWEEP_MS = 1000
/** Expired retained messages that are removed at a time. */
const EXPIRED_MAX = 1000
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
  readonly #outbox: Outbox
  readonly #highWaterMark: number
  readonly #counts = { catchUps: 0, gaps: 0, tooLarge: 0, expired: 0, takenOver: 0 }
  readonly #traffic = newTrafficCounts()
  readonly #clients = new ClientCount()
  #sys: SysTopics | null = null
  #shares: Shares | null = null
  #sessions: Sessions | null = null
  #bridge: AedesBridge | null = null
  #accept: AcceptContext | null = null
  #connectionContext: ConnectionContext | null = null
  #sweep: NodeJS.Timeout | null = null
  #draining = false
  /** Connections that are open although they were refused. */
  #refused = 0

  constructor(options: MqttServerOptions) {
    this.#options = options
    const { log, now, settings } = options
    this.#dispatcher = new Dispatcher({ bounds: log.bounds(), retained: this.#retained })
    const mayRetain = (event: Retainable) => hasRoomToRetain({ ...settings, retained: this.#retained }, event)
    this.#wills = new Wills({ log, now, bytesMax: settings.willsBytesMax, mayRetain })
    this.#outbox = new Outbox({ flushMs: settings.flushMs, traffic: this.#traffic })
    // A socket that holds more than sessions go on at must say so when it has let go of that.
    const highWaterMark = Math.min(getDefaultHighWaterMark(false), Math.floor(settings.unsentBytesMax / 2))
    this.#highWaterMark = highWaterMark
    this.#server = net.createServer({ noDelay: true, keepAlive: true, highWaterMark }, socket => {
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
    const { epoch } = log.bounds()
    await tables.retained(rows => {
      for (const row of rows) this.#retained.load(epoch, row)
    })
    this.#dispatcher.start(log)
    await this.#wills.load(tables)
    const shared = this.#sharedContext()
    this.#shares = await Shares.load(shared, tables)
    this.#sessions = await this.#loadSessions(shared, this.#shares)
    this.#bridge = await this.#createBridge()
    this.#sys = this.#createSysTopics(this.#sessions)
    this.#wire(this.#bridge, { sessions: this.#sessions, shares: this.#shares, sys: this.#sys })
    this.#sys.start()
    this.#wills.start()
    this.#sessions.start()
    this.#sweep = setInterval(() => {
      this.#cutOffOverdue()
      this.#removeExpired()
    }, SWEEP_MS)
    registerMetrics(this.#options.registry, {
      sessions: () => this.#sessions?.storedCount ?? 0,
      shares: () => this.#shares?.count ?? 0,
      retained: this.#retained,
      wills: this.#wills,
      delivered: () => this.#dispatcher.delivered,
      counts: this.#counts,
      traffic: this.#traffic
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
      socket.once('finish', () => socket.destroy()) // the peer need not close its side
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      )
      return
    }
    this.#webSockets.handleUpgrade(request, socket, head, webSocket => {
      let stream: Duplex | null = null
      webSocket.on('message', (_data, binary) => {
        if (!binary) stream?.destroy() // before the stream takes it as bytes [MQTT-6.0.0-1]
      })
      stream = createWebSocketStream(webSocket, { writableHighWaterMark: this.#highWaterMark })
      this.#onStream(stream, request.socket.remoteAddress ?? '')
    })
  }

  /** Ends the connections of a device, for example because its token is no longer valid. */
  disconnectDevice(device: string, endReason: string): void {
    for (const connection of this.#connections) {
      if (connection.identity?.device === device) connection.end(reason.administrativeAction, endReason)
    }
  }

  /** Ends the connections of an operator's token. */
  disconnectOperator(token: string, endReason: string): void {
    for (const connection of this.#connections) {
      if (connection.identity?.operator === token) connection.end(reason.administrativeAction, endReason)
    }
  }

  /** Stops accepting, acknowledges what came, says goodbye, and stores the sessions away. Wills wait for the restart. */
  async close(): Promise<void> {
    this.#draining = true
    const { log } = this.#options
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const { socket } of this.#connections) socket.pause()
    await new Promise<void>(resolve => log.write([], () => resolve()))
    await new Promise(resolve => setImmediate(resolve)) // acknowledgements are written in the turn of their commit
    for (const connection of this.#connections) connection.end(reason.serverShuttingDown, 'server-shutdown')
    this.#webSockets.close()
    this.#wills.stop()
    this.#sessions?.stop()
    this.#sys?.stop()
    this.#dispatcher.stop()
    if (this.#sweep !== null) clearInterval(this.#sweep)
    this.#outbox.stop()
    await this.#bridge?.close()
    await closed
  }

  #onStream(socket: ClientSocket, address: string): void {
    socket.on('error', ignore) // `close` follows
    const context = this.#connectionContext
    if (context === null || this.#draining) return void socket.destroy()
    this.#traffic.socketsOpened++
    const admission = this.#options.limits.admit(address, 'mqtt')
    if (!admission.ok && this.#refused >= REFUSED_MAX) return void socket.destroy()
    if (!admission.ok) this.#refused++
    const openedAt = performance.now()
    const connection = new Connection({ socket, address, admission, openedAt }, context)
    this.#connections.add(connection)
    socket.connection = connection
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('close', onEnd)
  }

  // What reads on from the log has in common.
  #sharedContext(): ShareContext & Pick<SessionContext, 'counts' | 'traffic'> {
    const { log, logger } = this.#options
    return {
      log,
      dispatcher: this.#dispatcher,
      gate: new ReadGate(READS_AT_ONCE),
      counts: this.#counts,
      traffic: this.#traffic,
      onReadFailed: error => logger.warn({ err: error }, 'could not read the log for an MQTT session')
    }
  }

  async #loadSessions(
    shared: ShareContext & Pick<SessionContext, 'counts' | 'traffic'>,
    shares: Shares
  ): Promise<Sessions> {
    const { log, tables, logger, settings, now } = this.#options
    const { unsentBytesMax } = settings
    const context: SessionContext = { ...shared, shares, retained: this.#retained, unsentBytesMax, now }
    const { sessionsMax, sessionSaveMs } = settings
    const onEnded = (key: string) => this.#wills.sessionEnded(key)
    return Sessions.load({ context, tables, log, logger, sessionsMax, sessionSaveMs, now, onEnded })
  }

  #createSysTopics(sessions: Sessions): SysTopics {
    const { version, log, now, settings } = this.#options
    const values = new SysValues({
      version,
      traffic: this.#traffic,
      clients: this.#clients,
      counts: this.#counts,
      sessions,
      connections: this.#connections,
      retained: this.#retained,
      log,
      monotonicMs: () => performance.now()
    })
    const { sysIntervalMs: intervalMs, unsentBytesMax } = settings
    return new SysTopics({ values, intervalMs, unsentBytesMax, traffic: this.#traffic, now })
  }

  #createBridge(): Promise<AedesBridge> {
    const { settings, logger } = this.#options
    return AedesBridge.create({
      settings,
      logger,
      discardWill: key => this.#wills.discard(key),
      openSession: async (connection, next) => {
        if (this.#accept !== null) await accept.openSession(this.#accept, connection, next)
      },
      onAccepted: ({ connection }) => {
        if (this.#accept !== null) accept.holdWill(this.#accept, connection)
      },
      onWillDue: (client, delayS) => this.#releaseWill(client, delayS)
    })
  }

  #wire(bridge: AedesBridge, { sessions, shares, sys }: Parts): void {
    const { settings, presence, limits, log, authorizer, ingest } = this.#options
    const traffic = this.#traffic
    const publishing: PublishContext = { ...this.#options, ...settings, retained: this.#retained, traffic }
    const subscribing: SubscribeContext = {
      ...settings,
      log,
      dispatcher: this.#dispatcher,
      shares,
      authorizer,
      sys
    }
    const draining = () => this.#draining
    const ending = { presence, sessions, byKey: this.#byKey, clients: this.#clients, draining }
    const accepting: AcceptContext = {
      ...this.#options,
      ...ending,
      wills: this.#wills,
      traffic,
      announced: settings,
      inflightMax: settings.inflightMax,
      keepaliveMaxS: settings.keepaliveMaxS,
      onWelcome: connection => sys.resumed(connection, authorizer)
    }
    this.#accept = accepting
    this.#connectionContext = {
      ...settings,
      traffic,
      outbox: this.#outbox,
      limits,
      room: new RoomQueue(ingest),
      connect: (connection, packet) =>
        accept.check(accepting, connection, packet, () => bridge.connect(connection, packet)),
      publish: (connection, packet) => handlePublish(publishing, connection, packet),
      subscribe: (connection, packet, done) => handleSubscribe(subscribing, connection, packet, done),
      unsubscribe: (connection, packet, done) => handleUnsubscribe(subscribing, connection, packet, done),
      release: ({ session }, packetId, done) =>
        session === null ? done(false) : handleRelease(log, session, packetId, done),
      disconnect: (connection, packet) => bridge.disconnect(connection, packet),
      ended: connection => {
        this.#connections.delete(connection)
        if (!connection.admission.ok) this.#refused--
        sys.closed(connection)
        accept.ended(ending, connection)
      }
    }
  }

  #releaseWill({ id, connected }: AedesClient, delayS: number): void {
    if (id === null) return
    if (!connected) return this.#wills.discard(id) // its CONNECT was never accepted [MQTT-3.1.2-8]
    if (!this.#draining) this.#wills.release(id, delayS)
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

  #removeExpired(): void {
    const { log, now } = this.#options
    if (log.full()) return
    const gone = this.#retained.expire(now(), EXPIRED_MAX)
    const changes = gone.map(({ topic, seq }): Change => ({ delete: 'retained', topic, seq }))
    if (changes.length > 0) log.write(changes, null)
  }
}

// Shared by all sockets: a listener of its own for each would be memory for nothing.
function onData(this: ClientSocket, chunk: Buffer): void {
  this.connection?.onData(chunk)
}

function onEnd(this: ClientSocket): void {
  this.connection?.lost()
}

function ignore(): void {}
