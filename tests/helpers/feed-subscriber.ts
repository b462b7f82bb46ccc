// A client of the WebSocket feed in either format, which can stop reading.
import { once } from 'node:events'
import { pack, unpack } from 'msgpackr'
import { WebSocket } from 'ws'

/** A notification as the feed and the history send it; the fields beyond these depend on its kind. */
export interface Item {
  cursor: string
  at: number
  kind: string
  device: string
  severity: string
  topic?: string
  payload?: unknown
  source?: string
  [field: string]: unknown
}

export interface FeedSubscriberOptions {
  /** `http://host:port` */
  url: string
  token: string
  format?: 'json' | 'msgpack'
  filter?: object
  after?: string
  /** In place of `items`, for those who keep nothing. */
  onItems?: (items: readonly Item[]) => void
}

export interface GapMessage {
  from: string
  to: string
}

/** One connection with one subscription. */
export class FeedSubscriber implements AsyncDisposable {
  readonly socket: WebSocket
  readonly closed: Promise<void>
  readonly items: Item[] = []
  readonly gaps: GapMessage[] = []
  readonly errors: unknown[] = []
  /** Where to resume. */
  cursor: string | null = null
  recovered: boolean | null = null
  closeCode: number | null = null
  readonly #onItems: ((items: readonly Item[]) => void) | undefined

  private constructor(
    socket: WebSocket,
    format: 'json' | 'msgpack',
    onItems: FeedSubscriberOptions['onItems']
  ) {
    this.socket = socket
    this.#onItems = onItems
    socket.on('message', (data: Buffer) => {
      this.#take((format === 'json' ? JSON.parse(data.toString()) : unpack(data)) as Record<string, unknown>)
    })
    socket.on('error', () => {}) // "close" follows
    this.closed = new Promise(resolve =>
      socket.once('close', code => {
        this.closeCode = code
        resolve()
      })
    )
  }

  /** Connects and subscribes; resolves when the server has confirmed. */
  static async open(options: FeedSubscriberOptions): Promise<FeedSubscriber> {
    const { url, token, format = 'json', filter = {}, after, onItems } = options
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/feed`, `tocsin.v1.${format}`, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false
    })
    await once(socket, 'open')
    const subscriber = new FeedSubscriber(socket, format, onItems)
    const request = { type: 'subscribe', id: 'all', filter, ...(after === undefined ? {} : { after }) }
    socket.send(format === 'json' ? JSON.stringify(request) : pack(request))
    while (subscriber.recovered === null && subscriber.errors.length === 0)
      await Promise.race([once(socket, 'message'), subscriber.closed.then(() => neverSubscribed(subscriber))])
    if (subscriber.errors.length > 0) throw new Error(JSON.stringify(subscriber.errors))
    return subscriber
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await this.closed
  }

  #take(message: Record<string, unknown>): void {
    switch (message['type']) {
      case 'subscribed':
        this.recovered = message['recovered'] as boolean
        this.cursor = message['cursor'] as string
        return
      case 'gap':
        this.gaps.push(message as unknown as GapMessage)
        return
      case 'notifications': {
        const items = message['items'] as Item[]
        if (this.#onItems) this.#onItems(items)
        else for (const item of items) this.items.push(item)
        this.cursor = message['cursor'] as string
        return
      }
      default:
        this.errors.push(message)
    }
  }
}

function neverSubscribed({ closeCode }: FeedSubscriber): never {
  throw new Error(`the feed was closed with code ${closeCode} before the subscription was confirmed`)
}
