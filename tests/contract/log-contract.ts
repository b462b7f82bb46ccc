// What every engine's log must do. `newPlace` makes an empty place for a store.
import { describe, expect, test } from '@jest/globals'
import type { Draft, Notification } from '../../store/notification.ts'
import type { Batch, Gap, Log } from '../../store/store.ts'
import { eventually } from '../helpers/eventually.ts'
import { appendMixture } from './mixture.ts'
import { readBackContract } from './read-back-contract.ts'
import { appended, appendOneByOne, event, plainMqtt } from './store-place.ts'
import type { NewPlace, StorePlace } from './store-place.ts'

const noMemory = { recentBytesMax: 0 } // so that every read of the past comes from the database

export function logContract(name: string, newPlace: NewPlace): void {
  describe(`${name}: log`, () => {
    describe('append', () => {
      test('numbers notifications from 1 without holes, in the order of the appends', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        expect(store.log.bounds()).toMatchObject({ first: 1, last: 0 })
        const order: number[] = []
        const all = Array.from({ length: 500 }, (_, index) =>
          appended(store.log, event(`${index}`)).then(() => order.push(index))
        )
        await Promise.all(all)
        expect(order).toEqual(Array.from({ length: 500 }, (_, index) => index))
        const { items } = await store.log.read(0, { limit: 1000 })
        expect(items.map(item => item.seq)).toEqual(order.map(index => index + 1))
        expect(items.map(payloadText)).toEqual(order.map(String))
        expect(store.log.bounds()).toMatchObject({ first: 1, last: 500 })
      })

      test.each([
        ['from memory', {}],
        ['from the database', noMemory]
      ])('gives back every field of every kind, %s', async (_, options) => {
        await using place = await newPlace()
        await using store = await place.open({ ...options, now: () => 1_700_000_000_123 })
        const drafts = everyKind()
        for (const draft of drafts) await appended(store.log, structuredClone(draft))
        const { items } = await store.log.read(0, { limit: 100 })
        const expected = drafts.map((draft, index) => ({ seq: index + 1, at: 1_700_000_000_123, ...draft }))
        expect(items.map(plain)).toEqual(expected.map(plain))
        expect(await store.log.get(2)).toMatchObject({ seq: 2, kind: expected[1]?.kind })
      })

      test('keeps time from going back when the clock does', async () => {
        let now = 2000
        await using place = await newPlace()
        await using store = await place.open({ now: () => now })
        await appended(store.log, event('a'))
        now = 1000
        await appended(store.log, event('b'))
        expect((await store.log.get(2))?.at).toBe(2000)
        await store.close()
        await using again = await place.open({ now: () => now })
        await appended(again.log, event('c'))
        expect((await again.log.get(3))?.at).toBe(2000)
      })

      test('does not keep the memory a payload came in', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        const chunk = Buffer.alloc(65_536, 'x')
        const properties = { correlationData: chunk.subarray(10, 14) }
        const mqtt = { ...plainMqtt, properties }
        await appended(store.log, event('', { payload: chunk.subarray(100, 150), mqtt }))
        chunk.fill('y')
        const item = await store.log.get(1)
        if (item?.kind !== 'event') throw new Error('an event was appended')
        expect(payloadText(item)).toBe('x'.repeat(50))
        expect(item.payload.buffer.byteLength).toBeLessThan(1000)
        expect(item.mqtt?.properties?.correlationData).toEqual(Buffer.from('xxxx'))
      })

      test('calls back writes and appends in the order they came in', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        const order: string[] = []
        store.log.append(event('a'), () => order.push('a'))
        store.log.write([{ put: 'checkpoint', name: 'rules', seq: 1 }], () => order.push('w'))
        await appended(store.log, event('b')).then(() => order.push('b'))
        expect(order).toEqual(['a', 'w', 'b'])
        expect(await store.tables.checkpoint('rules')).toBe(1)
      })

      test('answers others when one callback throws', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        store.log.append(event('a'), () => {
          throw new Error('a caller’s mistake')
        })
        await appended(store.log, event('b'))
        expect(store.log.bounds().last).toBe(2)
      })

      test('says when it is full, and when there is room again', async () => {
        await using place = await newPlace()
        await using store = await place.open({ waitingBytesMax: 10_000 })
        expect(store.log.full()).toBe(false)
        let calledAtOnce = false
        store.log.whenRoom(() => (calledAtOnce = true))
        expect(calledAtOnce).toBe(true)
        for (let index = 0; index < 20; index++) store.log.append(event('x'.repeat(1000)), null)
        expect(store.log.full()).toBe(true)
        expect(store.log.waitingBytes()).toBeGreaterThan(20_000)
        await new Promise<void>(resolve => store.log.whenRoom(resolve))
        expect(store.log.full()).toBe(false)
        await eventually(() => store.log.waitingBytes() === 0)
      })

      test('counts what MQTT properties hold, not payloads alone', async () => {
        await using place = await newPlace()
        await using store = await place.open({ waitingBytesMax: 100_000 })
        const properties = {
          userProperties: [
            ['text', 'x'.repeat(60_000)],
            ['text', 'y'.repeat(60_000)]
          ] as const
        }
        const committed = appended(store.log, event('x', { mqtt: { ...plainMqtt, properties } }))
        expect(store.log.waitingBytes()).toBeGreaterThan(120_000)
        expect(store.log.full()).toBe(true)
        await committed
        expect(store.log.waitingBytes()).toBe(0)
      })

      test('refuses what comes after close, and commits what came before', async () => {
        await using place = await newPlace()
        const store = await place.open()
        const before = appended(store.log, event('before'))
        const closed = store.close()
        await expect(appended(store.log, event('after'))).rejects.toMatchObject({ code: 'store-closed' })
        await before
        await closed
        await using again = await place.open()
        expect(again.log.bounds().last).toBe(1)
      })
    })

    describe('epoch', () => {
      test('stays when the log is opened again, and differs between logs', async () => {
        await using place = await newPlace()
        await using other = await newPlace()
        const store = await place.open()
        const { epoch } = store.log.bounds()
        await store.close()
        await using again = await place.open()
        await using another = await other.open()
        expect(again.log.bounds().epoch).toBe(epoch)
        expect(another.log.bounds().epoch).not.toBe(epoch)
        expect(epoch).toMatch(/^[0-9a-z]{1,32}$/)
      })
    })

    describe.each([
      ['from memory', {}],
      ['from the database', noMemory]
    ])('read %s', (_, options) => {
      test('pages through everything', async () => {
        await using place = await newPlace()
        await using store = await place.open(options)
        await appendOneByOne(store.log, 25)
        const seen: number[] = []
        let after = 0
        for (let more = true; more;) {
          const page = await store.log.read(after, { limit: 10 })
          seen.push(...page.items.map(item => item.seq))
          expect(page.gap).toBeNull()
          ;({ next: after, more } = page)
        }
        expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => index + 1))
        expect(await store.log.read(25, { limit: 10 })).toEqual({
          items: [],
          next: 25,
          more: false,
          gap: null
        })
      })

      test('returns what passes the filter, and moves on past what does not', async () => {
        await using place = await newPlace()
        await using store = await place.open(options)
        await appendMixture(store.log)
        const find = async (filter: Parameters<typeof store.log.read>[1]['filter']) =>
          (await store.log.read(0, { limit: 100, ...(filter && { filter }) })).items.map(item => item.seq)
        expect(await find({ devices: ['pump-2', 'pump-9'] })).toEqual([2, 7])
        expect(await find({ topics: ['pumps/+/state'] })).toEqual([1, 2, 7])
        expect(await find({ topics: ['pumps/1/#', 'doors/#'] })).toEqual([1, 3])
        expect(await find({ kinds: ['presence', 'alert'] })).toEqual([4, 5])
        expect(await find({ severityMin: 'major' })).toEqual([5, 7])
        expect(await find({ severityMin: 'major', kinds: ['event'] })).toEqual([7])
        expect(await find({ topics: ['#'] })).toEqual([1, 2, 3, 7])
        expect(await find({ topics: ['#'], kinds: ['alert'] })).toEqual([])
        const none = await store.log.read(0, { limit: 100, filter: { devices: ['unheard-of'] } })
        expect(none).toEqual({ items: [], next: 7, more: false, gap: null })
      })

      test('keeps to the limit of bytes, but returns at least one', async () => {
        await using place = await newPlace()
        await using store = await place.open(options)
        for (let index = 0; index < 10; index++) void appended(store.log, event('x'.repeat(1000)))
        await appended(store.log, event('last'))
        const some = await store.log.read(0, { limit: 100, bytesMax: 3500 })
        expect(some.items).toHaveLength(3)
        expect(some).toMatchObject({ next: 3, more: true })
        const one = await store.log.read(3, { limit: 100, bytesMax: 10 })
        expect(one.items.map(item => item.seq)).toEqual([4])
      })

      test('gives readers that page through the same blocks, each at its own pace, everything once', async () => {
        await using place = await newPlace()
        await using store = await place.open(options)
        for (let index = 1; index < 2000; index++)
          store.log.append(event(`${index}`, { device: index % 3 === 0 ? 'third' : 'other' }), null)
        await appended(store.log, event('2000'))
        const all = Array.from({ length: 2000 }, (_, index) => index + 1)
        const readers = [
          { limit: 7, wants: all },
          { limit: 100, bytesMax: 2000, wants: all },
          {
            limit: 10,
            filter: { devices: ['third'] },
            wants: all.filter(seq => seq % 3 === 0 && seq < 2000)
          },
          { limit: 900, wants: all }
        ].map(({ wants, ...how }) => ({ wants, how, after: 0, more: true, seen: [] as string[] }))
        while (readers.some(({ more }) => more))
          for (const reader of readers.filter(({ more }) => more)) {
            const page = await store.log.read(reader.after, reader.how)
            reader.seen.push(...page.items.map(item => `${item.seq} ${payloadText(item)}`))
            reader.after = page.next
            reader.more = page.more
          }
        for (const { wants, seen } of readers) expect(seen).toEqual(wants.map(seq => `${seq} ${seq}`))
      })

      test('finds single notifications', async () => {
        await using place = await newPlace()
        await using store = await place.open(options)
        for (let index = 1; index < 20; index++) void appended(store.log, event(`${index}`))
        await appended(store.log, event('20'))
        const found = await store.log.get(13)
        expect(found && payloadText(found)).toBe('13')
        expect(await store.log.get(0)).toBeNull()
        expect(await store.log.get(21)).toBeNull()
      })

      test('finds many notifications, in order and each once', async () => {
        await using place = await newPlace()
        await using store = await place.open(options)
        for (let index = 1; index < 40; index++) store.log.append(event(`${index}`), null)
        await appended(store.log, event('40'))
        await appendOneByOne(store.log, 5, index => event(`${index + 40}`))
        const found = await manyOf(store.log, [44, 13, 3, 13, 46, 0, 40, 41, 1, 1_000_000])
        expect(found).toEqual([1, 3, 13, 40, 41, 44].map(seq => ({ seq, text: String(seq) })))
        expect(await manyOf(store.log, [])).toEqual([])
        expect(await manyOf(store.log, [0, 46])).toEqual([])
      })
    })

    readBackContract(newPlace)

    test('does bounded work in one read, and says that there is more', async () => {
      await using place = await newPlace()
      await using store = await place.open(noMemory)
      for (let index = 0; index < 40_000; index++) store.log.append(event('x'), null)
      await appended(store.log, event('wanted', { device: 'rare' }))
      const filter = { topics: ['pumps/1/state'], severityMin: 'critical' } as const
      const passedBy = await store.log.read(0, { limit: 1, filter })
      expect(passedBy).toMatchObject({ items: [], next: 40_001, more: false }) // by the summaries alone
      const opened = await store.log.read(0, { limit: 1, filter: { topics: ['no/such/topic'] } })
      expect(opened).toMatchObject({ items: [], more: true })
      expect(opened.next).toBeGreaterThan(10_000)
      expect(opened.next).toBeLessThan(40_001)
    })

    test('finds many notifications of many blocks, from memory and from the database, a page at a time', async () => {
      await using place = await newPlace()
      await using store = await place.open({ recentBytesMax: 3_000_000 })
      for (let index = 1; index < 1500; index++) store.log.append(event(`${index}`.padEnd(8000)), null)
      await appended(store.log, event('1500'))
      const wanted = Array.from({ length: 750 }, (_, index) => index * 2 + 1)
      const pages: number[] = []
      const found: number[] = []
      await store.log.getMany(wanted, items => {
        pages.push(items.length)
        found.push(...items.map(item => item.seq))
      })
      expect(found).toEqual(wanted)
      expect(Math.max(...pages)).toBeLessThan(600)
    })

    describe('follow', () => {
      test('hands over the past and then what comes, without hole or repeat', async () => {
        for (const options of [{}, noMemory, { recentBytesMax: 20_000 }])
          await followWhileAppending(newPlace, options)
      })

      test('hands over committed objects before it calls the appenders back', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        const order: string[] = []
        store.log.follow(0, batch => void order.push(`batch ${batch.first}-${batch.last}`))
        await appended(store.log, event('a')).then(() => order.push('durable'))
        expect(order).toEqual(['batch 1-1', 'durable'])
      })

      test('goes on for others when a follower throws or rejects', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        store.log.follow(0, () => {
          throw new Error('a follower’s mistake')
        })
        store.log.follow(0, () => Promise.reject(new Error('a follower’s mistake')))
        const seen = collect(store.log, 0)
        await appendOneByOne(store.log, 3)
        expect(seen.seqs).toEqual([1, 2, 3])
      })

      test('waits for a follower in its past, and for nobody who is live', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        await appendOneByOne(store.log, 10)
        let release = () => {}
        const held = new Promise<void>(resolve => (release = resolve))
        const batches: Batch[] = []
        store.log.follow(0, batch => {
          batches.push(batch)
          return held
        })
        const live = collect(store.log, 10)
        await eventually(() => batches.length === 1)
        await appendOneByOne(store.log, 5)
        expect(live.seqs).toEqual([11, 12, 13, 14, 15])
        expect(batches).toHaveLength(1)
        release()
        await eventually(() => batches.at(-1)?.last === 15)
        expect(batches.flatMap(batch => batch.items.map(item => item.seq))).toEqual(
          Array.from({ length: 15 }, (_, index) => index + 1)
        )
      })

      test('stops at once', async () => {
        await using place = await newPlace()
        await using store = await place.open()
        const seen: number[] = []
        const follower = store.log.follow(0, ({ items }) => {
          seen.push(...items.map(item => item.seq))
          follower.stop()
        })
        await appendOneByOne(store.log, 3)
        expect(seen).toEqual([1])
      })
    })

    describe('streams', () => {
      test('know the highest committed sequence of each, also after opening again', async () => {
        await using place = await newPlace()
        for (let round = 0; round < 3; round++) {
          await using store = await place.open({ maintenanceMs: round === 1 ? 100 : 3_600_000 })
          const base = round * 10
          expect(store.log.streamPosition('a', 'main')).toBe(base && base + 3)
          const appends = [1, 2, 3].map(seq =>
            appended(store.log, event('x', { device: 'a' }), {
              stream: { name: 'main', seq: base + 10 + seq }
            })
          )
          appends.push(
            appended(store.log, event('x', { device: 'a' }), { stream: { name: 'other', seq: 7 } }),
            appended(store.log, event('x', { device: 'b' }), { stream: { name: 'main', seq: 5 + round } })
          )
          expect(store.log.streamPosition('b', 'main')).toBe(round && 4 + round)
          await Promise.all(appends)
          expect(store.log.streamPosition('a', 'main')).toBe(base + 13)
          expect(store.log.streamPosition('a', 'other')).toBe(7)
          expect(store.log.streamPosition('b', 'main')).toBe(5 + round)
          expect(store.log.streamPosition('nobody', 'main')).toBe(0)
          expect(['a', 'b', 'nobody'].map(device => store.log.streamCount(device))).toEqual([2, 1, 0])
          if (round !== 1) continue
          await appendOneByOne(store.log, 20)
          await eventually(async () => (await store.blocks()) < 5, {
            what: 'merging, which comes after folding'
          })
        }
      })
    })

    describe('retention', () => {
      test('by age removes the oldest, and tells readers and followers of the gap', async () => {
        let now = 1_000_000
        await using place = await newPlace()
        {
          // No maintenance: it merges neighbours, and a block goes when its youngest entry has aged.
          await using filling = await place.open({ now: () => now })
          await appendOneByOne(filling.log, 10)
          now += 50_000
          await appendOneByOne(filling.log, 10)
        }
        now += 20_000
        await using store = await place.open({ maintenanceMs: 100, retentionAgeMs: 60_000, now: () => now })
        await eventually(() => store.log.bounds().first > 1)
        const { first, last } = store.log.bounds()
        expect(first).toBe(11)
        expect(last).toBe(20)
        const page = await store.log.read(3, { limit: 2 })
        expect(page.gap).toEqual({ from: 4, to: 10 })
        expect(page.items.map(item => item.seq)).toEqual([11, 12])
        expect(await store.log.get(5)).toBeNull()
        expect((await manyOf(store.log, [20, 5, 11, 10])).map(({ seq }) => seq)).toEqual([11, 20])
        const gaps: Gap[] = []
        const seen = collect(store.log, 3, gap => gaps.push(gap))
        await eventually(() => seen.seqs.at(-1) === 20)
        expect(gaps).toEqual([{ from: 4, to: 10 }])
        expect(seen.seqs[0]).toBe(11)
      })

      test('may empty the log; its sequence goes on', async () => {
        let now = 1_000_000
        await using place = await newPlace()
        const store = await place.open({ maintenanceMs: 100, retentionAgeMs: 1000, now: () => now })
        await appendOneByOne(store.log, 5)
        now += 5000
        await eventually(() => store.log.bounds().first === 6)
        expect(store.log.bounds().last).toBe(5)
        await store.close()
        await using again = await place.open()
        expect(again.log.bounds()).toMatchObject({ first: 6, last: 5 })
        const gaps: Gap[] = []
        const seen = collect(again.log, 2, gap => gaps.push(gap))
        await appended(again.log, event('on'))
        await eventually(() => seen.seqs.length > 0)
        expect(seen.seqs).toEqual([6])
        expect(gaps).toEqual([{ from: 3, to: 5 }])
      })

      test('by bytes keeps the newest', async () => {
        await using place = await newPlace()
        await using store = await place.open({ maintenanceMs: 100, retentionBytesMax: 200_000 })
        await appendOneByOne(store.log, 40, () => event('x'.repeat(20_000)))
        await eventually(() => store.log.bounds().first > 20)
        expect(store.log.bounds().first).toBeLessThan(40)
        expect(await store.log.get(40)).not.toBeNull()
      })
    })

    test('merges small blocks without anybody noticing', async () => {
      await using place = await newPlace()
      await using store = await place.open({ maintenanceMs: 100, ...noMemory })
      await appendMixture(store.log)
      await appendOneByOne(store.log, 60, index => event(`${index}`, { device: `meter-${index}` }))
      expect(await store.blocks()).toBeGreaterThan(0)
      await eventually(async () => (await store.blocks()) < 10)
      const { items } = await store.log.read(0, { limit: 1000 })
      expect(items.map(item => item.seq)).toEqual(Array.from({ length: 67 }, (_, index) => index + 1))
      const found = await store.log.read(0, { limit: 10, filter: { devices: ['meter-33'] } })
      expect(found.items.map(payloadText)).toEqual(['33'])
      const severe = await store.log.read(0, { limit: 10, filter: { severityMin: 'major' } })
      expect(severe.items.map(item => item.seq)).toEqual([5, 7])
    })
  })
}

