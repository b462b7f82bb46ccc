// What operators see of devices, and how they register them.
import { describe, expect, test } from '@jest/globals'
import type { PresenceDraft } from '../../store/notification.ts'
import { event, startGateway } from './harness.ts'
import type { Harness } from './harness.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { eventually } from '../helpers/eventually.ts'

function presence(device: string, status: 'online' | 'offline', order: number): PresenceDraft {
  return { kind: 'presence', device, severity: 'info', status, reason: 'test', session: `s${order}`, order }
}

async function allPages(server: Harness, query: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = []
  let pages = 0
  let cursor: string | null = ''
  while (cursor !== null) {
    const { body } = await server.ask(`/v1/devices?${query}${cursor && `&cursor=${cursor}`}`)
    ids.push(...body.items.map(({ id }: { id: string }) => id))
    cursor = body.cursor
    pages++
  }
  return { ids, pages }
}

describe('the list of devices', () => {
  test('keeps its order as devices appear between its pages', async () => {
    await using server = await startGateway()
    const listed = async () => (await allPages(server, 'limit=3')).ids
    const seen: string[] = []
    for (const device of ['m', 'z', 'a', 'n', 'Z', 'aa', '0', 'zz', 'é']) {
      await server.append(event({ device }))
      seen.push(device)
      expect(await listed()).toEqual(seen.toSorted())
    }
  })

  test('is paged in order of ids, searched, and filtered by status', async () => {
    await using server = await startGateway()
    const ids = Array.from({ length: 25 }, (_, index) => `Dev-${String(index).padStart(2, '0')}`)
    await server.append(
      ...ids.map(device => event({ device })),
      presence('Dev-03', 'online', 1),
      presence('Dev-04', 'offline', 1)
    )
    expect(await allPages(server, 'limit=10')).toEqual({ ids, pages: 3 })
    expect(await allPages(server, 'limit=25')).toEqual({ ids, pages: 1 })
    expect((await allPages(server, 'limit=3&search=dev-1')).ids).toEqual(ids.slice(10, 20))
    expect((await allPages(server, 'status=online')).ids).toEqual(['Dev-03'])
    expect((await allPages(server, 'status=offline')).ids).toEqual(['Dev-04'])
    expect((await allPages(server, 'status=unknown')).ids).toHaveLength(23)
  })

  test('goes on where it was when devices come between two pages', async () => {
    await using server = await startGateway()
    await server.append(event({ device: 'b' }), event({ device: 'd' }), event({ device: 'f' }))
    const first = await server.ask('/v1/devices?limit=2')
    await server.append(event({ device: 'a' }), event({ device: 'e' }))
    const second = await server.ask(`/v1/devices?limit=2&cursor=${first.body.cursor}`)
    expect([first, second].map(({ body }) => body.items.map(({ id }: { id: string }) => id))).toEqual([
      ['b', 'd'],
      ['e', 'f']
    ])
  })
})

describe('a device', () => {
  test('shows presence and activity', async () => {
    await using server = await startGateway()
    await server.append(presence('x/y', 'online', 3), event({ device: 'x/y' }), event({ device: 'x/y' }))
    const { body } = await server.ask(`/v1/devices/${encodeURIComponent('x/y')}`)
    expect(body).toMatchObject({
      id: 'x/y',
      registered: false,
      presence: { status: 'online', session: 's3', order: 3, reason: 'test' },
      events: 2
    })
    expect(new Date(body.lastSeenAt).toISOString()).toBe(body.lastSeenAt)
  })

  test('is not offline by a stale word', async () => {
    await using server = await startGateway()
    await server.append(presence('a', 'online', 1), presence('a', 'online', 2), presence('a', 'offline', 1))
    expect((await server.ask('/v1/devices/a')).body.presence).toMatchObject({ status: 'online', order: 2 })
  })

  test('counts each event once over restarts, saved or not', async () => {
    await using folder = await temporaryFolder()
    const drafts = Array.from({ length: 40 }, (_, index) => event({ device: `d${index % 20}` }))
    {
      await using server = await startGateway({ dir: folder.path })
      await server.append(...drafts)
    } // saved at close
    {
      await using server = await startGateway({ dir: folder.path })
      expect((await server.ask('/v1/devices/d7')).body).toMatchObject({ events: 2 })
      await server.append(...drafts, presence('d7', 'online', 1))
      // Saved shard by shard while it runs; this stops in the middle of that, without the save at the end.
      await eventually(async () => (await server.store.tables.activity()).some(({ events }) => events === 4))
      server.store.log.health = () => ({
        writable: false,
        code: 'test',
        reason: 'as after a crash',
        since: 0
      })
    }
    await using server = await startGateway({ dir: folder.path })
    await server.append(event({ device: 'last' }))
    await eventually(async () => (await server.ask('/v1/devices/last')).status === 200) // all before it is counted
    for (let index = 0; index < 20; index++)
      expect((await server.ask(`/v1/devices/d${index}`)).body).toMatchObject({ id: `d${index}`, events: 4 })
  })
})

