// All connections of the feed: who may open one, the sweep over them, and their common end.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Filter, TokenRow } from '../../store/store.ts'
import { GatewayError } from '../errors.ts'
import { requireOrigin } from '../http/origin.ts'
import type { Session } from '../sessions/sessions.ts'
import { findOperator, refuseTokenInUrl } from '../tokens.ts'
import { EventStream } from './event-stream.ts'
import { FeedSocket } from './feed-socket.ts'
import type { FeedContext } from './feed-socket.ts'
import { enterSubscriber } from './subscriber-places.ts'

const subprotocols = { 'tocsin.v1.json': 'json', 'tocsin.v1.msgpack': 'msgpack' } as const
type Subprotocol = keyof typeof subprotocols

/** What a stream is of, and by whom it was asked for. */
export interface StreamRequest {
  filter: Filter
  after: string | undefined
  token: TokenRow
  session: Session | null
}

export class FeedServer {
  readonly #context: FeedContext
  readonly #webSockets: WebSocketServer
  readonly #open = new Set<FeedSocket | EventStream>()
  readonly #sweepTimer: NodeJS.Timeout
  #closing = false
  #onEmpty: (() => void) | null = null

  constructor(context: FeedContext) {
    this.#context = context
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compressing for each subscriber would undo that a batch is built once for all.
      perMessageDeflate: false,
      maxPayload: context.settings.messageBytesMax,
      handleProtocols: offered => subprotocolOf(offered) ?? false
    })
    this.#sweepTimer = setInterval(() => this.#sweep(), context.settings.pingMs)
    this.#sweepTimer.unref()
    context.tokens.onRevoked(id => this.#closeToken(id))
    context.sessions.onEnded(session => this.#closeSession(session))
  }

  /** Opens a WebSocket; throws a `GatewayError` before anything is written. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { tokens, sessions, origins } = this.#context
    this.#refuseWhileClosing()
    refuseTokenInUrl(request.url ?? '')
    const { authorization, cookie } = request.headers
    const signedIn = authorization === undefined ? sessions.find(cookie) : null
    if (signedIn !== null) requireOrigin(request, origins)
    const token = authorization === undefined ? null : findOperator(authorization, tokens)
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
    const subprotocol = subprotocolOf(offered)
    if (subprotocol === null)
      throw new GatewayError(
        'subprotocol-unsupported',
        `offer one of ${Object.keys(subprotocols).join(', ')}`
      )
    const leave = enterSubscriber(this.#context, 'websocket')
    socket.once('close', leave)
    this.#webSockets.handleUpgrade(request, socket, head, webSocket => {
      const format = subprotocols[subprotocol]
      const opened: FeedSocket = new FeedSocket(this.#context, {
        webSocket,
        socket,
        format,
        token: signedIn?.operator ?? token,
        session: signedIn?.session ?? null,
        onEnd: () => this.#ended(opened)
      })
      this.#open.add(opened)
    })
  }

  /** Answers a request with a stream; throws a `GatewayError` before anything is written. */
  openStream(response: ServerResponse, { filter, after, token, session }: StreamRequest): void {
    this.#refuseWhileClosing()
    const leave = enterSubscriber(this.#context, 'sse')
    try {
      const opened: EventStream = new EventStream(this.#context, {
        response,
        filter,
        after,
        token,
        session,
        onEnd: () => {
          leave()
          this.#ended(opened)
        }
      })
      this.#open.add(opened)
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Sends what is pending, tells all to come back, and resolves when they are gone. */
  async close(): Promise<void> {
    this.#closing = true
    clearInterval(this.#sweepTimer)
    this.#context.hub.flush()
    const gone = new Promise<void>(resolve => (this.#onEmpty = resolve))
    for (const one of this.#open) one.close('shutting-down', 'the server is shutting down')
    if (this.#open.size > 0) await gone
  }

  #ended(one: FeedSocket | EventStream): void {
    this.#open.delete(one)
    if (this.#open.size === 0) this.#onEmpty?.()
  }

  #sweep(): void {
    for (const one of this.#open) one.sweep()
  }

  #closeToken(id: string): void {
    for (const one of this.#open) if (one.tokenId === id) one.close('token-revoked', 'the token was revoked')
  }

  #closeSession(session: Session): void {
    for (const one of this.#open)
      if (one.session === session) one.close('session-ended', 'the session has ended; sign in again')
  }

  #refuseWhileClosing(): void {
    if (this.#closing)
      throw new GatewayError('draining', 'the server is shutting down', { headers: { 'retry-after': '5' } })
  }
}

function subprotocolOf(offered: Iterable<string>): Subprotocol | null {
  for (const name of offered) if (Object.hasOwn(subprotocols, name)) return name as Subprotocol
  return null
}
