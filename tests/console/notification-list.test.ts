import { expect, test } from '@jest/globals'
import { NotificationList } from '../../console/src/feed/notification-list.ts'
import { item } from './items.ts'

const cursors = (list: NotificationList) =>
  Array.from({ length: list.length }, (_, index) => list.at(index)?.cursor)

test('shows the newest first, and lets the oldest go when it is full', () => {
  const list = new NotificationList({ liveMax: 3, historyMax: 10 })
  expect(list.append([item(1), item(2)])).toBe(false)
  expect(list.append([item(3), item(4)])).toBe(true)
  expect(cursors(list)).toEqual(['e-4', 'e-3', 'e-2'])
  expect(list.oldest?.cursor).toBe('e-2')
  expect(list.indexOf('e-3')).toBe(1)
  expect(list.indexOf('e-1')).toBe(-1)
})

test('takes older pages at its end, without what came live meanwhile', () => {
  const list = new NotificationList({ liveMax: 10, historyMax: 10 })
  list.append([item(5), item(6)])
  list.addOlder([item(6), item(5), item(4), item(3)])
  expect(cursors(list)).toEqual(['e-6', 'e-5', 'e-4', 'e-3'])
})

test('takes as many older ones as it has room for, those next to what it has', () => {
  const list = new NotificationList({ liveMax: 2, historyMax: 3 })
  list.append([item(9)])
  expect(list.takesOlder).toBe(true)
  list.addOlder([item(8), item(7), item(6)])
  expect(cursors(list)).toEqual(['e-9', 'e-8', 'e-7'])
  expect(list.takesOlder).toBe(false)
})

test('keeps gaps where they are', () => {
  const list = new NotificationList({ liveMax: 10, historyMax: 10 })
  list.append([item(1), { kind: 'gap', cursor: 'e-5', from: 'e-1', to: 'e-5' }, item(6)])
  expect(list.at(1)).toMatchObject({ kind: 'gap', from: 'e-1', to: 'e-5' })
})
