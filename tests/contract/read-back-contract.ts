// What every engine's log must do when it is read towards its beginning.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { kinds, severities } from '../../store/notification.ts'
import type { Draft } from '../../store/notification.ts'
import type { Filter, Log, ReadOptions } from '../../store/store.ts'
import { eventually } from '../helpers/eventually.ts'
import { appendMixture } from './mixture.ts'
import { appended, appendOneByOne, event } from './store-place.ts'
import type { NewPlace } from './store-place.ts'

const noMemory = { recentBytesMax: 0 } // so that every read comes from the database

export function readBackContract(newPlace: NewPlace): void {
  describe.each([
    ['from memory', {}],
    ['from the database', noMemory],
    ['from both', { recentBytesMax: 4000 }]
  ])('read back %s', (_, options) => {
    test('pages through everything, newest first', async () => {
      await using place = await newPlace()
      await using store = await place.open(options)
      await appendOneByOne(store.log, 25)
      const { seqs, pages } = await readAllBack(store.log, 26, { limit: 10 })
      expect(seqs).toEqual(falling(25, 1))
      expect(pages.at(-1)).toEqual({ next: 1, more: false })
      expect(pages.slice(0, -1).every(({ more }) => more)).toBe(true)
    })

    test('begins strictly before a place, and at the end for one beyond it', async () => {
      await using place = await newPlace()
      await using store = await place.open(options)
      await appendOneByOne(store.log, 25)
      const seqs = async (before: number) => (await readAllBack(store.log, before, { limit: 100 })).seqs
      expect(await seqs(13)).toEqual(falling(12, 1))
      expect(await seqs(2)).toEqual([1])
      for (const beyond of [26, 27, 1_000_000, Number.POSITIVE_INFINITY])
        expect(await seqs(beyond)).toEqual(falling(25, 1))
      for (const start of [1, 0])
        expect(await store.log.readBack(start, { limit: 10 })).toEqual({
          items: [],
          next: start,
          more: false,
          gap: null
        })
    })

    test('stops and goes on inside a block', async () => {
      await using place = await newPlace()
      await using store = await place.open(options)
      await appendTogether(
        store.log,
        Array.from({ length: 60 }, (__, index) => event(`${index + 1}`))
      )
      expect(await store.blocks()).toBeLessThan(5)
      for (const limit of [1, 7, 60, 61])
        expect((await readAllBack(store.log, 61, { limit })).seqs).toEqual(falling(60, 1))
      const page = await store.log.readBack(40, { limit: 7 })
      expect(page.items.map(item => item.kind === 'event' && Buffer.from(item.payload).toString())).toEqual(
        falling(39, 33).map(String)
      )
      expect(page).toMatchObject({ next: 33, more: true })
    })

    test('returns what passes the filter, and moves on past what does not', async () => {
      await using place = await newPlace()
      await using store = await place.open(options)
      await appendMixture(store.log)
      const find = async (filter: Filter, before = 8) =>
        (await readAllBack(store.log, before, { limit: 100, filter })).seqs
      expect(await find({ devices: ['pump-2', 'pump-9'] })).toEqual([7, 2])
      expect(await find({ devices: ['pump-2', 'pump-9'] }, 7)).toEqual([2])
      expect(await find({ topics: ['pumps/+/state'] })).toEqual([7, 2, 1])
      expect(await find({ topics: ['pumps/1/#', 'doors/#'] })).toEqual([3, 1])
      expect(await find({ kinds: ['presence', 'alert'] })).toEqual([5, 4])
      expect(await find({ severityMin: 'major', kinds: ['event'] })).toEqual([7])
      expect(await find({ topics: ['#'], kinds: ['alert'] })).toEqual([])
      const { pages } = await readAllBack(store.log, 8, { limit: 100, filter: { devices: ['unheard-of'] } })
      expect(pages.at(-1)).toEqual({ next: 1, more: false })
    })

    test('keeps to the limit of bytes, but returns at least one', async () => {
      await using place = await newPlace()
      await using store = await place.open(options)
      await appendTogether(store.log, [
        event('first'),
        ...Array.from({ length: 10 }, () => event('x'.repeat(1000)))
      ])
      const some = await store.log.readBack(12, { limit: 100, bytesMax: 3500 })
      expect(some.items.map(item => item.seq)).toEqual([11, 10, 9])
      expect(some).toMatchObject({ next: 9, more: true })
      const one = await store.log.readBack(9, { limit: 100, bytesMax: 10 })
      expect(one.items.map(item => item.seq)).toEqual([8])
      expect((await readAllBack(store.log, 12, { limit: 100, bytesMax: 2500 })).seqs).toEqual(falling(11, 1))
    })

    test('finds nothing in an empty log', async () => {
      await using place = await newPlace()
      await using store = await place.open(options)
      for (const before of [0, 1, 7])
        expect(await store.log.readBack(before, { limit: 10 })).toMatchObject({ items: [], more: false })
    })

    test('does bounded work in one read, and says that there is more', async () => {
      await using place = await newPlace()
      await using store = await place.open(options)
      await appendTogether(store.log, [
        event('wanted', { device: 'rare' }),
        ...Array.from({ length: 40_000 }, () => event('x'))
      ])
      const { log } = store
      const opened = await log.readBack(40_002, { limit: 1, filter: { topics: ['no/such/topic'] } })
      expect(opened).toMatchObject({ items: [], more: true })
      expect(opened.next).toBeGreaterThan(1)
      expect(opened.next).toBeLessThan(40_001)
      const rare = await readAllBack(log, 40_002, { limit: 1, filter: { devices: ['rare'] } })
      expect(rare.seqs).toEqual([1])
      expect(rare.pages.length).toBeLessThan(5) // by the summaries: opening all takes more
    })
  })

  describe('read back', () => {
    test('ends where retention has come to', async () => {
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
      {
        const options = { maintenanceMs: 100, retentionAgeMs: 60_000, now: () => now }
        await using store = await place.open(options)
        await eventually(() => store.log.bounds().first === 11)
        expect((await readAllBack(store.log, 21, { limit: 3 })).seqs).toEqual(falling(20, 11))
        const last = await store.log.readBack(15, { limit: 4 })
        expect(last.items.map(item => item.seq)).toEqual(falling(14, 11))
        expect(last).toMatchObject({ next: 11, more: false })
        for (const gone of [11, 5])
          expect(await store.log.readBack(gone, { limit: 10 })).toEqual({
            items: [],
            next: gone,
            more: false,
            gap: null
          })
        now += 60_000
        await eventually(() => store.log.bounds().first === 21, { what: 'removal of everything' })
        expect(await store.log.readBack(21, { limit: 10 })).toMatchObject({
          items: [],
          next: 21,
          more: false
        })
      }
      await using again = await place.open()
      await appended(again.log, event('on'))
      expect((await readAllBack(again.log, 22, { limit: 10 })).seqs).toEqual([21])
    })

    test('does not notice that blocks are merged', async () => {
      await using place = await newPlace()
      await using store = await place.open({ maintenanceMs: 100, ...noMemory })
      await appendMixture(store.log)
      await appendOneByOne(store.log, 60, index => event(`${index}`, { device: `meter-${index}` }))
      const before = await store.log.readBack(40, { limit: 5 })
      await eventually(async () => (await store.blocks()) < 10)
      expect((await readAllBack(store.log, 68, { limit: 9 })).seqs).toEqual(falling(67, 1))
      expect(await store.log.readBack(40, { limit: 5 })).toEqual(before)
      const found = await store.log.readBack(68, { limit: 10, filter: { devices: ['meter-33'] } })
      expect(found.items.map(item => item.seq)).toEqual([40])
      const severe = await store.log.readBack(68, { limit: 10, filter: { severityMin: 'major' } })
      expect(severe.items.map(item => item.seq)).toEqual([7, 5])
    })

    test('agrees with reading forward, whatever is asked for', async () => {
      await fc.assert(
        fc.asyncProperty(someGroups, someOptions, someReads, async (groups, options, reads) => {
          await using place = await newPlace()
          await using store = await place.open(options)
          for (const group of groups) await appendTogether(store.log, group)
          const last = groups.flat().length
          for (const { before, limit, bytesMax, filter } of reads) {
            const whole = await readAll(store.log, filter)
            const { seqs } = await readAllBack(store.log, before, { limit, bytesMax, filter })
            expect(seqs).toEqual(whole.filter(seq => seq < before).toReversed())
          }
          expect(store.log.bounds().last).toBe(last)
        }),
        { numRuns: 8, endOnFailure: true } // opening a store takes longer than all reads of one
      )
    })
  })
}

