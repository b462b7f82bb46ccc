import { describe, expect, test } from '@jest/globals'
import { countEvent, endOfMinute, eventsPerMinute, minuteOf } from '../../gateway/event-rate.ts'

const start = 28_333_333 * 60_000 // the beginning of a minute
const fresh = () => ({ minute: 0, minuteEvents: 0, minuteEventsBefore: 0 })

/** Counts of events at these seconds after the start. */
function countsOf(seconds: readonly number[]) {
  const counts = fresh()
  for (const second of seconds) countEvent(counts, minuteOf(start + second * 1000))
  return counts
}

const every = (stepS: number, untilS: number) =>
  Array.from({ length: Math.ceil(untilS / stepS) }, (_, index) => index * stepS)

describe('events per minute', () => {
  test('are none before the first', () => {
    expect(eventsPerMinute(fresh(), start)).toBe(0)
  })

  test('of a steady device are its rate at any moment', () => {
    for (const nowS of [120, 125.5, 149, 179.9])
      expect(eventsPerMinute(countsOf(every(0.5, nowS)), start + nowS * 1000)).toBeCloseTo(120, -1)
  })

  test('fade out over the minute after the last, and are none then', () => {
    const counts = countsOf(every(1, 60))
    const at = (second: number) => eventsPerMinute(counts, start + second * 1000)
    expect([59.999, 60, 75, 90, 105, 119.9].map(at)).toEqual([60, 60, 45, 30, 15, 0.1])
    expect([120, 150, 3600].map(at)).toEqual([0, 0, 0])
  })

  test('know nothing of a minute that lies further back', () => {
    expect(eventsPerMinute(countsOf([...every(1, 60), 130]), start + 131_000)).toBe(1)
  })

  test('stand still while the clock is behind the log', () => {
    expect(eventsPerMinute(countsOf([60, 61, 62]), start + 30_000)).toBe(3)
  })

  test('are of minutes that end where the next begins', () => {
    expect(minuteOf(start - 1) + 1).toBe(minuteOf(start))
    expect(endOfMinute(minuteOf(start))).toBe(start + 60_000)
  })
})
