// What every engine's tables and registries must do.
import { describe, expect, test } from '@jest/globals'
import type {
  ActivityRow,
  Change,
  DeviceRow,
  InflightRow,
  PresenceRow,
  RetainedRow,
  SessionRow,
  ShareRow,
  Store,
  SubscriptionRow,
  TokenRow,
  WillRow
} from '../../store/store.ts'
import { appended, event, plainMqtt, written } from './store-place.ts'
import type { NewPlace } from './store-place.ts'

const session: SessionRow = {
  key: 'pump-1/main',
  device: 'pump-1',
  clientId: 'main',
  cursor: 12,
  expiresAt: null,
  expiryIntervalS: 0xffffffff
}
const subscription: SubscriptionRow = {
  filter: 'commands/#',
  qos: 1,
  noLocal: true,
  retainAsPublished: false,
  retainHandling: 2,
  identifier: null,
  since: 7
}
const inflight: InflightRow = {
  packetId: 65_535,
  seq: 9,
  qos: 2,
  state: 'released',
  retain: true,
  message: Buffer.from([1, 2, 3]),
  identifiers: [1, 268_435_455],
  share: null
}
const presence: PresenceRow = {
  device: 'pump-1',
  status: 'online',
  session: 's1',
  order: 1,
  reason: 'connect',
  since: 1_700_000_000_000
}

