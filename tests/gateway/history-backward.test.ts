// History over HTTP, newest first.
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { event, numbered, startGateway } from './harness.ts'
import type { Reply } from './harness.ts'
import { flipByte, placesOf } from '../helpers/damage.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const payloads = ({ body }: Reply): unknown[] =>
  body.items.map(({ payload }: { payload: unknown }) => payload)
const falling = (from: number, to: number) =>
  Array.from({ length: from - to + 1 }, (_, index) => from - index)
const numbers = (count: number) => Array.from({ length: count }, (_, index) => numbered(index + 1))

describe('history backward', () => {
  test('is read in pages from the end to the beginning', async () => {
    await using server = await startGateway()
    await server.append(...numbers(25))
    const got: unknown[] = []
    let before = 'latest'
    for (let more = true; more;) {
      const answer = await server.ask(`/v1/notifications?before=${before}&limit=10`)
      expect(answer.status).toBe(200)
      expect(answer.body.gap).toBeUndefined()
      got.push(...payloads(answer))
      ;({ cursor: before, more } = answer.body)
    }
    expect(got).toEqual(falling(25, 1))
  })

  test('begins strictly before a notification, and what comes meanwhile changes nothing', async () => {
    await using server = await startGateway()
    await server.append(...numbers(10))
    const first = await server.ask('/v1/notifications?before=latest&limit=4')
    await server.append(...numbers(5))
    const second = await server.ask(`/v1/notifications?before=${first.body.cursor}&limit=4`)
    expect([payloads(first), payloads(second)]).toEqual([falling(10, 7), falling(6, 3)])
    const item = second.body.items[1].cursor
    expect(payloads(await server.ask(`/v1/notifications?before=${item}`))).toEqual(falling(4, 1))
    const onward = await server.ask(`/v1/notifications?after=${first.body.items[0].cursor}`)
    expect(payloads(onward)).toEqual([1, 2, 3, 4, 5])
  })

  test('through a cursor takes what lies at it, too, which a feed that begins there does not send', async () => {
    await using server = await startGateway()
    await server.append(...numbers(5))
    const { body: now } = await server.ask('/v1/notifications')
    await server.append(numbered(6))
    expect(payloads(await server.ask(`/v1/notifications?through=${now.cursor}`))).toEqual(falling(5, 1))
    expect(payloads(await server.ask(`/v1/notifications?after=${now.cursor}`))).toEqual([6])
    const empty = await server.ask('/v1/notifications?through=otherlog-3')
    expect(empty.body).toMatchObject({ gap: { to: 'otherlog-3' } })
    for (const query of [
      'through=latest&before=latest',
      'through=latest&after=earliest',
      'through=latest&wait=1s'
    ])
      expect(await server.ask(`/v1/notifications?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'request-invalid' }
      })
  })

  test('takes filters, and fills its page from memory and from the database', async () => {
    await using server = await startGateway({ store: { recentBytesMax: 20_000 } })
    for (let hundred = 0; hundred < 5; hundred++)
      await server.append(
        ...Array.from({ length: 100 }, (_, index) => {
          const n = hundred * 100 + index + 1
          return numbered(n, { device: n % 10 === 0 ? 'ten' : 'other' })
        })
      )
    const page = await server.ask('/v1/notifications?before=latest&devices=ten&kinds=event&limit=30')
    expect(payloads(page)).toEqual(falling(50, 21).map(n => n * 10))
    expect(page.body.more).toBe(true)
    const rest = await server.ask(
      `/v1/notifications?before=${page.body.cursor}&devices=ten&kinds=event&limit=30`
    )
    expect(payloads(rest)).toEqual(falling(20, 1).map(n => n * 10))
    expect(rest.body.more).toBe(false)
    const none = await server.ask('/v1/notifications?before=latest&devices=nobody')
    expect(none.body).toMatchObject({ items: [], more: false })
  })

  test('keeps a page of large payloads short', async () => {
    await using server = await startGateway()
    const megabyte = Buffer.from(JSON.stringify('x'.repeat(1024 * 1024)))
    await server.append(...Array.from({ length: 10 }, () => event({ payload: megabyte })))
    const page = await server.ask('/v1/notifications?before=latest')
    expect(page.body.items.length).toBeGreaterThanOrEqual(3)
    expect(page.body.items.length).toBeLessThan(6)
    expect(page.body.more).toBe(true)
  })

  test('of an empty log is empty, and is read on from', async () => {
    await using server = await startGateway()
    const { body } = await server.ask('/v1/notifications?before=latest')
    expect(body).toEqual({ items: [], cursor: expect.any(String), more: false })
    const again = await server.ask(`/v1/notifications?before=${body.cursor}`)
    expect(again.body).toEqual(body)
  })

  test('before a cursor of another log, or beyond the end, begins at the end and says so', async () => {
    await using server = await startGateway()
    await server.append(...numbers(3))
    const { epoch } = server.store.log.bounds()
    const { cursor: end } = (await server.ask('/v1/notifications')).body
    for (const before of ['otherlog-2', `${epoch}-zz`]) {
      const answer = await server.ask(`/v1/notifications?before=${before}&limit=2`)
      expect(payloads(answer)).toEqual([3, 2])
      expect(answer.body).toMatchObject({ more: true, gap: { from: end, to: before } })
    }
  })

  test('before what retention has taken is empty, and nothing is missing', async () => {
    let now = 1_000_000
    await using folder = await temporaryFolder()
    {
      await using server = await startGateway({ dir: folder.path, store: { now: () => now } })
      await server.append(...numbers(5))
    }
    now += 100_000
    const store = { now: () => now, retentionAgeMs: 60_000, maintenanceMs: 100 }
    await using server = await startGateway({ dir: folder.path, store })
    const { epoch } = server.store.log.bounds()
    await server.append(numbered(6))
    await eventually(() => server.store.log.bounds().first > 5)
    const answer = await server.ask(`/v1/notifications?before=${epoch}-3`)
    expect(answer.body).toEqual({ items: [], cursor: `${epoch}-3`, more: false })
    expect(payloads(await server.ask('/v1/notifications?before=latest'))).toEqual([6])
  })

  test('tells a damaged block as a gap, on the page that comes after it', async () => {
    await using folder = await temporaryFolder()
    {
      await using server = await startGateway({ dir: folder.path })
      for (let n = 1; n <= 9; n++)
        await server.append(event({ payload: Buffer.from(JSON.stringify(`needle-${n}`)) }))
    }
    const file = join(folder.path, 'tocsin.db')
    for (const at of await placesOf(file, 'needle-6')) await flipByte(file, at)
    await using server = await startGateway({ dir: folder.path, store: { recentBytesMax: 0 } })
    const { epoch } = server.store.log.bounds()
    const newest = await server.ask('/v1/notifications?before=latest')
    expect(payloads(newest)).toEqual(['needle-9', 'needle-8', 'needle-7'])
    expect(newest.body).toMatchObject({ cursor: `${epoch}-7`, more: true })
    expect(newest.body.gap).toBeUndefined()
    const older = await server.ask(`/v1/notifications?before=${newest.body.cursor}`)
    expect(payloads(older)).toEqual(falling(5, 1).map(n => `needle-${n}`))
    expect(older.body).toMatchObject({ more: false, gap: { from: `${epoch}-5`, to: `${epoch}-6` } })
    expect((await server.ask(`/v1/notifications/${epoch}-6`)).status).toBe(404)
  })

  test('goes with neither after nor wait, and takes cursors only', async () => {
    await using server = await startGateway()
    for (const other of ['after=earliest', 'wait=1s']) {
      const answer = await server.ask(`/v1/notifications?before=latest&${other}`)
      expect(answer).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
      expect(answer.body.detail).toContain('leave out after and wait')
    }
    for (const before of ['', 'earliest', 'soon'])
      expect(await server.ask(`/v1/notifications?before=${before}`)).toMatchObject({
        status: 400,
        body: { code: 'cursor-invalid' }
      })
  })
})
