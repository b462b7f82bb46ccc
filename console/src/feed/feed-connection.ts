// The page's one WebSocket to the feed: its subscriptions, each with its place in the log, over all reconnects.
import type { Notification } from '../api/shapes.ts'

export interface FeedFilter {
  topics?: readonly string[]
  kinds?: readonly string[]
  devices?: readonly string[]
  severityMin?: string
}

/**
 * - `connecting`: the first attempt, or one that is under way.
 * - `live`
 * - `waiting`: the connection was lost; the next attempt is at `retryAt`.
 * - `ended`: the server said not to come back; `reason` says why.
 */
export type FeedStatus =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'waiting'; retryAt: number }
  | { state: 'ended'; code: number; reason: string }

export interface SubscriptionListener {
  /** Called at each start, also after a reconnect. Not recovered: what was shown may have holes, or be of another log. */
  onSubscribed?(start: { cursor: string; recovered: boolean }): void
  onItems(items: readonly Notification[]): void
  /** What came after `from`, up to and including `to`, is missing. */
  onGap?(gap: { from: string; to: string }): void
  /** The server refused the subscription. */
  onError?(error: { code: string; message: string }): void
}

export interface FeedSubscription {
  /** The place up to which everything was received, null before the first answer. */
  readonly cursor: string | null
  end(): void
}

interface Subscribed {
  id: string
  filter: FeedFilter
  cursor: string | null
  listener: SubscriptionListener
}

/** What a feed message may be; fields that are not of its type are absent. */
interface FeedMessage {
  type: 'subscribed' | 'notifications' | 'gap' | 'error' | 'pong'
  id?: string
  items?: Notification[]
  cursor?: string
  recovered?: boolean
  from?: string
  to?: string
  code?: string
  message?: string
}

/** What of the browser's WebSocket is used. */
export type FeedSocket = Pick<WebSocket, 'onopen' | 'onmessage' | 'onclose' | 'readyState' | 'send' | 'close'>

export interface FeedConnectionOptions {
  open: () => FeedSocket
  onStatus: (status: FeedStatus) => void
  now?: () => number
  random?: () => number
  /** Silence after which it looks whether the connection is still there, ms. */
  silenceMs?: number
  /** Time for the answer, ms. */
  answerMs?: number
}

/** As the protocol calls a connection that was lost. */
const NO_ANSWER = 1006
/** A WebSocket's `readyState`. */
const OPEN = 1
/** Silence after which the connection is asked whether it still leads anywhere, and time for the answer. */
const SILENCE_MS = 20_000
const ANSWER_MS = 10_000
const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 15_000
/** Close codes from here on mean: do not come back. */
const FINAL_CLOSE_CODE = 4500

export class FeedConnection {
  readonly #options: FeedConnectionOptions
  readonly #subscribed = new Map<string, Subscribed>()
  #socket: FeedSocket | null = null
  #open = false
  #failures = 0
  #ids = 0
  #retry: ReturnType<typeof setTimeout> | null = null
  /** Until the connection is asked, or given up. */
  #watch: ReturnType<typeof setTimeout> | null = null

  constructor(options: FeedConnectionOptions) {
    this.#options = options
  }

  /** Connects; from then on it comes back by itself until `stop`. */
  start(): void {
    if (this.#socket !== null) return
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    this.#options.onStatus({ state: 'connecting' })
    const socket = this.#options.open()
    this.#socket = socket
    socket.onopen = () => {
      this.#open = true
      for (const each of this.#subscribed.values()) this.#request(each)
      this.#options.onStatus({ state: 'live' })
      this.#watchSilence()
    }
    socket.onmessage = ({ data }) => {
      this.#failures = 0
      this.#watchSilence()
      this.#take(JSON.parse(String(data)) as FeedMessage)
    }
    socket.onclose = ({ code, reason }) => this.#closed(code, reason)
  }

  /** Ends the connection; subscriptions stay and go on after another `start`. */
  stop(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    this.#forget()
  }

  /** Tries now, in place of waiting any longer. */
  retryNow(): void {
    if (this.#retry !== null) this.start()
  }

  /** Begins a subscription after a cursor; null: from now on. */
  subscribe(filter: FeedFilter, after: string | null, listener: SubscriptionListener): FeedSubscription {
    const subscribed: Subscribed = { id: `s${++this.#ids}`, filter, cursor: after, listener }
    this.#subscribed.set(subscribed.id, subscribed)
    if (this.#open) this.#request(subscribed)
    return {
      get cursor() {
        return subscribed.cursor
      },
      end: () => {
        if (!this.#subscribed.delete(subscribed.id)) return
        if (this.#open) this.#send({ type: 'unsubscribe', id: subscribed.id })
      }
    }
  }

  /**
   * A network that is gone without a word (a machine that slept, a router that forgot) would look like a quiet fleet. So a
   * connection that is silent for a while is asked, and one that does not answer is given up.
   */
  #watchSilence(): void {
    const { silenceMs = SILENCE_MS, answerMs = ANSWER_MS } = this.#options
    if (this.#watch !== null) clearTimeout(this.#watch)
    this.#watch = setTimeout(() => {
      this.#send({ type: 'ping' })
      this.#watch = setTimeout(() => this.#closed(NO_ANSWER, ''), answerMs)
    }, silenceMs)
  }

  #request({ id, filter, cursor }: Subscribed): void {
    this.#send({ type: 'subscribe', id, filter, ...(cursor !== null && { after: cursor }) })
  }

  #send(message: object): void {
    // One that is closing tells so by and by; what was not sent is asked for by the next.
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message))
  }

  #take(message: FeedMessage): void {
    if (message.type === 'pong') return
    const subscribed = this.#subscribed.get(message.id ?? '')
    if (subscribed === undefined) return // of one that has ended, or about a message that had no id
    const { listener } = subscribed
    const { cursor = '', from = '', to = '' } = message
    switch (message.type) {
      case 'subscribed':
        subscribed.cursor = cursor
        return listener.onSubscribed?.({ cursor, recovered: message.recovered ?? false })
      case 'notifications':
        subscribed.cursor = cursor
        if (message.items !== undefined && message.items.length > 0) listener.onItems(message.items)
        return
      case 'gap':
        subscribed.cursor = to
        return listener.onGap?.({ from, to })
      case 'error':
        this.#subscribed.delete(subscribed.id)
        return listener.onError?.({ code: message.code ?? '', message: message.message ?? '' })
    }
  }

  #closed(code: number, reason: string): void {
    this.#forget()
    if (code >= FINAL_CLOSE_CODE && code < 5000)
      return this.#options.onStatus({ state: 'ended', code, reason })
    const { now = Date.now, random = Math.random } = this.#options
    // Twice as long each time, and by chance up to half shorter, so that many pages do not come back at one moment.
    const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures++) * (1 - random() / 2)
    this.#retry = setTimeout(() => this.start(), pauseMs)
    this.#options.onStatus({ state: 'waiting', retryAt: now() + pauseMs })
  }

  #forget(): void {
    const socket = this.#socket
    this.#socket = null
    this.#open = false
    if (this.#watch !== null) clearTimeout(this.#watch)
    this.#watch = null
    if (socket === null) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}
