// One feed connection of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
import type { ServerResponse } from 'node:http'
import { formatCursor } from '../../store/cursor.ts'
import type { Filter, TokenRow } from '../../store/store.ts'
import type { CloseReason } from '../errors.ts'
import type { Session } from '../sessions/sessions.ts'
import type { FeedContext } from './feed-socket.ts'
import { Outlet } from './outlet.ts'
import { resolveStart } from './recovery.ts'
import type { Subscription } from './subscription.ts'

/** Time after which an EventSource comes back by itself, ms. */
const RETRY_MS = 2000
const STALLED_SWEEPS = 10

export interface EventStreamOptions {
  response: ServerResponse
  filter: Filter
  after: string | undefined
  token: TokenRow
  /** The session by which it was opened; null with a token. */
  session: Session | null
  onEnd: (ended: EventStream) => void
}

export class EventStream {
  readonly tokenId: string
  readonly session: Session | null
  readonly #context: FeedContext
  readonly #response: ServerResponse
  readonly #outlet: Outlet
  readonly #subscription: Subscription
  #stalled = { sent: 0, sweeps: 0 }

  /** Answers the request. Throws `cursor-invalid` before anything is written. */
  constructor(context: FeedContext, { response, filter, after, token, session, onEnd }: EventStreamOptions) {
    const bounds = context.log.bounds()
    const start = resolveStart(after, bounds)
    this.tokenId = token.id
    this.session = session
    this.#context = context
    this.#response = response
    writeHead(response)
    this.#outlet = new Outlet({
      transport: 'sse',
      format: 'sse',
      stream: response,
      unsentBytesMax: context.settings.unsentBytesMax,
      takesMessages: () => !response.writableEnded && !response.destroyed
    })
    const cursor = formatCursor(bounds.epoch, start.after)
    response.write(`retry: ${RETRY_MS}\nid: ${cursor}\n`)
    this.#outlet.tell({ type: 'subscribed', id: '', cursor, recovered: start.recovered })
    if (start.gap) {
      context.counts.gaps++
      this.#outlet.tell({ type: 'gap', id: '', ...start.gap })
    }
    this.#subscription = context.hub.subscribe(filter, {
      outlet: this.#outlet,
      id: '',
      after: start.after,
      onError: () => {
        this.#outlet.tell({ type: 'error', code: 'read-failed', message: 'the log can’t be read now' })
        this.close('read-failed', 'the log can’t be read now')
      }
    })
    response.on('close', () => {
      this.#outlet.close()
      context.hub.unsubscribe(this.#subscription)
      onEnd(this)
    })
    response.on('error', () => response.destroy()) // a lost connection; "close" follows
  }

  /** Ends the stream; an EventSource comes back by itself. */
  close(reason: CloseReason, text: string): void {
    const response = this.#response
    if (response.writableEnded) return
    this.#outlet.close()
    response.end(`: ${reason}: ${text}\n\n`)
    // A peer that reads nothing would keep it open.
    const timer = setTimeout(() => response.destroy(), RETRY_MS)
    response.once('close', () => clearTimeout(timer))
  }

  /** Called every `pingMs`: a heartbeat that says how far it is, and the end of a connection that takes no bytes. */
  sweep(): void {
    const waiting = this.#response.writableLength
    if (waiting === 0) {
      this.#stalled.sweeps = 0
      if (this.#subscription.state === 'live')
        this.#subscription.tellProgress(this.#context.hub.reached(this.#subscription))
      return
    }
    const sent = (this.#response.socket?.bytesWritten ?? 0) - waiting
    if (sent > this.#stalled.sent) this.#stalled.sweeps = 0
    this.#stalled.sent = sent
    if (++this.#stalled.sweeps > STALLED_SWEEPS) this.#response.destroy()
  }
}

function writeHead(response: ServerResponse): void {
  // Not chunked: the end of the connection ends the stream, and whole events are written as they are.
  response.removeHeader('transfer-encoding')
  response.shouldKeepAlive = false
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no'
  })
  response.flushHeaders()
}
