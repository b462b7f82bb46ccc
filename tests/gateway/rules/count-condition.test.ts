import { expect, test } from '@jest/globals'
import { Watched } from './rules.ts'

const flaps = 'when: payload.open, count: 3, within: 10m'
const open = { open: true }
const shut = { open: false }

test('raises when it held often enough within the window, and with each time more', () => {
  const { told } = new Watched(flaps)
    .event(0, open)
    .event(1, shut)
    .event(2, open)
    .event(3, open)
    .event(4, open)
  expect(told).toEqual(['raise@3', 'raise@4'])
})

test('what is older than the window does not count', () => {
  expect(new Watched(flaps).event(0, open).event(1, open).event(10, open).told).toEqual([])
  expect(new Watched(flaps).event(0, open).event(1, open).event(9.9, open).told).toEqual(['raise@9.9'])
})

test('clears by itself when the window holds fewer, and then remembers nothing', () => {
  const watched = new Watched(flaps).event(0, open).event(1, open).event(2, open)
  expect(watched.dueMinute).toBe(10)
  expect(watched.until(11.5).told).toEqual(['raise@2', 'clear@10'])
  expect(watched.state).toHaveLength(2)
  expect(watched.until(12).state).toBeNull()
})

test('goes on as long as the last so many are close enough', () => {
  const watched = new Watched(flaps)
  for (let minute = 0; minute <= 15; minute += 3) watched.event(minute, open)
  expect(watched.until(60).told).toEqual(['raise@6', 'raise@9', 'raise@12', 'raise@15', 'clear@19'])
})

test('clears early where clear holds, and counts from nothing then', () => {
  const watched = new Watched(`${flaps}, clear: payload.reset`)
  for (const minute of [0, 1, 2]) watched.event(minute, { open: true, reset: false })
  watched.event(3, { open: false, reset: false }).event(4, { open: false, reset: true })
  expect(watched.event(5, open).told).toEqual(['raise@2', 'clear@4'])
  expect(watched.state).toHaveLength(1)
})

test('keeps no more times than it counts', () => {
  const watched = new Watched(flaps)
  for (let second = 0; second < 300; second++) watched.event(second / 60, open)
  expect(watched.state).toHaveLength(3)
})

test('counts what is from before the clock was set back for one window more, not longer', () => {
  const watched = new Watched(flaps).event(1000, open).event(1001, open).event(0, open)
  expect(watched.told).toEqual(['raise@0'])
  expect(watched.until(10).told).toEqual(['raise@0', 'clear@10'])
})