describe('the last event of a device', () => {
  const last = async (server: Harness, id: string) => (await server.ask(`/v1/devices/${id}`)).body.last

  test('is shown as the feed shows it, in lists too', async () => {
    await using server = await startGateway()
    await server.append(
      event({ device: 'a', payload: Buffer.from('1') }),
      event({ device: 'a', topic: 'site/a/door', payload: Buffer.from('{"n":12345678901234567890}') }),
      event({ device: 'b', payload: Buffer.from([0, 255]) }),
      event({ device: 'c', payload: Buffer.from('open') }),
      presence('a', 'offline', 1),
      presence('d', 'online', 1)
    )
    const { items } = (await server.ask('/v1/notifications?after=earliest&kinds=event')).body
    const list = await server.ask('/v1/devices')
    expect(list.type).toContain('application/json')
    expect(list.body.items.map((item: { last: object }) => item.last)).toEqual([
      { cursor: items[1].cursor, at: items[1].at, topic: 'site/a/door', payload: items[1].payload },
      {
        cursor: items[2].cursor,
        at: items[2].at,
        topic: 'site/a/temperature',
        payload: 'AP8=',
        encoding: 'base64'
      },
      { cursor: items[3].cursor, at: items[3].at, topic: 'site/a/temperature', payload: 'open' },
      null
    ])
    expect(list.text).toContain('12345678901234567890')
    expect(await last(server, 'a')).toEqual(list.body.items[0].last)
  })

  test('is not what the server publishes about it', async () => {
    await using server = await startGateway()
    await server.append(
      event({ device: 'a', payload: Buffer.from('1') }),
      event({ device: 'a', payload: Buffer.from('2'), source: 'server' })
    )
    expect(await last(server, 'a')).toMatchObject({ payload: 1 })
  })

  test('has no payload that is long', async () => {
    await using server = await startGateway()
    await server.append(
      event({ device: 'fits', payload: Buffer.from(JSON.stringify('x'.repeat(2046))) }),
      event({ device: 'long', payload: Buffer.from(JSON.stringify('x'.repeat(2047))) }),
      event({ device: 'grows', payload: Buffer.alloc(2000, 255) }) // as base64
    )
    expect(await last(server, 'fits')).toMatchObject({ payload: 'x'.repeat(2046) })
    for (const device of ['long', 'grows'])
      expect(await last(server, device)).toEqual({
        cursor: expect.any(String),
        at: expect.any(Number),
        topic: 'site/a/temperature',
        truncated: true
      })
  })

  test('is known after a restart, also what was appended since the last save', async () => {
    await using folder = await temporaryFolder()
    {
      await using server = await startGateway({ dir: folder.path })
      await server.append(event({ device: 'a', payload: Buffer.from('1') }))
    } // saved at close
    {
      await using server = await startGateway({ dir: folder.path })
      await server.append(event({ device: 'b', payload: Buffer.from('2') }))
      const { log } = server.store
      log.health = () => ({ writable: false, code: 'test', reason: 'as after a crash', since: 0 })
    }
    await using server = await startGateway({ dir: folder.path })
    await eventually(async () => (await server.ask('/v1/devices/b')).body.events === 1)
    expect([await last(server, 'a'), await last(server, 'b')]).toMatchObject([{ payload: 1 }, { payload: 2 }])
  })

  test('is gone when retention has removed it', async () => {
    let now = 1_000_000
    await using server = await startGateway({
      store: { now: () => now, retentionAgeMs: 1000, maintenanceMs: 50 }
    })
    await server.append(event({ device: 'a' }))
    expect(await last(server, 'a')).not.toBeNull()
    now += 5000
    await eventually(async () => (await last(server, 'a')) === null)
    expect((await server.ask('/v1/devices/a')).body.events).toBe(1)
  })

  test('is found for a page of many devices, in memory and in the database', async () => {
    await using server = await startGateway({ store: { recentBytesMax: 20_000 } })
    const count = 600
    const ids = Array.from({ length: count }, (_, index) => `d${String(index).padStart(4, '0')}`)
    for (let from = 0; from < count; from += 50)
      await server.append(
        ...ids
          .slice(from, from + 50)
          .map((device, index) => event({ device, payload: Buffer.from(String(from + index)) }))
      )
    const { items } = (await server.ask('/v1/devices?limit=1000')).body
    expect(items.map((item: { last: { payload: number } }) => item.last.payload)).toEqual(
      ids.map((_, index) => index)
    )
  })
})

