import { expect, test } from '@jest/globals'
import { Watched } from './rules.ts'

const plain = 'when: payload > 10'
const hysteresis = 'when: payload > 10, clear: payload < 5'
const lasting = 'when: payload > 10, clear: payload < 5, for: 5m'

test('raises with each reading that meets it and clears with the first that does not', () => {
  const { told, state } = new Watched(plain).event(0, 9).event(1, 11).event(2, 12).event(3, 10).event(4, 9)
  expect(told).toEqual(['raise@1', 'raise@2', 'clear@3'])
  expect(state).toBeNull()
})

test('changes nothing between when and clear', () => {
  const { told } = new Watched(hysteresis).event(0, 7).event(1, 11).event(2, 7).event(3, 4).event(4, 7)
  expect(told).toEqual(['raise@1', 'clear@3'])
})

test('waits until it has held long enough, without another event', () => {
  const watched = new Watched(lasting).event(0, 11)
  expect(watched.dueMinute).toBe(5)
  expect(watched.until(4).told).toEqual([])
  expect(watched.until(60).told).toEqual(['raise@5'])
  expect(watched.dueMinute).toBeNull()
  expect(watched.event(61, 11).told).toEqual(['raise@5', 'raise@61'])
})

test('raises at an event that comes when it is due', () => {
  expect(new Watched(lasting).event(0, 11).event(3, 12).event(5, 13).told).toEqual(['raise@5', 'raise@5'])
})

test('starts anew when it stopped holding before its time', () => {
  const { told } = new Watched(lasting).event(0, 11).event(4, 7).event(4.5, 11).until(9).event(9.4, 12)
  expect(told).toEqual([])
})

test('stays open when it stops holding, until clear', () => {
  const watched = new Watched(lasting).event(0, 11).until(5).event(6, 7).until(60)
  expect(watched.told).toEqual(['raise@5'])
  expect(watched.event(61, 4).told).toEqual(['raise@5', 'clear@61'])
})

test('an error leaves everything as it was', () => {
  const watched = new Watched(lasting).event(0, 11)
  const before = watched.state
  expect(() => watched.event(1, 'warm')).toThrow('no such overload')
  expect(watched.state).toBe(before)
  expect(watched.until(5).told).toEqual(['raise@5'])
})

test('after the clock was set back it waits no longer than it must', () => {
  const watched = new Watched(lasting).event(100, 11).event(0, 11)
  expect(watched.dueMinute).toBe(5)
})

test('what people resolved is raised anew by the next reading that meets it', () => {
  const watched = new Watched(lasting).event(0, 11).until(5)
  watched.open = false
  expect(watched.event(6, 7).event(7, 11).until(20).told).toEqual(['raise@5', 'raise@12'])
})