async function followWhileAppending(
  newPlace: NewPlace,
  options: Parameters<StorePlace['open']>[0]
): Promise<void> {
  await using place = await newPlace()
  await using store = await place.open(options ?? {})
  const total = 6000
  let sent = 0
  const fill = () => {
    for (let turn = 0; turn < 37 && sent < total; turn++, sent++) store.log.append(event(`${sent + 1}`), null)
    if (sent < total) setImmediate(fill)
  }
  fill()
  const early = collect(store.log, 0)
  await eventually(() => store.log.bounds().last > 2000)
  const late = collect(store.log, 0)
  const middle = collect(store.log, 1234)
  await eventually(() => [early, late, middle].every(one => one.seqs.at(-1) === total))
  const all = Array.from({ length: total }, (_, index) => index + 1)
  expect(early.seqs).toEqual(all)
  expect(late.seqs).toEqual(all)
  expect(middle.seqs).toEqual(all.slice(1234))
  expect(late.texts).toEqual(all.map(String))
}

function collect(log: Log, after: number, onGap?: (gap: Gap) => void): { seqs: number[]; texts: string[] } {
  const seen = { seqs: [] as number[], texts: [] as string[] }
  log.follow(
    after,
    batch => {
      expect(batch.items[0]?.seq).toBe(batch.first)
      expect(batch.items.at(-1)?.seq).toBe(batch.last)
      for (const item of batch.items) {
        seen.seqs.push(item.seq)
        seen.texts.push(payloadText(item))
      }
    },
    onGap
  )
  return seen
}

