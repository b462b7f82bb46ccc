// One WebSocket connection of the feed: authentication, its subscriptions, and its end.
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { RawData } from 'ws'
import { formatCursor } from '../../store/cursor.ts'
import type { Log, TokenRow } from '../../store/store.ts'
import { closeCodes, GatewayError } from '../errors.ts'
import type { CloseReason } from '../errors.ts'
import type { GatewaySettings } from '../settings.ts'
import type { Tokens } from '../../store/tokens.ts'
import type { PageOrigins } from '../http/origin.ts'
import type { Session, Sessions } from '../sessions/sessions.ts'
import { parseFilter } from './filter.ts'
import type { Hub } from './hub.ts'
import { Outlet } from './outlet.ts'
import { resolveStart } from './recovery.ts'
import { decodeMessage, idOf, parseRequest } from './requests.ts'
import type { FeedRequest } from './requests.ts'
import type { FeedCounts } from './feed-metrics.ts'
import type { Subscription } from './subscription.ts'

/** Sweeps without a byte going out after which a connection that holds back bytes is given up. */
const STALLED_SWEEPS = 10
/** Time for the other side to answer a close. */
const CLOSE_TIMEOUT_MS = 2000

/** What all feed connections share. */
export interface FeedContext {
  log: Log
  hub: Hub
  tokens: Tokens
  sessions: Sessions
  origins: PageOrigins
  counts: FeedCounts
  settings: GatewaySettings
}

export interface FeedSocketOptions {
  webSocket: WebSocket
  socket: Duplex
  format: 'json' | 'msgpack'
  /** Null: the first message must bring a token. */
  token: TokenRow | null
  /** The session by which it was opened; null with a token. */
  session: Session | null
  onEnd: (ended: FeedSocket) => void
}

export class FeedSocket {
  readonly #context: FeedContext
  readonly #options: FeedSocketOptions
  readonly #outlet: Outlet
  readonly #subscriptions = new Map<string, Subscription>()
  #token: TokenRow | null
  #authTimer: NodeJS.Timeout | null = null
  #pings = 0
  #stalled = { sent: 0, sweeps: 0 }