export function tablesContract(name: string, newPlace: NewPlace): void {
  describe(`${name}: tables`, () => {
    test('presence and activity keep the last row of each device', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const activity: ActivityRow = { device: 'pump-1', firstSeenAt: 1, lastSeenAt: 2, events: 3, lastSeq: 4 }
      await written(store.log, [
        { put: 'presence', row: presence },
        { put: 'presence', row: { ...presence, device: 'pump-2' } },
        { put: 'activity', row: activity }
      ])
      const offline: PresenceRow = { ...presence, status: 'offline', order: 2, reason: 'keepalive' }
      await written(store.log, [
        { put: 'presence', row: offline },
        { put: 'activity', row: { ...activity, events: 4, lastSeq: 9 } }
      ])
      expect(await store.tables.presence()).toEqual([offline, { ...presence, device: 'pump-2' }])
      expect(await store.tables.activity()).toEqual([{ ...activity, events: 4, lastSeq: 9 }])
    })

    test('reads tables that are longer than a page', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const devices = Array.from({ length: 4500 }, (_, index) => `device-${index}`)
      await written(
        store.log,
        devices.map(device => ({ put: 'presence', row: { ...presence, device } }))
      )
      const rows = await store.tables.presence()
      expect(rows.map(row => row.device).toSorted()).toEqual(devices.toSorted())
    })

    test('changes given with an append are written with it', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const changes = [{ put: 'checkpoint', name: 'rules', seq: 41 }] as const
      await appended(store.log, event('x'), { changes })
      await appended(store.log, event('x'), { changes: [{ put: 'checkpoint', name: 'rules', seq: 42 }] })
      expect(await store.tables.checkpoint('rules')).toBe(42)
      expect(await store.tables.checkpoint('unknown')).toBeNull()
    })

    test('a session comes back with all that belongs to it', async () => {
      await using place = await newPlace()
      const store = await place.open()
      const { key } = session
      const plain: InflightRow = {
        ...inflight,
        packetId: 1,
        seq: 8,
        state: 'published',
        message: null,
        share: '/g/a'
      }
      await written(store.log, [
        { put: 'session', row: { ...session, cursor: 1 } },
        { put: 'session', row: session },
        { put: 'subscription', session: key, row: { ...subscription, qos: 0 } },
        { put: 'subscription', session: key, row: subscription },
        { put: 'subscription', session: key, row: { ...subscription, filter: 'gone' } },
        { delete: 'subscription', session: key, filter: 'gone' },
        { put: 'inflight', session: key, row: inflight },
        { put: 'inflight', session: key, row: { ...plain, packetId: 2 } },
        { put: 'inflight', session: key, row: plain },
        { delete: 'inflight', session: key, packetId: 2 },
        { put: 'received', session: key, packetId: 3 },
        { put: 'received', session: key, packetId: 3 },
        { put: 'received', session: key, packetId: 4 },
        { delete: 'received', session: key, packetId: 4 },
        { put: 'subscription', session: 'another', row: subscription }
      ])
      await store.close()
      await using again = await place.open()
      const state = await again.tables.session(key)
      const bytes = Uint8Array.from(inflight.message ?? [])
      expect(state).toEqual({
        ...session,
        subscriptions: [subscription],
        inflight: [plain, { ...inflight, message: bytes }],
        received: [3]
      })
      expect(await again.tables.session('unknown')).toBeNull()
    })

    test('a session that is deleted takes along all that belongs to it', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const { key } = session
      await written(store.log, [
        { put: 'session', row: session },
        { put: 'subscription', session: key, row: subscription },
        { put: 'inflight', session: key, row: inflight },
        { put: 'received', session: key, packetId: 3 }
      ])
      await written(store.log, [{ delete: 'session', key }])
      expect(await store.tables.session(key)).toBeNull()
      await written(store.log, [{ put: 'session', row: session }])
      const empty = { subscriptions: [], inflight: [], received: [] }
      expect(await store.tables.session(key)).toEqual({ ...session, ...empty })
    })

    test('sessions are listed', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const expiring = [1000, 2000, 3000].map(expiresAt => ({ ...session, key: `k${expiresAt}`, expiresAt }))
      await written(
        store.log,
        [session, ...expiring].map(row => ({ put: 'session', row }))
      )
      expect(await store.tables.sessions()).toEqual([...expiring, session])
    })

    test('shares keep their place, what is due and what is taken, until they are deleted', async () => {
      await using place = await newPlace()
      const store = await place.open()
      const share: ShareRow = { key: '$share/g/a/#', cursor: 40, due: [7, 39], taken: [41] }
      await written(store.log, [
        { put: 'share', row: { ...share, cursor: 30, due: [1, 2, 3], taken: [] } },
        { put: 'share', row: share },
        { put: 'share', row: { ...share, key: '$share/g/b' } },
        { put: 'share', row: { ...share, key: '$share/h/a/#', due: [], taken: [] } },
        { delete: 'share', key: '$share/g/b' }
      ])
      await store.close()
      await using again = await place.open()
      expect(await again.tables.shares()).toEqual([
        share,
        { ...share, key: '$share/h/a/#', due: [], taken: [] }
      ])
    })

    test('what sessions have to do with shares is found over all of them', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const shared: SubscriptionRow = { ...subscription, filter: '$share/g/a', noLocal: false }
      const held: InflightRow = { ...inflight, message: null, share: '$share/g/a' }
      const keys = Array.from({ length: 2100 }, (_, index) => `s${String(index).padStart(4, '0')}`)
      await written(
        store.log,
        keys.flatMap((key): Change[] => [
          { put: 'subscription', session: key, row: shared },
          { put: 'subscription', session: key, row: { ...shared, filter: '$share/h/b' } },
          { put: 'subscription', session: key, row: subscription },
          { put: 'subscription', session: key, row: { ...subscription, filter: '$shares/g/a' } },
          { put: 'inflight', session: key, row: { ...held, packetId: 1 } },
          { put: 'inflight', session: key, row: { ...held, packetId: 2, seq: 10, qos: 1 } },
          { put: 'inflight', session: key, row: inflight }
        ])
      )
      expect(await store.tables.sharedSubscriptions()).toEqual(
        keys.flatMap(session => [
          { session, row: shared },
          { session, row: { ...shared, filter: '$share/h/b' } }
        ])
      )
      expect(await store.tables.sharedInflight()).toEqual(
        keys.flatMap(session => [
          { session, share: '$share/g/a', packetId: 1, seq: 9, qos: 2 },
          { session, share: '$share/g/a', packetId: 2, seq: 10, qos: 1 }
        ])
      )
    })

    test('wills are kept until they are deleted', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const will: WillRow = {
        session: 's',
        device: 'pump-1',
        topic: 'pumps/1/gone',
        payload: Uint8Array.of(1, 2),
        mqtt: { ...plainMqtt, properties: { contentType: 'text/plain' } },
        delayS: 30,
        expiryS: null,
        dueAt: null
      }
      await written(store.log, [
        { put: 'will', row: will },
        { put: 'will', row: { ...will, session: 't' } },
        { put: 'will', row: { ...will, dueAt: 5, expiryS: 60 } },
        { delete: 'will', session: 't' }
      ])
      expect(await store.tables.wills()).toEqual([{ ...will, dueAt: 5, expiryS: 60 }])
    })

    test('the last event with RETAIN of each topic is kept, over restarts', async () => {
      await using place = await newPlace()
      const store = await place.open()
      const mqtt = { ...plainMqtt, retain: true }
      const retain = (topic: string, text: string) => appended(store.log, event(text, { topic, mqtt }))
      await Promise.all([
        retain('a', 'old'),
        retain('b', 'removed'),
        appended(store.log, event('not retained', { topic: 'a', mqtt: plainMqtt })),
        retain('a', 'new'),
        retain('c', 'other')
      ])
      await Promise.all([
        retain('b', ''),
        retain('c', 'gone'),
        retain('c', ''),
        retain('d', ''),
        retain('d', 'back')
      ])
      await store.close()
      await using again = await place.open()
      const rows = await allRetained(again)
      expect(rows.map(row => [row.topic, row.seq, Buffer.from(row.payload).toString()])).toEqual([
        ['a', 4, 'new'],
        ['d', 10, 'back']
      ])
      expect(rows[0]).toMatchObject({ device: 'pump-1', mqtt })
      expect(rows[0]?.at).toBe((await again.log.get(4))?.at)
    })

    test('a retained message is deleted by its sequence, so that one that replaced it stays', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const mqtt = { ...plainMqtt, retain: true }
      const retain = (topic: string, text: string) => appended(store.log, event(text, { topic, mqtt }))
      await Promise.all([retain('a', 'old'), retain('b', 'gone')])
      await Promise.all([
        retain('a', 'new'),
        written(store.log, [
          { delete: 'retained', topic: 'a', seq: 1 },
          { delete: 'retained', topic: 'b', seq: 2 },
          { delete: 'retained', topic: 'never', seq: 1 }
        ])
      ])
      const rows = await allRetained(store)
      expect(rows.map(row => [row.topic, Buffer.from(row.payload).toString()])).toEqual([['a', 'new']])
    })

    test('many retained messages come page by page', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const mqtt = { ...plainMqtt, retain: true }
      const topics = Array.from({ length: 700 }, (_, index) => `t/${index}`)
      await Promise.all(topics.map(topic => appended(store.log, event('x', { topic, mqtt }))))
      const pages: number[] = []
      const seen: string[] = []
      await store.tables.retained(rows => {
        pages.push(rows.length)
        seen.push(...rows.map(row => row.topic))
      })
      expect(seen.toSorted()).toEqual(topics.toSorted())
      expect(pages.length).toBeGreaterThan(1)
    })
  })

  describe(`${name}: registries`, () => {
    const device: DeviceRow = { id: 'pump-1', tokenHash: Uint8Array.of(1, 2), createdAt: 5 }
    const token: TokenRow = { id: 't1', hash: Uint8Array.of(3), role: 'operator', name: 'Ada', createdAt: 6 }

    test('keep rows over restarts', async () => {
      await using place = await newPlace()
      const store = await place.open()
      await store.devices.put(device)
      await store.tokens.put(token)
      await store.tokens.put({ ...token, id: 't2' })
      expect(await store.tokens.remove('t2')).toBe(true)
      expect(await store.tokens.remove('t2')).toBe(false)
      await store.close()
      await using again = await place.open()
      expect(again.devices.list()).toEqual([device])
      expect(again.devices.get('pump-1')).toEqual(device)
      expect(again.tokens.list()).toEqual([token])
      expect(again.tokens.get('t2')).toBeUndefined()
    })

    test('show and tell a change once it is durable', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const told: [string, boolean][] = []
      store.devices.onChange((id, row) => told.push([id, row !== undefined]))
      const put = store.devices.put(device)
      expect(store.devices.get('pump-1')).toBeUndefined()
      await put
      expect(store.devices.get('pump-1')).toEqual(device)
      await store.devices.remove('pump-1')
      await store.devices.remove('pump-1')
      expect(told).toEqual([
        ['pump-1', true],
        ['pump-1', false]
      ])
    })
  })
}

async function allRetained(store: Store): Promise<RetainedRow[]> {
  const all: RetainedRow[] = []
  await store.tables.retained(rows => void all.push(...rows))
  return all
}
