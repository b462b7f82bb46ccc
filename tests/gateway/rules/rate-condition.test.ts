import { expect, test } from '@jest/globals'
import { Watched } from './rules.ts'

const rising = 'rate: payload, per: 1m, within: 10m, when: rate > 2, clear: rate < 1'

test('raises when the value changes faster over the window, and clears when it calms down', () => {
  const watched = new Watched(rising)
  for (let minute = 0; minute <= 20; minute++) watched.event(minute, minute <= 10 ? minute * 3 : 30)
  expect(watched.told[0]).toBe('raise@5')
  expect(watched.told.at(-1)).toBe('clear@17')
})

test('says nothing of readings that span less than half of the window', () => {
  expect(new Watched(rising).event(0, 0).event(1, 1000).event(4.9, 2000).told).toEqual([])
  expect(new Watched(rising).event(0, 0).event(11, 1000).told).toEqual([])
})

test('a falling value has a negative rate', () => {
  const falling = 'rate: payload.level, per: 1h, within: 10m, when: rate < -30'
  expect(new Watched(falling).event(0, { level: 50 }).event(8, { level: 45 }).told).toEqual(['raise@8'])
})

test('keeps few samples, however many readings come', () => {
  const watched = new Watched(rising)
  for (let second = 0; second < 3600; second++) watched.event(second / 60, second / 20)
  expect(watched.told.length).toBeGreaterThan(3000)
  expect((watched.state as { samples: number[] }).samples.length).toBeLessThanOrEqual(26)
})

test('must last where the rule says so', () => {
  const watched = new Watched(`${rising}, for: 3m`)
  for (let minute = 0; minute <= 6; minute++) watched.event(minute, minute * 3)
  expect(watched.told).toEqual([])
  expect(watched.until(9).told).toEqual(['raise@8'])
})

test('forgets a device that says nothing, and its trend', () => {
  const watched = new Watched(`${rising}, for: 30m`)
  for (let minute = 0; minute <= 6; minute++) watched.event(minute, minute * 3)
  expect(watched.until(60).told).toEqual([])
  expect(watched.state).toBeNull()
})

test('begins anew when the clock was set back', () => {
  const watched = new Watched(rising).event(100, 0).event(0, 1000).event(6, 1000)
  expect(watched.told).toEqual([])
})

test('a reading that is no number is an error', () => {
  expect(() => new Watched(rising).event(0, 'x')).toThrow('gave text where a number was needed')
})