async function manyOf(log: Log, seqs: number[]): Promise<{ seq: number; text: string }[]> {
  const found: { seq: number; text: string }[] = []
  await log.getMany(seqs, items => {
    expect(items.length).toBeGreaterThan(0)
    found.push(...items.map(item => ({ seq: item.seq, text: payloadText(item) })))
  })
  return found
}

function payloadText(item: Notification): string {
  return item.kind === 'event' ? Buffer.from(item.payload).toString() : ''
}

/** A form in which notifications from memory and from the database are equal. */
function plain(item: Draft | Notification): unknown {
  return JSON.parse(
    JSON.stringify(item, (_key, value: unknown) => {
      const bytes = value as { type?: string; data?: number[] }
      if (bytes?.type === 'Buffer') return bytes.data
      return value instanceof Uint8Array ? [...value] : value
    })
  )
}

function everyKind(): Draft[] {
  return [
    event('plain'),
    event('', { source: 'http', severity: 'critical', device: 'gerät-⚙', topic: 'straße/🚦/'.repeat(20) }),
    event('x'.repeat(300), { format: 'msgpack', source: 'tcp', deviceAt: -12.5 }),
    event('x'.repeat(70_000), { deviceAt: 1_700_000_000_000 }),
    event('mqtt', { mqtt: plainMqtt }),
    event('mqtt 5', {
      mqtt: {
        qos: 2,
        retain: true,
        session: 's',
        expiresAt: 1_700_000_999_999,
        properties: {
          payloadFormatIndicator: true,
          contentType: 'text/plain',
          responseTopic: 'answers',
          correlationData: Buffer.from([0, 255]),
          userProperties: [
            ['colour', 'red'],
            ['size', 'xl'],
            ['colour', 'blue'],
            ['__proto__', '10'],
            ['7', '']
          ]
        }
      }
    }),
    {
      kind: 'presence',
      device: 'pump-1',
      severity: 'warning',
      status: 'offline',
      reason: 'keepalive',
      session: 'abc',
      order: 12
    },
    {
      kind: 'alert',
      device: 'pump-1',
      severity: 'major',
      alert: 'a1',
      rule: 'hot',
      key: 'pump-1',
      state: 'acknowledged',
      change: 'acknowledged',
      firstAt: 1000,
      title: 'Too hot',
      detail: '',
      count: 3,
      cause: 'e-1',
      eventTopic: 'pumps/1/state',
      labels: { site: 'hall', unit: '°C' },
      runbook: 'https://wiki.example/pumps',
      actor: 'ada',
      comment: 'on my way'
    },
    {
      kind: 'delivery',
      device: '',
      severity: 'info',
      alert: 'a1',
      alerts: ['a1', 'a2'],
      delivery: 'n-1',
      channel: 'mail',
      attempt: 1,
      outcome: 'gave-up',
      detail: 'refused',
      cause: 'e-2'
    }
  ]
}
