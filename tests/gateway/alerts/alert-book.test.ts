// What happens to alerts, and that it is the same after a restart.
import { describe, expect, test } from '@jest/globals'
import { alertOfRow } from '../../../gateway/alerts/alert-row.ts'
import type { AlertBook } from '../../../gateway/alerts/alert-book.ts'
import { eventually } from '../../helpers/eventually.ts'
import { appendOne, event } from '../harness.ts'
import { raiseOf } from './alerts.ts'
import { BookPlace } from './book-place.ts'

const MINUTE = 60_000
const by = { at: 5000, actor: 'ada', comment: 'I look at it' }
const end = { rule: 'freezer-too-warm', key: 'freezer-1', causeSeq: 0 }
const flapping = { count: 3, withinMs: 10 * MINUTE }

/** Copies, because the book goes on with its own. */
function copies(book: AlertBook): object[] {
  return [...book.open()].map(alert => structuredClone(alert))
}

describe('an alert', () => {
  test('is opened once for a rule and key, with a notification that points at its cause', async () => {
    await using place = await BookPlace.open()
    await appendOne(place.store, event())
    const raised = place.book.raise(raiseOf({ causeSeq: 1, runbook: 'https://wiki.example/x' }))
    expect(raised).toMatchObject({ id: 'a1', state: 'firing', count: 1, firstAt: 1000, flapping: false })
    expect(place.book.isOpen('freezer-too-warm', 'freezer-1')).toBe(true)
    expect(place.book.isOpen('freezer-too-warm', 'freezer-2')).toBe(false)
    const [, told] = await place.notifications()
    expect(told).toMatchObject({
      kind: 'alert',
      alert: 'a1',
      change: 'raised',
      state: 'firing',
      device: 'freezer-1',
      severity: 'major',
      cause: place.book.cursorOf(1),
      eventTopic: 'site/hall/freezer/1/temperature',
      labels: { site: 'hall' },
      runbook: 'https://wiki.example/x'
    })
    expect(told).not.toHaveProperty('actor')
  })

  test('that is raised again counts, says what is newest, and tells it only now and then', async () => {
    await using place = await BookPlace.open()
    for (const at of [0, 1000, 59_000, 60_000, 61_000, 121_000])
      place.book.raise(raiseOf({ at, title: `at ${at}`, labels: { site: at === 0 ? 'hall' : 'yard' } }))
    expect(place.book.byId('a1')).toMatchObject({
      count: 6,
      firstAt: 0,
      lastAt: 121_000,
      changedAt: 0,
      title: 'at 121000',
      labels: { site: 'hall' }
    })
    expect((await place.alertNotifications()).map(({ change, count }) => [change, count])).toEqual([
      ['raised', 1],
      ['repeated', 4],
      ['repeated', 6]
    ])
  })

  test('whose severity changes tells so at once', async () => {
    await using place = await BookPlace.open()
    place.book.raise(raiseOf())
    place.book.raise(raiseOf({ severity: 'critical', at: 1500 }))
    place.book.raise(raiseOf({ severity: 'minor', at: 1600 }))
    expect((await place.alertNotifications()).map(({ change, severity }) => [change, severity])).toEqual([
      ['raised', 'major'],
      ['severity', 'critical'],
      ['severity', 'minor']
    ])
    expect(place.book.byId('a1')).toMatchObject({ severity: 'minor', changedAt: 1600 })
  })

  test('that is acknowledged stays so, keeps who was first, and tells no repetitions', async () => {
    await using place = await BookPlace.open()
    place.book.raise(raiseOf())
    expect(place.book.acknowledge('a1', by)).toMatchObject({ ok: true, changed: true })
    expect(place.book.acknowledge('a1', { ...by, actor: 'bob' })).toMatchObject({ ok: true, changed: false })
    place.book.raise(raiseOf({ at: 10 * MINUTE }))
    expect(place.book.byId('a1')).toMatchObject({ state: 'acknowledged', count: 2, acknowledged: by })
    const told = await place.alertNotifications()
    expect(told.map(({ change }) => change)).toEqual(['raised', 'acknowledged'])
    expect(told[1]).toMatchObject({ state: 'acknowledged', actor: 'ada', comment: 'I look at it', cause: '' })
  })

  test('that is resolved is final: the same key opens another', async () => {
    await using place = await BookPlace.open()
    place.book.raise(raiseOf())
    expect(place.book.clear({ ...end, at: 2000, detail: 'cold again' })?.state).toBe('resolved')
    expect(place.book.clear({ ...end, at: 2500 })).toBeNull()
    expect(place.book.byId('a1')).toBeUndefined()
    expect(place.book.raise(raiseOf({ at: 3000 }))?.id).toBe('a2')
    expect(place.book.resolve('a2', by)).toMatchObject({ ok: true, changed: true })
    expect(await place.changes()).toEqual(['a1 raised', 'a1 resolved', 'a2 raised', 'a2 resolved'])
    const rows = await place.store.tables.alerts({ limit: 10 })
    expect(rows.map(alertOfRow)).toMatchObject([
      { id: 'a2', state: 'resolved', resolved: by, changedAt: 5000 },
      { id: 'a1', state: 'resolved', resolved: { at: 2000, actor: '', comment: 'cold again' } }
    ])
  })

  test('that is not open can’t be changed, and it is said whether it ever was', async () => {
    await using place = await BookPlace.open()
    place.book.raise(raiseOf())
    place.book.resolve('a1', by)
    expect(place.book.resolve('a1', by)).toEqual({ ok: false, code: 'alert-resolved' })
    expect(place.book.acknowledge('a1', by)).toEqual({ ok: false, code: 'alert-resolved' })
    for (const id of ['a2', 'a0', 'a01', 'x', ''])
      expect(place.book.acknowledge(id, by)).toEqual({ ok: false, code: 'alert-unknown' })
  })

  test('is not opened beyond the most that may be open, and others go on', async () => {
    await using place = await BookPlace.open({ settings: { openMax: 2 } })
    const keys = ['a', 'b', 'c', 'a'].map(key => place.book.raise(raiseOf({ key }))?.id ?? null)
    expect(keys).toEqual(['a1', 'a2', null, 'a1'])
    place.book.resolve('a2', by)
    expect(place.book.raise(raiseOf({ key: 'c' }))?.id).toBe('a3')
    expect(await place.metric('tocsin_alerts_refused_total')).toBe(1)
    expect(await place.metric('tocsin_alerts_open', { severity: 'major', state: 'firing' })).toBe(2)
    expect(await place.metric('tocsin_alerts_open', { severity: 'info', state: 'acknowledged' })).toBe(0)
    expect(await place.metric('tocsin_alerts_changes_total', { change: 'raised' })).toBe(3)
  })

  test('is told to listeners with each notification and its cause', async () => {
    await using place = await BookPlace.open()
    const heard: unknown[] = []
    place.book.onChange(({ id, state }, change, causeSeq) => heard.push([id, state, change, causeSeq]))
    place.book.raise(raiseOf({ causeSeq: 7 }))
    place.book.raise(raiseOf({ causeSeq: 8, at: 1001 }))
    place.book.clear({ ...end, at: 2000, causeSeq: 9 })
    expect(heard).toEqual([
      ['a1', 'firing', 'raised', 7],
      ['a1', 'resolved', 'resolved', 9]
    ])
  })

  test('knows its newest notification, also when that tells its end', async () => {
    await using place = await BookPlace.open()
    const { book } = place
    const note = async () => (await place.alertNotifications()).forEach(item => book.noted(item))
    book.raise(raiseOf({ causeSeq: 5 }))
    expect(book.lastSeq('a1')).toBe(5)
    await note()
    expect(book.lastSeq('a1')).toBe(1)
    book.resolve('a1', by)
    expect(book.lastSeq('a1')).toBe(1)
    await note()
    expect(book.lastSeq('a1')).toBe(2)
    expect([book.lastSeq('a9'), book.cursorOf(0)]).toEqual([0, ''])
  })
})

