// Silences: which alerts they hold back and when, and that a restart changes nothing.
import { describe, expect, test } from '@jest/globals'
import { silenceJson } from '../../../gateway/alerts/silence.ts'
import { Silences } from '../../../gateway/alerts/silences.ts'
import type { SilenceDraft } from '../../../gateway/alerts/silences.ts'
import { alert } from './alerts.ts'
import { BookPlace } from './book-place.ts'

const KEEP_MS = 60_000

function load({ store: { tables }, ledger, agenda }: BookPlace, silencesMax = 3): Promise<Silences> {
  return Silences.load({ tables, ledger, agenda, settings: { silencesMax, keepResolvedMs: KEEP_MS } })
}

function draft(overrides: Partial<SilenceDraft> = {}): SilenceDraft {
  return {
    match: { rules: ['freezer-*'] },
    from: 1000,
    until: 5000,
    comment: 'defrosting',
    author: 'ada',
    ...overrides
  }
}

describe('a silence', () => {
  test('holds from its beginning up to its end, for the alerts it matches', async () => {
    await using place = await BookPlace.open()
    const silences = await load(place)
    silences.add(draft(), 0)
    const holds = (at: number) => silences.silenceOf(alert(), at)?.id ?? null
    expect([999, 1000, 4999, 5000].map(holds)).toEqual([null, 's1', 's1', null])
    expect(silences.silenceOf(alert({ rule: 'door' }), 2000)).toBeNull()
  })

  test('can be ended before its time, or before it begins, and is kept with who did it', async () => {
    await using place = await BookPlace.open()
    const silences = await load(place)
    silences.add(draft(), 0)
    silences.add(draft({ from: 3000 }), 0)
    await place.until(2000)
    expect(silences.end('s1', 2000, 'bob')).toMatchObject({
      changed: true,
      silence: { until: 2000, ended: { at: 2000, actor: 'bob' } }
    })
    expect(silences.end('s2', 2000, 'bob')).toMatchObject({ changed: true, silence: { from: 2000 } })
    expect(silences.end('s2', 2500, 'eve')).toMatchObject({ changed: false, silence: { until: 2000 } })
    expect(silences.end('s3', 2500, 'eve')).toEqual({ ok: false, code: 'silence-unknown' })
    expect([2000, 3500].map(at => silences.silenceOf(alert(), at))).toEqual([null, null])
  })

  test('says when it is added, begins and is over, once each', async () => {
    await using place = await BookPlace.open()
    const silences = await load(place)
    const told: number[] = []
    silences.onChange(at => told.push(at))
    silences.add(draft(), 10)
    silences.add(draft({ from: 20, until: 3000 }), 20)
    await place.until(2000)
    silences.end('s2', 2000, 'bob')
    await place.until(4999)
    expect(told).toEqual([10, 20, 20, 1000, 2000])
    await place.until(5000)
    expect(told.slice(5)).toEqual([5000])
  })

  test('is refused beyond the most that may be current, those that are over do not count', async () => {
    await using place = await BookPlace.open()
    const silences = await load(place, 2)
    const add = () => silences.add(draft(), 0).ok
    expect([add(), add(), add()]).toEqual([true, true, false])
    await place.until(5000)
    expect(add()).toBe(true)
  })

  test('is the same after a restart, and deleted a while after its end; its number is not given again', async () => {
    await using place = await BookPlace.open()
    let silences = await load(place, 100)
    for (let n = 1; n <= 11; n++) silences.add(draft({ until: 5000 + n }), 0)
    silences.end('s11', 0, 'bob')
    const before = silences.list()
    await place.restart()
    silences = await load(place, 100)
    expect(silences.list()).toEqual(before)
    expect(before.map(({ id }) => id).slice(0, 3)).toEqual(['s11', 's10', 's9'])
    expect(silences.silenceOf(alert(), 2000)?.id).toBe('s1')
    await place.until(KEEP_MS - 1)
    expect(silences.list()).toHaveLength(11)
    await place.until(5001 + KEEP_MS)
    expect(silences.list().map(({ id }) => id)).not.toContain('s1')
    expect(silences.get('s11')).toBeUndefined()
    await place.until(6000 + KEEP_MS)
    await place.restart()
    silences = await load(place, 100)
    expect(silences.list()).toEqual([])
    expect(silences.add(draft(), 0)).toMatchObject({ silence: { id: 's12' } })
  })

  test('is shown with its state and times', async () => {
    await using place = await BookPlace.open()
    const silences = await load(place)
    const added = silences.add(draft(), 0)
    if (!added.ok) throw new Error(added.code)
    expect([0, 1000, 5000].map(at => silenceJson(added.silence, at)['state'])).toEqual([
      'pending',
      'active',
      'ended'
    ])
    expect(silenceJson(added.silence, 0)).toMatchObject({
      id: 's1',
      from: '1970-01-01T00:00:01.000Z',
      ended: null
    })
  })
})
