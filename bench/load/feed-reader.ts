// One WebSocket subscriber that was away: it reads a number of notifications from the earliest on, as fast as it gets them.
import { Awaited } from './connections.ts'
import type { Load } from './load.ts'
import { clientFrame, MessageSplitter, openWebSocket } from './web-socket.ts'

export interface FeedReaderOptions {
  port: number
  token: string
  /** How many it reads each time it starts. */
  notifications: number
}

const READ_MS_MAX = 120_000
const MARK = '"kind":'

/** `start` resolves when all are read; `events` are those of the last time, read in `elapsedMs`. */
export async function createFeedReader({ port, token, notifications }: FeedReaderOptions): Promise<Load> {
  let events = 0
  let elapsedMs = 0

  const readAll = async () => {
    const done = new Awaited(1)
    events = 0
    const splitter = new MessageSplitter(text => {
      if (events >= notifications) return
      for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + MARK.length)) events++
      if (events >= notifications) done.count()
    })
    const socket = await openWebSocket({
      port,
      path: '/v1/feed',
      headers: { Authorization: `Bearer ${token}`, 'Sec-WebSocket-Protocol': 'tocsin.v1.json' },
      onBytes: bytes => splitter.push(bytes),
      onClose: () => undefined
    })
    const startedMs = performance.now()
    const tooLong = setTimeout(() => {
      throw new Error(`After ${READ_MS_MAX} ms ${events} of ${notifications} notifications had come`)
    }, READ_MS_MAX)
    socket.write(
      clientFrame(JSON.stringify({ type: 'subscribe', id: 'bench', filter: {}, after: 'earliest' }))
    )
    await done.promise
    elapsedMs = performance.now() - startedMs
    clearTimeout(tooLong)
    socket.destroy()
  }

  return { start: readAll, stop: () => {}, counts: () => ({ events, elapsedMs }) }
}