  constructor(context: FeedContext, options: FeedSocketOptions) {
    const { webSocket, socket, format, token } = options
    const { unsentBytesMax, authTimeoutMs } = context.settings
    this.#context = context
    this.#options = options
    this.#token = token
    this.#outlet = new Outlet({
      transport: 'websocket',
      format,
      stream: socket,
      unsentBytesMax,
      takesMessages: () => webSocket.readyState === WebSocket.OPEN
    })
    if (token === null) {
      this.#authTimer = setTimeout(() => this.close('auth-timeout', 'no token came in time'), authTimeoutMs)
    }
    webSocket.on('message', (data, binary) => this.#receive(data, binary))
    webSocket.on('pong', () => (this.#pings = 0))
    webSocket.on('error', () => this.#outlet.close()) // the library closes with the code for what was wrong
    webSocket.on('close', () => this.#end())
  }

  get tokenId(): string | null {
    return this.#token?.id ?? null
  }

  get session(): Session | null {
    return this.#options.session
  }

  /** Closes with a code that says whether to come back. */
  close(reason: CloseReason, text: string): void {
    this.#outlet.close()
    const { webSocket } = this.#options
    webSocket.resume() // or the other side's answer is never read
    webSocket.close(closeCodes[reason], text.slice(0, 120))
    // A peer that reads nothing doesn't answer, either.
    const timer = setTimeout(() => webSocket.terminate(), CLOSE_TIMEOUT_MS)
    webSocket.once('close', () => clearTimeout(timer))
  }

  /** Called every `pingMs`: cuts off a connection that is gone, tells quiet subscriptions where they stand. */
  sweep(): void {
    const { webSocket, socket } = this.#options
    if (webSocket.readyState !== WebSocket.OPEN) return
    if (socket.writableLength > 0) return this.#sweepSlow()
    this.#stalled.sweeps = 0
    if (this.#pings >= 2) return webSocket.terminate()
    this.#pings++
    webSocket.ping()
    const { hub } = this.#context
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.state === 'live') subscription.tellProgress(hub.reached(subscription))
    }
  }

  /** A connection that holds back bytes can't answer pings behind them: it lives as long as some go out. */
  #sweepSlow(): void {
    const { socket } = this.#options
    const sent = (socket as Socket).bytesWritten - socket.writableLength
    if (sent > this.#stalled.sent) this.#stalled.sweeps = 0
    this.#stalled.sent = sent
    this.#pings = 0
    if (++this.#stalled.sweeps > STALLED_SWEEPS) this.close('stalled', 'nothing was read for too long')
  }

  #receive(data: RawData, binary: boolean): void {
    this.#pings = 0
    if (!this.#outlet.open) return
    const { format } = this.#options
    const decoded = decodeMessage(data as Buffer, binary, format)
    if (!decoded.ok) return this.close('message-invalid', decoded.message)
    try {
      this.#act(parseRequest(decoded.value))
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      const id = idOf(decoded.value)
      this.#outlet.tell({
        type: 'error',
        ...(id === undefined ? {} : { id }),
        code: error.code,
        message: error.message
      })
      if (error.code === 'auth-required') return this.close('unauthorized', error.message)
    }
    this.#holdBackRequests()
  }

  #act(request: FeedRequest): void {
    if (request.type === 'auth') return this.#authenticate(request.token)
    if (this.#token === null) throw new GatewayError('auth-required', 'send {"type":"auth","token":…} first')
    if (request.type === 'ping') this.#outlet.tell({ type: 'pong' })
    else if (request.type === 'subscribe') this.#subscribe(request)
    else this.#unsubscribe(request.id)
  }

  #authenticate(token: string): void {
    if (this.#token !== null) throw new GatewayError('auth-repeated', 'this connection has a token already')
    const row = this.#context.tokens.find(token)
    if (row === undefined) return this.close('unauthorized', 'the token is unknown or was revoked')
    this.#token = row
    if (this.#authTimer) clearTimeout(this.#authTimer)
  }

  #subscribe({ id, filter, after }: FeedRequest & { type: 'subscribe' }): void {
    const { log, hub, settings } = this.#context
    if (this.#subscriptions.has(id))
      throw new GatewayError(
        'subscription-exists',
        `"${id}" is subscribed; unsubscribe it first or use another id`
      )
    if (this.#subscriptions.size >= settings.subscriptionsMax)
      throw new GatewayError(
        'subscriptions-limit',
        `a connection may have ${settings.subscriptionsMax} subscriptions`
      )
    const wanted = parseFilter(filter, settings.filterTermsMax)
    const bounds = log.bounds()
    const start = resolveStart(after, bounds)
    const cursor = formatCursor(bounds.epoch, start.after)
    this.#outlet.tell({ type: 'subscribed', id, cursor, recovered: start.recovered })
    if (start.gap) {
      this.#context.counts.gaps++
      this.#outlet.tell({ type: 'gap', id, ...start.gap })
    }
    const onError = () => {
      this.#outlet.tell({ type: 'error', id, code: 'read-failed', message: 'the log can’t be read now' })
      this.close('read-failed', 'the log can’t be read now')
    }
    this.#subscriptions.set(
      id,
      hub.subscribe(wanted, { outlet: this.#outlet, id, after: start.after, onError })
    )
  }

  #unsubscribe(id: string): void {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined)
      throw new GatewayError('subscription-unknown', `"${id}" is not subscribed`)
    this.#context.hub.unsubscribe(subscription)
    this.#subscriptions.delete(id)
  }

  /** Answers add to what waits, so a client that sends and doesn't read is not read from until it does. */
  #holdBackRequests(): void {
    const { webSocket } = this.#options
    if (!this.#outlet.full || webSocket.isPaused) return
    webSocket.pause()
    this.#outlet.whenDrained(() => webSocket.resume())
  }

  #end(): void {
    this.#outlet.close()
    if (this.#authTimer) clearTimeout(this.#authTimer)
    for (const subscription of this.#subscriptions.values()) this.#context.hub.unsubscribe(subscription)
    this.#subscriptions.clear()
    this.#options.onEnd(this)
  }
}
