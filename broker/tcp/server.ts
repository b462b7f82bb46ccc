// Listens for raw TCP devices, gives each connection its session, and looks after their time with one timer.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Log } from '../../store/store.ts'
import type { Authenticator } from '../authenticate.ts'
import type { Ingest } from '../ingest.ts'
import type { ConnectionLimits } from '../limits.ts'
import type { Presence } from '../presence.ts'
import { EventStreams } from './event-stream.ts'
import { encodeError } from './frame-codec.ts'
import type { ByeCode, ErrorCode } from './messages.ts'
import { TcpCounters } from './metrics.ts'
import { TcpSession } from './session.ts'
import type { SessionContext, SessionSettings } from './session-context.ts'
import { Turns } from './turns.ts'

export interface TcpSettings extends SessionSettings {
  host: string
  /** 0 lets the system choose. */
  port: number
}

export interface TcpServerOptions {
  settings: TcpSettings
  log: Log
  ingest: Ingest
  authenticator: Authenticator
  presence: Presence
  limits: ConnectionLimits
  logger: Logger
  registry: Registry
}

const BACKLOG = 4096
const SWEEP_MAX_MS = 250
/** Refused connections that may linger to read why; the rest is cut off at once. */
const REFUSED_MAX = 1000

/** A socket that knows its session: one set of handlers then serves all sockets, in place of closures for each. */
type DeviceSocket = Socket & { session?: TcpSession }

/** The raw TCP port. */
export class TcpServer {
  #settings: TcpSettings
  #logger: Logger
  #server: Server
  #context: SessionContext
  #refused = new Set<Socket>()
  #sweepTimer: NodeJS.Timeout | null = null

  constructor(options: TcpServerOptions) {
    const { settings, ingest, log, authenticator, presence, limits, logger, registry } = options
    this.#settings = settings
    this.#logger = logger
    this.#context = {
      settings,
      ingest,
      authenticator,
      presence,
      limits,
      streams: new EventStreams(log, settings),
      counters: new TcpCounters(registry),
      turns: new Turns(ingest),
      sessions: new Set(),
      live: new Map()
    }
    // A device may close its side and still read its acknowledgements, hence half-open.
    this.#server = createServer(
      { noDelay: true, allowHalfOpen: true, highWaterMark: Math.min(settings.unsentBytesMax, 65_536) },
      socket => this.#accept(socket)
    )
  }

  /** Begins to listen; rejects when the address can't be had. */
  async listen(): Promise<{ address: string; port: number }> {
    const { host, port, helloTimeoutMs } = this.#settings
    this.#server.listen({ host, port, backlog: BACKLOG })
    await once(this.#server, 'listening')
    this.#server.on('error', error => this.#logger.error({ err: error }, 'raw TCP port failed'))
    const sweepMs = Math.max(10, Math.min(SWEEP_MAX_MS, helloTimeoutMs / 4))
    this.#sweepTimer = setInterval(() => this.#sweep(), sweepMs)
    const { address, port: bound } = this.#server.address() as AddressInfo
    return { address, port: bound }
  }

  /** Ends a device's connection, if it has one, telling it why. */
  disconnectDevice(device: string, code: ByeCode): void {
    this.#context.live.get(device)?.end(code, reasons[code])
  }

  /** Stops accepting and reading, acknowledges what came, says bye; resolves when every connection is gone. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const session of this.#context.sessions) session.drain('shutting-down', reasons['shutting-down'])
    await closed
    if (this.#sweepTimer !== null) clearInterval(this.#sweepTimer)
  }

  /** Cuts off what is left of a `close` that takes too long. */
  destroy(): void {
    for (const session of this.#context.sessions) session.destroy()
  }

  #accept(socket: DeviceSocket): void {
    socket.on('error', onError)
    const { remoteAddress } = socket
    if (remoteAddress === undefined) return void socket.destroy() // gone already
    const admission = this.#context.limits.admit(remoteAddress, 'tcp')
    if (!admission.ok) return this.#refuse(socket, admission)
    const session = new TcpSession(this.#context, socket, admission)
    socket.session = session
    this.#context.sessions.add(session)
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('drain', onDrain)
    socket.on('close', onClose)
  }

  #refuse(socket: Socket, { code, message }: { code: ErrorCode; message: string }): void {
    this.#context.counters.errors[code]++
    if (this.#refused.size >= REFUSED_MAX) return void socket.destroy()
    this.#refused.add(socket)
    socket.setTimeout(2000, () => socket.destroy())
    socket.once('close', () => this.#refused.delete(socket))
    socket.resume()
    socket.end(encodeError({ code, message }))
  }

  #sweep(): void {
    const now = performance.now()
    for (const session of this.#context.sessions) session.checkTime(now)
  }
}

const reasons: Record<ByeCode, string> = {
  'taken-over': 'another connection of this device took over',
  'device-removed': 'this device was removed',
  'token-changed': 'this device has a new token',
  'shutting-down': 'the server shuts down'
}

// `close` follows every error and is where a lost connection is dealt with.
function onError(): void {}

function onData(this: DeviceSocket, chunk: Buffer): void {
  this.session?.onData(chunk)
}

function onEnd(this: DeviceSocket): void {
  this.session?.onEnd()
}

function onDrain(this: DeviceSocket): void {
  this.session?.onDrain()
}

function onClose(this: DeviceSocket): void {
  this.session?.onClosed()
}
