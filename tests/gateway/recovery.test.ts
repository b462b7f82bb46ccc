// Resuming a feed: what a client that was away gets, and what it is told when something is missing.
import { describe, expect, test } from '@jest/globals'
import { numbered, startGateway } from './harness.ts'
import type { FeedClient, Harness } from './harness.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const payloads = (client: FeedClient) => client.items().map(item => item['payload'] as number)
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => index + first)

/** Appends numbers as fast as commits allow until stopped. */
function startWriter(server: Harness) {
  let n = 0
  const stopped = new AbortController()
  const done = (async () => {
    while (!stopped.signal.aborted) await server.append(...Array.from({ length: 7 }, () => numbered(++n)))
    return n
  })()
  return {
    written: () => n,
    stop: () => {
      stopped.abort()
      return done
    }
  }
}

describe('resuming', () => {
  for (const format of ['json', 'msgpack'] as const) {
    test(`neither loses nor repeats while a writer writes (${format})`, async () => {
      // A small window in memory, so that reading on goes to the database as well.
      await using server = await startGateway({ store: { recentBytesMax: 4096 } })
      const writer = startWriter(server)
      const got: number[] = []
      let cursor = 'earliest'
      for (let round = 0; round < 12; round++) {
        using client = await server.connect({ format })
        client.onMessage = message => {
          if (message['type'] !== 'notifications') return
          for (const item of message['items'] as { payload: number }[]) got.push(item.payload)
          cursor = message['cursor'] as string
        }
        const before = got.length
        expect(await client.subscribe('a', { after: cursor })).toMatchObject({ recovered: true })
        await eventually(() => got.length > before + 50)
      }
      const last = await writer.stop()
      using client = await server.connect({ format })
      await client.subscribe('a', { after: cursor })
      await client.count(last - got.length)
      expect([...got, ...payloads(client)]).toEqual(upTo(last))
    })
  }

  test('works from an item’s cursor, and with a filter', async () => {
    await using server = await startGateway()
    await server.append(...upTo(100).map(n => numbered(n, { device: n % 10 === 0 ? 'ten' : 'other' })))
    using client = await server.connect()
    await client.subscribe('all', { after: 'earliest' })
    const items = await client.count(100)
    using second = await server.connect()
    const after = items[54]?.['cursor'] as string
    const filter = { devices: ['ten'] }
    expect(await second.subscribe('tens', { after, filter })).toMatchObject({
      cursor: after,
      recovered: true
    })
    await second.count(5)
    await server.append(numbered(110, { device: 'ten' }))
    await second.count(6)
    expect(payloads(second)).toEqual([60, 70, 80, 90, 100, 110])
  })

  test('is recovered, with nothing sent, when nothing was missed', async () => {
    await using server = await startGateway()
    await server.append(numbered(1))
    using client = await server.connect()
    await client.subscribe('a', { after: 'earliest' })
    const [item] = await client.count(1)
    const after = item?.['cursor'] as string
    expect(await client.subscribe('b', { after })).toMatchObject({ recovered: true, cursor: after })
    await server.append(numbered(2))
    await client.count(3)
    expect(client.items('b')).toMatchObject([{ payload: 2 }])
    expect(client.messages.some(({ type }) => type === 'gap')).toBe(false)
  })
})

describe('what is missing is told', () => {
  test('for a cursor of another log: a gap, then everything that is kept', async () => {
    await using server = await startGateway()
    await server.append(numbered(1), numbered(2))
    using client = await server.connect()
    const { cursor, recovered } = await client.subscribe('a', { after: 'anotherlog-5' })
    expect(recovered).toBe(false)
    expect(await client.next(({ type }) => type === 'gap')).toEqual({
      type: 'gap',
      id: 'a',
      from: 'anotherlog-5',
      to: cursor
    })
    await client.count(2)
    expect(payloads(client)).toEqual([1, 2])
  })

  test('for a cursor beyond the end of the log, likewise', async () => {
    await using server = await startGateway()
    await server.append(numbered(1))
    const { epoch } = server.store.log.bounds()
    using client = await server.connect()
    expect(await client.subscribe('a', { after: `${epoch}-zz` })).toMatchObject({ recovered: false })
    await client.next(({ type }) => type === 'gap')
    await client.count(1)
  })

  test('for a cursor that retention has passed', async () => {
    await using folder = await temporaryFolder()
    await using server = await startGateway({
      dir: folder.path,
      store: { retentionBytesMax: 20_000, maintenanceMs: 20, recentBytesMax: 0 }
    })
    using first = await server.connect()
    await first.subscribe('a')
    await server.append(numbered(1))
    const [item] = await first.count(1)
    const after = item?.['cursor'] as string
    const large = { payload: Buffer.alloc(4000, 'x') }
    for (let n = 0; n < 20; n++) await server.append(numbered(n, large), numbered(n, large))
    await eventually(() => server.store.log.bounds().first > 10, { what: 'retention' })
    using client = await server.connect()
    const { cursor, recovered } = await client.subscribe('late', { after })
    expect(recovered).toBe(false)
    expect(await client.next(({ type }) => type === 'gap')).toMatchObject({
      id: 'late',
      from: after,
      to: cursor
    })
    const { last } = server.store.log.bounds()
    const ends = (message: Record<string, unknown>) =>
      message['type'] === 'notifications' &&
      Number.parseInt(String(message['cursor']).split('-')[1] ?? '', 36) === last
    await client.next(ends)
    expect(await server.metric('tocsin_feed_gaps_total')).toBeGreaterThan(0)
  })
})
