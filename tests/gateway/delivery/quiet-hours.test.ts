// Quiet hours in a time zone's own time.
import { describe, expect, test } from '@jest/globals'
import { isTimeZone, quietUntil } from '../../../gateway/delivery/quiet-hours.ts'
import type { QuietHours } from '../../../gateway/delivery/route.ts'

const night: QuietHours = {
  timeZone: 'Europe/Berlin',
  times: [{ from: 22 * 60, to: 6 * 60 }],
  days: [],
  except: null
}

function until(quiet: QuietHours[], text: string, severity: 'minor' | 'critical' = 'minor'): string | null {
  const end = quietUntil(quiet, { at: Date.parse(text), severity })
  return end === null ? null : new Date(end).toISOString()
}

describe('quiet hours', () => {
  test('go over midnight, in the hours of their time zone', () => {
    expect(until([night], '2026-01-10T20:59:59Z')).toBeNull()
    expect(until([night], '2026-01-10T21:00:00Z')).toBe('2026-01-11T05:00:00.000Z')
    expect(until([night], '2026-01-11T04:59:30Z')).toBe('2026-01-11T05:00:00.000Z')
    expect(until([night], '2026-01-11T05:00:00Z')).toBeNull()
    expect(until([night], '2026-07-10T20:30:00Z')).toBe('2026-07-11T04:00:00.000Z')
  })

  test('end at the right moment when the clocks change', () => {
    expect(until([night], '2026-03-28T22:00:00Z')).toBe('2026-03-29T04:00:00.000Z')
    expect(until([night], '2026-10-24T22:00:00Z')).toBe('2026-10-25T05:00:00.000Z')
  })

  test('have days on which they begin', () => {
    const friday: QuietHours = { ...night, days: [5] }
    expect(until([friday], '2026-01-09T22:00:00Z')).toBe('2026-01-10T05:00:00.000Z')
    expect(until([friday], '2026-01-10T04:00:00Z')).toBe('2026-01-10T05:00:00.000Z')
    expect(until([friday], '2026-01-10T22:00:00Z')).toBeNull()
    const weekend: QuietHours = { timeZone: 'UTC', times: [], days: [6, 0], except: null }
    expect(until([weekend], '2026-01-10T12:00:00Z')).toBe('2026-01-12T00:00:00.000Z')
  })

  test('join where one begins as another ends', () => {
    const times = [
      { from: 60, to: 90 },
      { from: 90, to: 125 }
    ]
    expect(until([{ ...night, timeZone: 'UTC', times }], '2026-01-10T01:10:00Z')).toBe(
      '2026-01-10T02:05:00.000Z'
    )
  })

  test('are not for what is severe enough', () => {
    expect(until([{ ...night, except: 'critical' }], '2026-01-10T23:00:00Z', 'critical')).toBeNull()
    expect(until([{ ...night, except: 'critical' }], '2026-01-10T23:00:00Z')).not.toBeNull()
  })

  test('that never end are looked at again', () => {
    const always: QuietHours = { timeZone: 'UTC', times: [{ from: 0, to: 1440 }], days: [], except: null }
    expect(quietUntil([always], { at: 0, severity: 'minor' })).toBeGreaterThan(86_400_000)
  })
})

test('time zones are known by their names', () => {
  expect(['Europe/Berlin', 'UTC', 'Asia/Kathmandu'].every(isTimeZone)).toBe(true)
  expect(isTimeZone('Mars/Olympus')).toBe(false)
})
