// Many WebSocket subscribers. Where all get the same notifications, the first one reads what it gets and the others only
// count bytes, which must come to the same; where each has a filter of its own, each counts the notifications.
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Awaited, openMany } from './connections.ts'
import type { Load } from './load.ts'
import { clientFrame, MessageSplitter, openWebSocket, PONG } from './web-socket.ts'

export interface WebSubscribersOptions {
  port: number
  subscribers: number
  /** What the server speaks. */
  dialect: 'tocsin' | 'socket.io' | 'ws' | 'node-red'
  /** Whether all want everything, or each the events of so many devices: from the one with its number on. */
  wants: 'everything' | number
  /** An operator's token, for Tocsin. */
  token: string
}

const CONNECTS_AT_ONCE = 50
const SETTLE_MS = 5000
const QUIET_MS = 100

interface Subscriber {
  socket: Socket | null
  bytes: number
  /** Bytes when the load began. */
  base: number
}

export async function createWebSubscribers(options: WebSubscribersOptions): Promise<Load> {
  const dialect = dialects[options.dialect]
  const shared = options.wants === 'everything'
  const ready = new Awaited(options.subscribers)
  let notifications = 0
  const subscribers = await openMany(options.subscribers, CONNECTS_AT_ONCE, async index => {
    const subscriber: Subscriber = { socket: null, bytes: 0, base: 0 }
    let greeted = dialect.isGreeting === null
    if (greeted) ready.count()
    const splitter = new MessageSplitter(text => {
      if (greeted) notifications += timesIn(text, dialect.mark)
      else if (dialect.isGreeting?.(text) === true) {
        greeted = true
        for (const device of wantedBy(index, options) ?? [])
          if (dialect.join !== undefined) subscriber.socket?.write(clientFrame(dialect.join(device)))
        ready.count()
      }
    })
    const socket = await openWebSocket({
      ...dialect.request(options),
      port: options.port,
      onBytes: bytes => {
        subscriber.bytes += bytes.length
        if (index === 0 || !shared || !greeted) splitter.push(bytes)
      }
    })
    subscriber.socket = socket
    const hello = dialect.hello(wantedBy(index, options))
    if (hello !== null) socket.write(clientFrame(hello))
    return subscriber
  })
  await ready.promise
  const tell = (text: string | undefined) => {
    if (text !== undefined) subscribers.at(-1)?.socket?.write(clientFrame(text))
  }
  const received = () => subscribers.map(({ bytes, base }) => bytes - base)
  return {
    start: () => {
      for (const subscriber of subscribers) {
        subscriber.socket?.write(PONG)
        subscriber.base = subscriber.bytes
      }
      notifications = 0
      tell(dialect.start)
    },
    stop: async () => {
      tell(dialect.stop)
      const deadlineMs = performance.now() + SETTLE_MS
      const even = () => !shared || new Set(received()).size === 1
      for (let before = -1; performance.now() < deadlineMs; await delay(QUIET_MS)) {
        const total = sumOf(received())
        if (total === before && even()) return
        before = total
      }
    },
    counts: () => {
      const all = received()
      const total = sumOf(all)
      if (!shared)
        return { events: notifications, notifications, bytesEach: total / notifications, uneven: 0 }
      const [first = 0] = all
      return {
        events: first === 0 ? 0 : Math.round((notifications * total) / first),
        notifications,
        bytesEach: first === 0 ? 0 : first / notifications,
        uneven: all.filter(bytes => bytes !== first).length
      }
    }
  }
}

/** The devices whose events a subscriber wants; null when it wants everything. */
function wantedBy(index: number, { wants, subscribers }: WebSubscribersOptions): string[] | null {
  if (wants === 'everything') return null
  return Array.from({ length: wants }, (_, offset) => `publisher-${(index + offset) % subscribers}`)
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function timesIn(text: string, mark: string): number {
  let times = 0
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) times++
  return times
}

interface Dialect {
  request(options: WebSubscribersOptions): { path: string; headers: Record<string, string> }
  /** What the client says first, for everything or for the events of some devices. */
  hello(devices: readonly string[] | null): string | null
  /** What it says when greeted, for the events of each device that it wants. */
  join?(device: string): string
  /** What makes the server itself begin and end to send, where it does so. */
  start?: string
  stop?: string
  /** Whether the server's message means that from now on notifications come; null where they come at once. */
  isGreeting: ((text: string) => boolean) | null
  /** What is once in each notification, and nowhere else. */
  mark: string
}

const dialects: Record<WebSubscribersOptions['dialect'], Dialect> = {
  tocsin: {
    request: ({ token }) => ({
      path: '/v1/feed',
      headers: { Authorization: `Bearer ${token}`, 'Sec-WebSocket-Protocol': 'tocsin.v1.json' }
    }),
    hello: devices => {
      const filter = { kinds: ['event'], ...(devices !== null && { devices }) }
      return JSON.stringify({ type: 'subscribe', id: 'bench', filter })
    },
    isGreeting: text => text.startsWith('{"type":"subscribed"'),
    mark: '"kind":"event"'
  },
  'socket.io': {
    request: () => ({ path: '/socket.io/?EIO=4&transport=websocket', headers: {} }),
    hello: () => '40',
    join: device => `42["join","${device}"]`,
    start: '42["start"]',
    stop: '42["stop"]',
    isGreeting: text => text.startsWith('40'),
    mark: '"kind":"event"'
  },
  ws: {
    request: () => ({ path: '/', headers: {} }),
    hello: () => null,
    start: 'start',
    stop: 'stop',
    isGreeting: null,
    mark: '"kind":"event"'
  },
  'node-red': {
    request: () => ({ path: '/ws/notifications', headers: {} }),
    hello: () => null,
    isGreeting: null,
    mark: '"sent":'
  }
}
