// "Why was nobody told?": all that is known of an alert, along its causes.
import { describe, expect, test } from '@jest/globals'
import { alertJson } from '../../../gateway/alerts/alert-json.ts'
import { storyOf } from '../../../gateway/alerts/alert-story.ts'
import type { DeliveryDraft } from '../../../store/notification.ts'
import { eventually } from '../../helpers/eventually.ts'
import { appendOne, event } from '../harness.ts'
import { alert, raiseOf } from './alerts.ts'
import { BookPlace } from './book-place.ts'

function delivery(overrides: Partial<DeliveryDraft> = {}): DeliveryDraft {
  return {
    kind: 'delivery',
    device: 'freezer-1',
    severity: 'major',
    alert: 'a1',
    delivery: 'n1',
    channel: 'duty',
    attempt: 1,
    outcome: 'failed',
    detail: 'no answer',
    cause: '',
    ...overrides
  }
}

function tell(place: BookPlace, id: string, entriesMax?: number) {
  const { store, book } = place
  const sources = { tables: store.tables, log: store.log, book }
  return storyOf(id, entriesMax === undefined ? sources : { ...sources, entriesMax })
}

async function storyAs(place: BookPlace, id: string, entriesMax?: number) {
  const story = await tell(place, id, entriesMax)
  if (story === null) throw new Error(`no alert ${id}`)
  return { ...story, told: story.entries.map(entry => entry['change'] ?? entry['outcome']) }
}

describe('the story of an alert', () => {
  test('goes from its event by its changes and deliveries to its end', async () => {
    await using place = await BookPlace.open()
    await appendOne(place.store, event({ device: 'freezer-1', payload: Buffer.from('{"celsius":-12}') }))
    place.book.raise(raiseOf({ causeSeq: 1 }))
    place.book.raise(raiseOf({ key: 'other' }))
    await place.ledger.durable()
    await appendOne(place.store, delivery())
    await appendOne(place.store, delivery({ attempt: 2, outcome: 'sent', alert: 'a2', alerts: ['a2', 'a1'] }))
    place.book.acknowledge('a1', { at: 5000, actor: 'ada', comment: 'on my way' })
    place.book.resolve('a1', { at: 6000, actor: 'ada', comment: '' })
    await place.ledger.durable()
    const story = await storyAs(place, 'a1')
    expect(story).toMatchObject({
      alert: {
        id: 'a1',
        state: 'resolved',
        firstAt: '1970-01-01T00:00:01.000Z',
        acknowledged: { at: '1970-01-01T00:00:05.000Z', actor: 'ada', comment: 'on my way' },
        resolved: { at: '1970-01-01T00:00:06.000Z', actor: 'ada', comment: '' }
      },
      cause: { kind: 'event', cursor: place.book.cursorOf(1), payload: { celsius: -12 } },
      causeGone: false,
      gone: 0,
      truncated: false
    })
    expect(story.told).toEqual(['raised', 'failed', 'sent', 'acknowledged', 'resolved'])
    expect(story.entries[0]).toMatchObject({ kind: 'alert', cause: place.book.cursorOf(1) })
    expect(await storyAs(place, 'a2')).toMatchObject({ cause: null, told: ['raised', 'sent'] })
  })

  test('is none of an alert that there is not', async () => {
    await using place = await BookPlace.open()
    expect(await tell(place, 'a1')).toBeNull()
  })

  test('that is too long shows what is newest, and says so', async () => {
    await using place = await BookPlace.open()
    place.book.raise(raiseOf())
    await place.ledger.durable()
    for (let attempt = 1; attempt <= 40; attempt++) await appendOne(place.store, delivery({ attempt }))
    const story = await storyAs(place, 'a1', 39)
    expect(story.truncated).toBe(true)
    expect(story.entries.map(entry => entry['attempt'])).toEqual(Array.from({ length: 39 }, (_, n) => n + 2))
    expect((await storyAs(place, 'a1', 41)).truncated).toBe(false)
  })

  test('says what retention took', async () => {
    await using place = await BookPlace.open({
      store: { retentionBytesMax: 20_000, maintenanceMs: 20, recentBytesMax: 0 }
    })
    await appendOne(place.store, event())
    place.book.raise(raiseOf({ causeSeq: 1 }))
    await place.ledger.durable()
    for (let n = 0; n < 60; n++) await appendOne(place.store, event({ payload: Buffer.alloc(1000, n) }))
    await eventually(() => place.store.log.bounds().first > 2, { what: 'retention' })
    place.book.acknowledge('a1', { at: 5000, actor: 'ada', comment: '' })
    await place.ledger.durable()
    expect(await storyAs(place, 'a1')).toMatchObject({
      cause: null,
      causeGone: true,
      gone: 1,
      told: ['acknowledged'],
      truncated: false
    })
  })
})

test('an alert is shown with RFC 3339 times and without what is nobody’s matter', () => {
  expect(alertJson(alert({ flapping: true }))).toEqual({
    id: 'a1',
    origin: 'rule',
    rule: 'freezer-too-warm',
    key: 'freezer-1',
    device: 'freezer-1',
    eventTopic: 'site/hall/freezer/1/temperature',
    labels: { site: 'hall' },
    state: 'firing',
    severity: 'major',
    title: 'freezer-1 is at -12 °C',
    detail: '',
    runbook: '',
    count: 1,
    firstAt: '1970-01-01T00:00:01.000Z',
    lastAt: '1970-01-01T00:00:01.000Z',
    changedAt: '1970-01-01T00:00:01.000Z',
    acknowledged: null,
    resolved: null,
    flapping: true
  })
})
