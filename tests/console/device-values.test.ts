// What a device sent, in words and as series to draw.
import { describe, expect, test } from '@jest/globals'
import type { Alert, EventNotification, LastEvent } from '../../console/src/api/shapes.ts'
import type { SubscriptionListener } from '../../console/src/feed/feed-connection.ts'
import type { BackwardPlace } from '../../console/src/feed/feed-follower.ts'
import { spansOf } from '../../console/src/views/devices/alert-spans.ts'
import { addressOfDeviceQuery, deviceQueryOfAddress } from '../../console/src/views/devices/device-query.ts'
import { lastValuesText } from '../../console/src/views/devices/last-values.ts'
import { ValueFollower } from '../../console/src/views/devices/value-follower.ts'
import { ValueSeriesSet } from '../../console/src/views/devices/value-series.ts'

function eventOf(at: number, payload: unknown, topic = 'climate'): EventNotification {
  return {
    kind: 'event',
    cursor: `c${at}`,
    at,
    device: 'd',
    severity: 'info',
    topic,
    payload,
    source: 'mqtt'
  }
}

function lastOf(payload: unknown, more: Partial<LastEvent> = {}): LastEvent {
  return { cursor: 'c', at: 1, topic: 't', payload, ...more }
}

describe('the last values of a device', () => {
  test.each([
    [{ celsius: 21.4, humidity: 40 }, 'celsius 21.4 · humidity 40'],
    [{ door: 'open', battery: 3.29871 }, 'battery 3.3 · door open'],
    [{ air: { co2: 0.000412345 }, ok: true }, 'air.co2 0.000412 · ok true'],
    [{ at: 1790000000000 }, 'at 1790000000000'],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5 }, 'a 1 · b 2 · c 3 · d 4 · …'],
    [21.456, '21.46'],
    ['it  is\nopen', 'it is open'],
    [[1, 2], '[1,2]'],
    [{}, '{}'],
    [null, 'null']
  ])('%j is short', (payload, text) => {
    expect(lastValuesText(lastOf(payload))).toBe(text)
  })

  test('are not looked for in bytes, nor in what was left out', () => {
    expect(lastValuesText(lastOf('AAEC', { encoding: 'base64' }))).toBe('AAEC')
    expect(lastValuesText({ cursor: 'c', at: 1, topic: 't', truncated: true })).toBe('A large payload')
  })
})

describe('series of values', () => {
  test('are one for each topic and field', () => {
    const set = new ValueSeriesSet()
    set.add([
      eventOf(1, { celsius: 20, door: 'open' }),
      eventOf(2, { celsius: 21, air: { co2: 400 } }),
      eventOf(3, 5, 'fan')
    ])
    expect(set.all).toEqual([
      { topic: 'climate', field: 'air.co2', times: [2], values: [400] },
      { topic: 'climate', field: 'celsius', times: [1, 2], values: [20, 21] },
      { topic: 'fan', field: 'value', times: [3], values: [5] }
    ])
  })

  test('keep the newest values, and say how many fields have no room', () => {
    const set = new ValueSeriesSet({ seriesMax: 2, pointsMax: 100 })
    for (let at = 1; at <= 1000; at++) set.add([eventOf(at, { a: at, b: 1, c: 1, d: 1 })])
    const [a] = set.all
    expect(set.all.map(({ field }) => field)).toEqual(['a', 'b'])
    expect(set.leftOut).toBe(2)
    expect(a?.times.length).toBeLessThanOrEqual(125)
    expect(a?.values.at(-1)).toBe(1000)
    expect(a?.times).toEqual(a?.values)
  })
})

describe('a follower of values', () => {
  /** A feed that is driven by hand, and a past of these events. */
  function startFollower(past: readonly EventNotification[]) {
    let listener: SubscriptionListener = { onItems: () => {} }
    const reads: BackwardPlace[] = []
    let cursor = past.at(-1)?.cursor ?? 'c0'
    const follower = new ValueFollower({
      device: 'd',
      feed: {
        subscribe: (_filter, _after, given) => {
          listener = given
          return {
            get cursor() {
              return cursor
            },
            end: () => {}
          }
        }
      },
      readBack: async (place, _filter, limit) => {
        reads.push(place)
        const before = 'before' in place
        const at = past.findIndex(event => event.cursor === (before ? place.before : place.through))
        const end = before ? at : at + 1
        const items = past.slice(Math.max(0, end - limit), end).toReversed()
        return { items, cursor: items.at(-1)?.cursor ?? '', more: end > limit }
      }
    })
    follower.start()
    return {
      follower,
      reads,
      feed: (events: readonly EventNotification[]) => {
        cursor = events.at(-1)?.cursor ?? cursor
        listener.onItems(events)
      },
      [Symbol.dispose]: () => follower.end()
    }
  }

  test('has what came meanwhile once, behind the past', async () => {
    using started = startFollower([eventOf(1, 10), eventOf(2, 20)])
    const loaded = started.follower.load()
    started.feed([eventOf(3, 30)])
    await loaded
    started.feed([eventOf(4, 40)])
    expect(started.follower.series.all[0]?.values).toEqual([10, 20, 30, 40])
    expect(started.reads).toEqual([{ through: 'c2' }])
  })

  test('reads back in pages, and no further than it was told to', async () => {
    using started = startFollower(Array.from({ length: 3000 }, (_, index) => eventOf(index, index)))
    await started.follower.load()
    expect(started.reads).toEqual([{ through: 'c2999' }, { before: 'c2500' }])
    const values = started.follower.series.all[0]?.values
    expect([values?.length, values?.[0], values?.at(-1)]).toEqual([1000, 2000, 2999])
  })
})

describe('spans of alerts', () => {
  const alert = { severity: 'major', firstAt: '2026-01-01T00:00:00Z', resolved: null } as Alert

  test('are open until now, and only behind the values of their topic', () => {
    const from = Date.parse(alert.firstAt)
    const alerts = [
      { ...alert, eventTopic: 'climate' },
      { ...alert, eventTopic: 'door' },
      { ...alert, eventTopic: '', resolved: { at: '2026-01-01T00:00:05Z', actor: '', comment: '' } }
    ]
    expect(spansOf(alerts, 'climate', from + 9000)).toEqual([
      { from, to: from + 9000, severity: 'major' },
      { from, to: from + 5000, severity: 'major' }
    ])
  })
})

describe('the address of the list', () => {
  test.each([
    [{ search: '', status: null }, '/devices'],
    [{ search: 'a&b /ü', status: 'offline' as const }, '/devices?search=a%26b+%2F%C3%BC&status=offline']
  ])('%j is %s, and back', (query, address) => {
    expect(addressOfDeviceQuery(query)).toBe(address)
    expect(deviceQueryOfAddress(new URLSearchParams(address.split('?')[1]))).toEqual(query)
  })

  test('passes by a status that is none', () => {
    expect(deviceQueryOfAddress(new URLSearchParams('status=gone'))).toEqual({ search: '', status: null })
  })
})
