import { expect, test } from '@jest/globals'
import { Packr } from 'msgpackr'
import { EventScope } from '../../../gateway/rules/event-scope.ts'
import { payloadValue } from '../../../gateway/rules/payload-value.ts'
import { eventOf } from './scopes.ts'

const packr = new Packr({ useRecords: false, variableMapSize: true })

test.each([
  ['{"celsius": -14.5}', { celsius: -14.5 }],
  ['21.5', 21.5],
  ['null', null],
  ['on', 'on'],
  ['', ''],
  ['NaN', 'NaN'],
  ['[1, {"a": []}]', [1, { a: [] }]]
])('%j is read as %j', (text, value) => {
  expect(payloadValue(eventOf(text))).toEqual(value)
})

test('bytes that are no text are null', () => {
  expect(payloadValue(eventOf(Buffer.from([0xff, 0x00, 0xfe])))).toBeNull()
})

test('MessagePack is read as JSON would be, and what JSON has not is null', () => {
  const value = { n: 1, big: 2n ** 40n, huge: 2n ** 63n, nan: Number.NaN, list: [-Infinity], at: new Date(5) }
  const event = eventOf(packr.pack(value), { format: 'msgpack' })
  expect(payloadValue(event)).toEqual({
    n: 1,
    big: 2 ** 40,
    huge: 2n ** 63n,
    nan: null,
    list: [null],
    at: new Date(5)
  })
  expect(payloadValue(eventOf(Buffer.from([0x92, 1]), { format: 'msgpack' }))).toBeNull()
})

test('JSON that is nested too deeply is text', () => {
  const text = `${'['.repeat(5000)}${']'.repeat(5000)}`
  expect(payloadValue(eventOf(text))).toBe(text)
})

test('is decoded once for all rules, and only when it is asked for', () => {
  let decoded = 0
  const event = eventOf('null')
  const bytes = event.payload
  Object.defineProperty(event, 'payload', { get: () => (decoded++, bytes) })
  const scope = new EventScope(event)
  expect(decoded).toBe(0)
  expect([scope.payload, scope.payload]).toEqual([null, null])
  expect(decoded).toBe(1)
})