describe('an alert that fires and clears again and again', () => {
  async function flap(place: BookPlace, times: number[]): Promise<void> {
    for (const at of times) {
      place.book.raise(raiseOf({ at, flapping }))
      place.book.clear({ ...end, at: at + 1000, detail: 'closed' })
    }
    await place.ledger.durable()
  }

  test('is held as one until it has been clear for a while', async () => {
    await using place = await BookPlace.open()
    await flap(place, [0, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE])
    const changes = ['a1 raised', 'a1 resolved', 'a2 raised', 'a2 resolved', 'a3 raised', 'a3 flapping']
    expect(await place.changes()).toEqual([...changes, 'a3 repeated', 'a3 repeated'])
    expect(place.book.byId('a3')).toMatchObject({ flapping: true, count: 3, state: 'firing' })
    await place.until(14 * MINUTE + 999)
    expect(place.book.byId('a3')).toBeDefined()
    await place.until(14 * MINUTE + 1000)
    expect(place.book.byId('a3')).toBeUndefined()
    expect((await place.alertNotifications()).at(-1)).toMatchObject({
      change: 'resolved',
      count: 3,
      comment: 'closed'
    })
  })

  test('is not called so when it takes its time, or where its rule knows none of it', async () => {
    await using place = await BookPlace.open()
    await flap(place, [0, 6 * MINUTE, 12 * MINUTE, 18 * MINUTE])
    for (const at of [1, 2, 3, 4].map(n => 20 * MINUTE + n)) {
      place.book.raise(raiseOf({ key: 'other', at }))
      place.book.clear({ ...end, key: 'other', at })
    }
    expect([...place.book.open()]).toEqual([])
    expect(await place.changes()).not.toContain('a3 flapping')
  })

  test('is ended at once by a person', async () => {
    await using place = await BookPlace.open()
    await flap(place, [0, 1, 2])
    expect(place.book.resolve('a3', by)).toMatchObject({ ok: true, alert: { resolved: by } })
    await place.until(60 * MINUTE)
    expect((await place.changes()).filter(change => change === 'a3 resolved')).toHaveLength(1)
  })

  test('is so after a restart: counted before, held, and ended in time', async () => {
    await using place = await BookPlace.open()
    await flap(place, [0, MINUTE])
    await place.restart()
    await flap(place, [2 * MINUTE])
    expect(place.book.byId('a3')).toMatchObject({ flapping: true })
    await place.restart()
    await place.until(12 * MINUTE + 999)
    expect(place.book.byId('a3')).toMatchObject({ flapping: true })
    await place.until(12 * MINUTE + 1000)
    expect(place.book.byId('a3')).toBeUndefined()
    await place.until(60 * MINUTE)
    await place.ledger.durable()
    const rows: string[] = []
    await place.store.tables.state('flapping', page => void rows.push(...page.map(({ key }) => key)))
    expect(rows).toEqual([])
  })
})

