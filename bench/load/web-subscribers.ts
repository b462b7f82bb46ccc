// Many WebSocket subscribers of the same notifications. The first one reads what it gets; the others only count bytes,
// which must come to the same.
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Awaited, openMany } from './connections.ts'
import type { Load } from './load.ts'
import { clientFrame, MessageSplitter, openWebSocket } from './web-socket.ts'

export interface WebSubscribersOptions {
  port: number
  subscribers: number
  /** What the server speaks. */
  dialect: 'tocsin' | 'socket.io'
  /** An operator's token, for Tocsin. */
  token: string
}

const CONNECTS_AT_ONCE = 50
const SETTLE_MS = 5000

interface Subscriber {
  socket: Socket | null
  bytes: number
  /** Bytes when the load began. */
  base: number
}

export async function createWebSubscribers(options: WebSubscribersOptions): Promise<Load> {
  const dialect = dialects[options.dialect]
  const ready = new Awaited(options.subscribers)
  let notifications = 0
  const subscribers = await openMany(options.subscribers, CONNECTS_AT_ONCE, async index => {
    const subscriber: Subscriber = { socket: null, bytes: 0, base: 0 }
    let greeted = false
    const splitter = new MessageSplitter(text => {
      if (greeted) notifications += dialect.notificationsIn(text)
      else if (dialect.isGreeting(text)) {
        greeted = true
        ready.count()
      }
    })
    const socket = await openWebSocket({
      ...dialect.request(options),
      port: options.port,
      onBytes: bytes => {
        subscriber.bytes += bytes.length
        if (index === 0 || !greeted) splitter.push(bytes)
      }
    })
    socket.write(clientFrame(dialect.hello))
    subscriber.socket = socket
    return subscriber
  })
  await ready.promise
  const tell = (text: string | undefined) => {
    if (text !== undefined) subscribers[0]?.socket?.write(clientFrame(text))
  }
  const received = () => subscribers.map(({ bytes, base }) => bytes - base)
  return {
    start: () => {
      for (const subscriber of subscribers) subscriber.base = subscriber.bytes
      notifications = 0
      tell(dialect.start)
    },
    stop: async () => {
      tell(dialect.stop)
      const deadlineMs = performance.now() + SETTLE_MS
      const settled = () => new Set(received()).size === 1
      while (!settled() && performance.now() < deadlineMs) await delay(20)
    },
    counts: () => {
      const all = received()
      const [first = 0] = all
      const total = all.reduce((sum, bytes) => sum + bytes, 0)
      return {
        events: first === 0 ? 0 : Math.round((notifications * total) / first),
        notifications,
        bytesEach: first === 0 ? 0 : first / notifications,
        uneven: all.filter(bytes => bytes !== first).length
      }
    }
  }
}

interface Dialect {
  request(options: WebSubscribersOptions): { path: string; headers: Record<string, string> }
  /** What the client says first. */
  hello: string
  /** What makes the server itself begin and end to send, where it does so. */
  start?: string
  stop?: string
  /** Whether the server's message means that from now on notifications come. */
  isGreeting(text: string): boolean
  notificationsIn(text: string): number
}

const dialects: Record<WebSubscribersOptions['dialect'], Dialect> = {
  tocsin: {
    request: ({ token }) => ({
      path: '/v1/feed',
      headers: { Authorization: `Bearer ${token}`, 'Sec-WebSocket-Protocol': 'tocsin.v1.json' }
    }),
    hello: JSON.stringify({ type: 'subscribe', id: 'bench', filter: { kinds: ['event'] } }),
    isGreeting: text => text.startsWith('{"type":"subscribed"'),
    notificationsIn: text => {
      const message = JSON.parse(text) as { type: string; items?: unknown[] }
      if (message.type !== 'notifications') throw new Error(`The server says ${text}`)
      return message.items?.length ?? 0
    }
  },
  'socket.io': {
    request: () => ({ path: '/socket.io/?EIO=4&transport=websocket', headers: {} }),
    hello: '40',
    start: '42["start"]',
    stop: '42["stop"]',
    isGreeting: text => text.startsWith('40'),
    notificationsIn: text => (text.startsWith('42["notification"') ? 1 : 0)
  }
}
