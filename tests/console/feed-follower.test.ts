// What the live feed shows, over a real gateway: nothing missing and nothing twice, however it is held, lost and read back.
import { describe, expect, test } from '@jest/globals'
import type { NotificationPage } from '../../console/src/api/shapes.ts'
import { FeedFollower } from '../../console/src/feed/feed-follower.ts'
import type { BackwardPlace, FeedFollowerOptions } from '../../console/src/feed/feed-follower.ts'
import { everything } from '../../console/src/feed/feed-query.ts'
import { numbered, startGateway } from '../gateway/harness.ts'
import type { Harness } from '../gateway/harness.ts'
import { eventually } from '../helpers/eventually.ts'
import { Page } from './feed-page.ts'

/** Reads pages over HTTP; the next ones can be made to wait, or to fail. */
class Reads {
  readonly #server: Harness
  asked = 0
  failing = false
  #held: { promise: Promise<void>; go: () => void } | null = null

  constructor(server: Harness) {
    this.#server = server
  }

  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = { promise, go: resolve }
  }

  go(): void {
    this.#held?.go()
    this.#held = null
  }

  readonly read: FeedFollowerOptions['readBack'] = async (place: BackwardPlace, _filter, limit) => {
    this.asked++
    const query = new URLSearchParams({ ...place, limit: String(limit) })
    if (this.failing) throw new Error('not now')
    const { body } = await this.#server.ask(`/v1/notifications?${query}`)
    await this.#held?.promise
    return body as NotificationPage
  }
}

function follow(server: Harness, page: Page, options: Partial<FeedFollowerOptions> = {}) {
  const reads = new Reads(server)
  const follower = new FeedFollower({
    feed: page.connection,
    readBack: reads.read,
    query: everything,
    ...options
  })
  follower.start()
  /** From the newest. */
  const shown = () =>
    Array.from({ length: follower.list.length }, (_, index) => {
      const entry = follower.list.at(index)
      return entry?.kind === 'event' ? (entry.payload as number) : (entry?.kind ?? null)
    })
  return { follower, reads, shown, [Symbol.dispose]: () => follower.end() }
}

const events = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => numbered(first + index))
const downFrom = (last: number, first: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => last - index)