test('the rate of a device counts its events of the last minute', async () => {
  let at = 28_333_333 * 60_000
  const now = () => at
  await using server = await startGateway({ store: { now }, gateway: { now } })
  const rates = async () =>
    (await server.ask('/v1/devices')).body.items.map((item: object) => item['eventsPerMinute' as never])
  await server.append(
    ...Array.from({ length: 30 }, () => event({ device: 'a' })),
    event({ device: 'b' }),
    event({ device: 'b', source: 'server' }),
    presence('b', 'online', 1),
    presence('c', 'online', 1)
  )
  expect(await rates()).toEqual([30, 1, 0])
  at += 60_000
  await server.append(event({ device: 'b' }))
  at += 15_000
  expect(await rates()).toEqual([22.5, 1.8, 0])
  at += 60_000
  expect(await rates()).toEqual([0, 0.8, 0])
})

describe('registration', () => {
  const admin = { role: 'admin' as const }
  const register = (id: string) => ({ ...admin, method: 'POST', body: JSON.stringify({ id }) })

  test('gives a token once, rotates it, and ends', async () => {
    await using server = await startGateway()
    const created = await server.ask('/v1/devices', register('pump 7'))
    expect(created).toMatchObject({
      status: 201,
      body: { id: 'pump 7', token: expect.stringMatching(/^[\w-]{43}$/) }
    })
    expect(await server.ask('/v1/devices', register('pump 7'))).toMatchObject({
      status: 409,
      body: { code: 'device-exists' }
    })
    const shown = await server.ask('/v1/devices/pump%207')
    expect(shown.body).toMatchObject({
      registered: true,
      createdAt: expect.stringMatching(/Z$/),
      presence: null,
      firstSeenAt: null,
      events: 0
    })
    expect(shown.text).not.toContain(created.body.token)
    const before = server.store.devices.get('pump 7')?.tokenHash
    const rotated = await server.ask('/v1/devices/pump%207/rotate', { ...admin, method: 'POST' })
    expect(rotated).toMatchObject({ status: 200, body: { id: 'pump 7' } })
    expect(rotated.body.token).not.toBe(created.body.token)
    expect(server.store.devices.get('pump 7')?.tokenHash).not.toEqual(before)
    expect((await server.ask('/v1/devices/pump%207', { ...admin, method: 'DELETE' })).status).toBe(204)
    expect(await server.ask('/v1/devices/pump%207')).toMatchObject({ status: 404 })
    expect(await allPages(server, 'limit=5')).toEqual({ ids: [], pages: 1 })
    expect(await server.ask('/v1/devices/pump%207/rotate', { ...admin, method: 'POST' })).toMatchObject({
      status: 404
    })
  })

  test('needs an admin and an id that can be one', async () => {
    await using server = await startGateway()
    expect(await server.ask('/v1/devices', { ...register('x'), role: 'operator' })).toMatchObject({
      status: 403
    })
    for (const id of ['', 'a\u0007b', 'x'.repeat(257)])
      expect(await server.ask('/v1/devices', register(id))).toMatchObject({
        status: 400,
        body: { code: 'request-invalid' }
      })
  })
})
