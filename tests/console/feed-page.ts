// The page's connection to a real gateway, without a page.
import { WebSocket } from 'ws'
import { FeedConnection } from '../../console/src/feed/feed-connection.ts'
import type {
  FeedConnectionOptions,
  FeedFilter,
  FeedSocket,
  FeedStatus,
  SubscriptionListener
} from '../../console/src/feed/feed-connection.ts'
import type { Harness } from '../gateway/harness.ts'

export class Page implements Disposable {
  readonly statuses: FeedStatus[] = []
  readonly sockets: WebSocket[] = []
  readonly connection: FeedConnection
  readonly #listeners: SubscriptionListener[] = []
  /** How often it asked whether the connection is still there. */
  pings = 0

  constructor(
    server: Harness,
    { url = server.url, ...options }: { url?: string } & Partial<FeedConnectionOptions> = {}
  ) {
    this.connection = new FeedConnection({
      open: () => {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/feed`, 'tocsin.v1.json', {
          headers: { authorization: `Bearer ${server.tokens.viewer}` }
        })
        socket.on('error', () => {}) // "close" follows
        socket.on('message', (data: Buffer) => {
          if (data.toString() === '{"type":"pong"}') this.pings++
        })
        this.sockets.push(socket)
        return socket as unknown as FeedSocket
      },
      onStatus: status => this.statuses.push(status),
      random: () => 0.99,
      ...options
    })
    const subscribe = this.connection.subscribe.bind(this.connection)
    this.connection.subscribe = (filter: FeedFilter, after, listener) => {
      this.#listeners.push(listener)
      return subscribe(filter, after, listener)
    }
  }

  /** How many subscriptions were begun. */
  get sentSubscribes(): number {
    return this.#listeners.length
  }

  /** Who listens to the newest subscription. */
  subscribed(): { listener: SubscriptionListener } {
    const listener = this.#listeners.at(-1)
    if (listener === undefined) throw new Error('nothing is subscribed')
    return { listener }
  }

  get status(): FeedStatus | undefined {
    return this.statuses.at(-1)
  }

  [Symbol.dispose](): void {
    this.connection.stop()
    for (const socket of this.sockets) socket.terminate()
  }
}