describe('a follower of the feed', () => {
  test('joins what was and what comes, though much comes while the past is read', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.append(...events(1, 5))
    using followed = follow(server, page)
    const { follower, reads, shown } = followed
    reads.hold()
    page.connection.start()
    await eventually(() => reads.asked === 1)
    await server.append(...events(6, 300))
    await eventually(() => follower.list.length === 295)
    reads.go()
    await eventually(() => follower.history.value === 'end')
    expect(shown()).toEqual(downFrom(300, 1))
  })

  test('goes on from where it was held before its subscription had begun', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.append(...events(1, 2))
    using followed = follow(server, page)
    const { follower, shown } = followed
    follower.hold('asked')
    page.connection.start()
    await eventually(() => follower.list.length === 2)
    await server.append(...events(3, 4))
    await eventually(() => follower.newCount.value === 2)
    expect(shown()).toEqual([2, 1])
    follower.release('asked')
    await eventually(() => follower.list.length === 4)
    expect(shown()).toEqual([4, 3, 2, 1])
    expect(follower.paused.value).toBe(false)
  })

  test('is held as long as there is any reason', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    using followed = follow(server, page)
    const { follower, shown } = followed
    page.connection.start()
    await eventually(() => follower.history.value === 'end')
    follower.hold('asked')
    follower.hold('scrolled')
    await server.append(...events(1, 3))
    await eventually(() => follower.newCount.value === 3)
    follower.release('scrolled')
    expect({ paused: follower.paused.value, shown: shown() }).toEqual({ paused: true, shown: [] })
    follower.goOn()
    await eventually(() => follower.list.length === 3)
    expect(shown()).toEqual([3, 2, 1])
    expect(follower.topWanted.value).toBe(1)
  })

  test('shows a gap that came while it was held', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.append(...events(1, 2))
    using followed = follow(server, page)
    const { follower, shown } = followed
    page.connection.start()
    await eventually(() => follower.list.length === 2)
    follower.hold('asked')
    // As a server says it whose retention was faster.
    const { listener } = page.subscribed()
    listener.onGap?.({ from: 'a-1', to: 'a-9' })
    follower.release('asked')
    await eventually(() => page.sentSubscribes === 2)
    expect(shown()).toEqual([2, 1])
    page.subscribed().listener.onGap?.({ from: 'a-1', to: 'a-9' })
    expect(shown()).toEqual(['gap', 2, 1])
  })

  test('shows a gap in what came before where it is', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.append(...events(1, 4))
    const gap = { from: 'a-2', to: 'a-3' }
    using followed = follow(server, page, {
      readBack: async (place, filter, limit) => {
        const read = await reads.read(place, filter, limit)
        return { ...read, items: read.items.filter(({ kind }) => kind === 'event'), gap }
      }
    })
    const reads = new Reads(server)
    page.connection.start()
    await eventually(() => followed.follower.history.value === 'end')
    expect(followed.shown()).toEqual(['gap', 4, 3, 2, 1])
  })

  test('drops an older page that no longer joins on, and reads it anew', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.append(...events(1, 400))
    using followed = follow(server, page, { liveMax: 210, historyMax: 1000 })
    const { follower, reads, shown } = followed
    page.connection.start()
    await eventually(() => follower.list.length === 200)
    reads.hold()
    const loading = follower.loadOlder()
    await server.append(...events(401, 420))
    await eventually(() => shown()[0] === 420)
    reads.go()
    await loading
    expect(shown()).toEqual(downFrom(420, 211))
    await follower.loadOlder()
    await follower.loadOlder()
    expect(shown()).toEqual(downFrom(420, 1))
    expect(follower.history.value).toBe('end')
  })

  test('neither repeats nor mixes up when its first page comes after it has come back', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    using followed = follow(server, page)
    const { follower, shown } = followed
    page.connection.start()
    await eventually(() => follower.history.value === 'end')
    page.sockets.at(-1)?.terminate()
    await eventually(() => page.status?.state === 'waiting')
    await server.append(...events(1, 4))
    page.connection.retryNow()
    await eventually(() => follower.list.length === 4)
    await eventually(() => follower.history.value === 'end')
    expect(shown()).toEqual([4, 3, 2, 1])
  })

  test('asks no more by itself when the past can’t be read, and does when told to', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.append(...events(1, 3))
    using followed = follow(server, page)
    const { follower, reads, shown } = followed
    reads.failing = true
    page.connection.start()
    await eventually(() => follower.history.value === 'failed')
    expect(follower.problem.value).toEqual(new Error('not now'))
    expect(reads.asked).toBe(1)
    reads.failing = false
    follower.retry()
    await eventually(() => follower.history.value === 'end')
    expect(shown()).toEqual([3, 2, 1])
    expect(follower.problem.value).toBeNull()
  })

  test('says what the server refuses, and tries it again when told to', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    using followed = follow(server, page, { query: { ...everything, topics: ['a/#/b'] } })
    const { follower } = followed
    page.connection.start()
    await eventually(() => follower.problem.value !== null)
    expect(follower.problem.value).toMatchObject({ code: 'filter-invalid' })
    follower.retry()
    expect(follower.problem.value).toBeNull()
    await eventually(() => follower.problem.value !== null)
  })

  test('looks for a text page by page, and says how far it came', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.append(numbered(7, { device: 'needle' }), ...events(100, 700))
    using followed = follow(server, page, { query: { ...everything, text: 'NEEDLE' } })
    const { follower, shown } = followed
    page.connection.start()
    await eventually(() => follower.history.value === 'end')
    expect(shown()).toEqual([7])
    await server.append(numbered(8, { device: 'needle' }), numbered(701))
    await eventually(() => follower.list.length === 2)
    expect(shown()).toEqual([8, 7])
  })
})
