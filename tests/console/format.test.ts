import { describe, expect, test } from '@jest/globals'
import { durationText, lineOf, numbersOf, payloadLine, roundText } from '../../console/src/format.ts'
import { alertItem, deliveryItem, item } from './items.ts'

test('durations are told in their two largest units', () => {
  const told = [400, 59_000, 61_000, 599_000, 3_599_000, 3_600_000, 12_000_000, 172_800_000, 180_000_000]
  expect(told.map(durationText)).toEqual([
    '0 s',
    '59 s',
    '1 min 1 s',
    '9 min 59 s',
    '59 min',
    '1 h',
    '3 h 20 min',
    '2 d',
    '2 d 2 h'
  ])
})

test('numbers have three significant digits, and none is a dash', () => {
  expect([1234.5, 0.123456, 21, null].map(roundText)).toEqual(['1,230', '0.123', '21', '–'])
})

describe('a payload', () => {
  test('is cut and on one line', () => {
    expect(payloadLine('a\n\n b')).toBe('a b')
    expect(payloadLine({ a: 'x'.repeat(1000) })).toHaveLength(300)
    expect(payloadLine(undefined)).toBe('')
  })

  test('has its numbers by their paths', () => {
    expect([...numbersOf({ a: 1, b: { c: 2.5, d: 'x', e: null }, f: [3], g: true })]).toEqual([
      ['a', 1],
      ['b.c', 2.5]
    ])
    expect([...numbersOf(21)]).toEqual([['value', 21]])
    expect([...numbersOf({ a: { b: { c: { d: 1 } } } })]).toEqual([])
  })
})

test('a notification is told in a line', () => {
  expect(lineOf(item(7))).toEqual({ subject: 'site/pump', text: '{"mmPerS":7}' })
  expect(lineOf(alertItem({ change: 'acknowledged', actor: 'Ann', comment: 'on it' }))).toEqual({
    subject: 'a1 acknowledged',
    text: 'pump-1 shakes · Ann: on it'
  })
  expect(lineOf(deliveryItem({ alerts: ['a1', 'a2'], detail: 'HTTP 200' }))).toEqual({
    subject: 'desk told',
    text: 'a1, a2 · HTTP 200'
  })
})