describe('the book', () => {
  test('is the same after a restart, and counts on', async () => {
    await using place = await BookPlace.open()
    for (const key of ['x', 'y', 'z']) place.book.raise(raiseOf({ key, causeSeq: 3 }))
    place.book.acknowledge('a2', by)
    place.book.resolve('a1', by)
    place.book.raise(raiseOf({ key: 'z', at: 30_000, detail: 'newest' }))
    const before = copies(place.book)
    await place.restart()
    expect(copies(place.book)).toEqual(before)
    expect(place.book.find('freezer-too-warm', 'z')).toMatchObject({ count: 2, detail: 'newest' })
    expect(place.book.openCount('freezer-too-warm')).toBe(2)
    expect(place.book.resolve('a1', by)).toEqual({ ok: false, code: 'alert-resolved' })
    place.book.raise(raiseOf({ key: 'z', at: 60_000 }))
    expect((await place.changes()).at(-1)).toBe('a1 resolved')
    place.book.raise(raiseOf({ key: 'z', at: 61_000 }))
    expect((await place.changes()).at(-1)).toBe('a3 repeated')
    expect(place.book.raise(raiseOf({ key: 'new' }))?.id).toBe('a4')
  })

  test('saves repetitions lazily, and all that is unsaved with the next thing that is told', async () => {
    await using place = await BookPlace.open()
    place.book.raise(raiseOf())
    await place.ledger.durable()
    const saved = async () => {
      const row = await place.store.tables.alert('a1')
      return row && alertOfRow(row).count
    }
    place.book.raise(raiseOf({ at: 1001 }))
    expect(await saved()).toBe(1)
    place.book.raise(raiseOf({ key: 'other' }))
    await place.ledger.durable()
    expect(await saved()).toBe(2)
  })

  test('forgets alerts that were resolved long ago, but never gives a number twice', async () => {
    await using place = await BookPlace.open({ settings: { keepResolvedMs: 60 * MINUTE } })
    for (let number = 1; number <= 450; number++) {
      place.book.raise(raiseOf({ key: String(number) }))
      if (number > 1) place.book.resolve(`a${number}`, by)
    }
    await place.ledger.durable()
    const kept = async () => (await place.store.tables.alerts({ limit: 1000 })).map(({ id }) => id)
    for (let minute = 0; minute < 61; minute += 5) await place.until(minute * MINUTE)
    expect(await kept()).toHaveLength(450)
    let at = 61 * MINUTE
    await eventually(async () => {
      await place.until((at += MINUTE)) // old ones are looked for while time goes on
      return (await kept()).length <= 2
    })
    expect(await kept()).toEqual(['a450', 'a1'])
    await place.restart()
    expect(place.book.raise(raiseOf({ key: 'next' }))?.id).toBe('a451')
  })
})
