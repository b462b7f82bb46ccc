// A subscriber that does not read: it costs nobody else anything and gets everything when it reads again.
import { describe, expect, test } from '@jest/globals'
import { numbered, startGateway } from './harness.ts'
import type { FeedClient, Harness } from './harness.ts'
import { eventually } from '../helpers/eventually.ts'

const payload = (n: number) => ({ payload: Buffer.from(JSON.stringify({ n, fill: 'x'.repeat(4000) })) })
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
const numbers = (client: FeedClient) => client.items().map(item => (item['payload'] as { n: number }).n)

const smallQueues = { settings: { unsentBytesMax: 65_536 }, store: { recentBytesMax: 256 * 1024 } }

/** Fifty subscribers, and rounds of large events, each with one small one that they must get at once. */
async function startRounds(server: Harness, stack: DisposableStack) {
  const others: FeedClient[] = []
  for (let index = 0; index < 50; index++) {
    const client = stack.use(await server.connect())
    await client.subscribe('a', { filter: { devices: ['small'] } })
    others.push(client)
  }
  let n = 0
  return {
    written: () => n,
    /** How long it took until all had it, ms. */
    write: async () => {
      const large = Array.from({ length: 60 }, () => numbered(0, payload(++n)))
      const startedMs = performance.now()
      await server.append(...large, numbered(0, { ...payload(++n), device: 'small' }))
      await eventually(() => others.every(client => numbers(client).at(-1) === n), { everyMs: 1 })
      return performance.now() - startedMs
    }
  }
}

describe('a slow subscriber', () => {
  test('catches up in order while fifty others see no delay', async () => {
    await using server = await startGateway(smallQueues)
    await using quiet = await startGateway(smallQueues) // without a slow one: the same machine at the same time
    using stack = new DisposableStack()
    const disturbed = await startRounds(server, stack)
    const undisturbed = await startRounds(quiet, stack)
    const slow = stack.use(await server.connect())
    await slow.subscribe('a')
    slow.socket.pause()
    const left = async () => (await server.metric('tocsin_feed_slow_leaves_total')) > 0
    while (!(await left())) await disturbed.write()
    const delays: { with: number[]; without: number[] } = { with: [], without: [] }
    for (let round = 0; round < 20; round++) {
      delays.with.push(await disturbed.write())
      delays.without.push(await undisturbed.write())
    }
    expect(median(delays.with)).toBeLessThan(20 + 3 * median(delays.without))
    slow.socket.resume()
    const n = disturbed.written()
    await slow.count(n)
    expect(numbers(slow)).toEqual(Array.from({ length: n }, (_, index) => index + 1))
    await server.append(numbered(0, payload(n + 1)))
    await slow.count(n + 1)
    expect(slow.messages.some(({ type }) => type === 'gap')).toBe(false)
    expect(await server.metric('tocsin_feed_catch_up_reads_total')).toBeGreaterThan(1)
  })

  test('learns of what retention took while it did not read', async () => {
    await using server = await startGateway({
      settings: { unsentBytesMax: 65_536 },
      store: { recentBytesMax: 0, retentionBytesMax: 2_000_000, maintenanceMs: 50 }
    })
    using slow = await server.connect()
    await slow.subscribe('a')
    slow.socket.pause()
    let n = 0
    for (let round = 0; round < 100; round++)
      await server.append(...Array.from({ length: 50 }, () => numbered(0, payload(++n))))
    await eventually(() => server.store.log.bounds().first > 4000, { what: 'retention' })
    slow.socket.resume()
    await slow.next(
      message =>
        message['type'] === 'notifications' &&
        (message['items'] as { payload: { n: number } }[]).some(({ payload: { n: it } }) => it === 5000)
    )
    const gaps = slow.messages.filter(({ type }) => type === 'gap')
    expect(gaps.length).toBeGreaterThan(0)
    const sequenceOf = (cursor: unknown) => Number.parseInt(String(cursor).split('-')[1] ?? '', 36)
    const missing = gaps.reduce((sum, { from, to }) => sum + sequenceOf(to) - sequenceOf(from), 0)
    const got = numbers(slow)
    expect(got).toEqual([...new Set(got)].toSorted((a, b) => a - b))
    expect(got.length + missing).toBe(5000)
  })

  test('that sends without reading is not read from', async () => {
    await using server = await startGateway({ settings: { unsentBytesMax: 65_536 } })
    using client = await server.connect()
    client.socket.pause()
    const question = JSON.stringify({ type: 'subscribe', id: 'x'.repeat(64), filter: { topics: ['a/#/'] } })
    // Sends until nothing more is taken for a while: the answers fill what the sockets hold, and no more.
    let asked = 0
    let untaken = 0
    while (untaken < 50) {
      const waiting = client.socket.bufferedAmount
      if (waiting < 200_000) for (let n = 0; n < 1000; n++, asked++) client.send(question)
      await new Promise(resolve => setTimeout(resolve, 2))
      untaken = waiting > 0 && client.socket.bufferedAmount >= waiting ? untaken + 1 : 0
    }
    client.socket.resume()
    await eventually(() => client.messages.length === asked, { what: `${asked} answers` })
  })
})