const device = fc.constantFrom('pump-1', 'pump-2', 'door-1')
const topic = fc.constantFrom('pumps/1', 'pumps/2', 'doors/1')
const severity = fc.constantFrom(...severities)
const someDraft: fc.Arbitrary<Draft> = fc.oneof(
  fc
    .record({ device, topic, severity, bytes: fc.nat(300) })
    .map(({ bytes, ...rest }) => event('x'.repeat(bytes), rest)),
  fc.record({ device, severity, order: fc.nat(9) }).map(rest => ({
    ...rest,
    kind: 'presence' as const,
    status: 'online' as const,
    reason: 'connect',
    session: 's'
  }))
)
const someGroups = fc.array(fc.array(someDraft, { minLength: 1, maxLength: 12 }), { maxLength: 20 })
const someOptions = fc.record({
  recentBytesMax: fc.constantFrom(0, 1500, 1_000_000),
  maintenanceMs: fc.constantFrom(5, 3_600_000)
})
const someList = <Term>(term: fc.Arbitrary<Term>) => fc.uniqueArray(term, { minLength: 1, maxLength: 2 })
const someFilter: fc.Arbitrary<Filter> = fc.record(
  {
    devices: someList(device),
    topics: someList(fc.constantFrom('pumps/+', 'doors/1', '#', 'none')),
    kinds: someList(fc.constantFrom(...kinds)),
    severityMin: severity
  },
  { requiredKeys: [] }
)
const someReads = fc.array(
  fc.record({
    before: fc.nat(110),
    limit: fc.integer({ min: 1, max: 40 }),
    bytesMax: fc.constantFrom(1, 700, 1_000_000),
    filter: someFilter
  }),
  { minLength: 30, maxLength: 40 }
)

