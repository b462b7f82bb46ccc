// One WebSocket subscriber that reads when each event was sent, and notes how long it took.
import { build } from 'hdr-histogram-js'
import type { Load } from './load.ts'
import { nowMicroseconds, SENT_DIGITS } from './payload.ts'
import { clientFrame, MessageSplitter, openWebSocket, PONG } from './web-socket.ts'

export interface FeedLatencyOptions {
  port: number
  token: string
}

const MARK = '"sent":"'

export async function createFeedLatency({ port, token }: FeedLatencyOptions): Promise<Load> {
  const histogram = build({ highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 })
  const subscribed = Promise.withResolvers<void>()
  const splitter = new MessageSplitter(text => {
    const now = nowMicroseconds()
    if (text.startsWith('{"type":"subscribed"')) return subscribed.resolve()
    for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + MARK.length + SENT_DIGITS)) {
      const sent = Number(text.slice(at + MARK.length, at + MARK.length + SENT_DIGITS))
      histogram.recordValue(Math.max(0, now - sent))
    }
  })
  const socket = await openWebSocket({
    port,
    path: '/v1/feed',
    headers: { Authorization: `Bearer ${token}`, 'Sec-WebSocket-Protocol': 'tocsin.v1.json' },
    onBytes: bytes => splitter.push(bytes)
  })
  socket.write(clientFrame(JSON.stringify({ type: 'subscribe', id: 'bench', filter: { kinds: ['event'] } })))
  await subscribed.promise
  return {
    start: () => {
      socket.write(PONG)
      histogram.reset()
    },
    stop: () => {},
    counts: () => ({
      events: histogram.totalCount,
      medianMicroseconds: histogram.getValueAtPercentile(50),
      p99Microseconds: histogram.getValueAtPercentile(99),
      p999Microseconds: histogram.getValueAtPercentile(99.9),
      maxMicroseconds: histogram.maxValue
    })
  }
}