/** Appends in one turn of the event loop, so that many share a block; resolves when all are durable. */
async function appendTogether(log: Log, drafts: readonly Draft[]): Promise<void> {
  let last: Promise<void> | null = null
  for (const draft of drafts) {
    if (draft === drafts.at(-1)) last = appended(log, draft)
    else log.append(draft, null)
  }
  await last
}

async function readAll(log: Log, filter: Filter): Promise<number[]> {
  const seqs: number[] = []
  for (let after = 0, more = true; more;) {
    const page = await log.read(after, { limit: 1000, filter })
    seqs.push(...page.items.map(item => item.seq))
    ;({ next: after, more } = page)
  }
  return seqs
}

/** Reads back page by page until there is no more. */
async function readAllBack(
  log: Log,
  from: number,
  options: ReadOptions
): Promise<{ seqs: number[]; pages: { next: number; more: boolean }[] }> {
  const seqs: number[] = []
  const pages: { next: number; more: boolean }[] = []
  for (let before = from, more = true; more;) {
    const page = await log.readBack(before, options)
    expect(page.items.length).toBeLessThanOrEqual(options.limit)
    expect(page.next).toBeLessThanOrEqual(page.more ? before - 1 : before)
    expect(page.gap).toBeNull() // nothing but damage makes one: what retention took was to come last
    seqs.push(...page.items.map(item => item.seq))
    ;({ next: before, more } = page)
    pages.push({ next: before, more })
  }
  return { seqs, pages }
}

function falling(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, index) => from - index)
}
