// JSON written by hand is what JSON.stringify writes.
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { JsonWriter } from '../../gateway/feed/json-writer.ts'

const written = (write: (writer: JsonWriter) => void) => {
  const writer = new JsonWriter()
  write(writer)
  return writer.since(0).toString()
}

test('text is written as JSON.stringify writes it, also where it must be escaped', () => {
  const texts = [
    '',
    'a'.repeat(64),
    'a'.repeat(65),
    '"',
    '\\',
    '\n',
    '\u007f',
    'é',
    '😀',
    '\ud800',
    'a\udc00b',
    '\u2028'
  ]
  for (const text of texts) expect(written(writer => writer.text(text))).toBe(JSON.stringify(text))
  const someText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.string({ unit: fc.nat(0xffff).map(code => String.fromCharCode(code)) }),
    fc.string({ unit: 'binary-ascii', maxLength: 100 })
  )
  fc.assert(
    fc.property(someText, text => {
      expect(written(writer => writer.text(text))).toBe(JSON.stringify(text))
    }),
    { numRuns: 1000 }
  )
})

test('a number is written as JSON.stringify writes it', () => {
  const edges = [0, -0, 9, 10, 99, 100, 999_999_999, 1e9, 1e9 + 1, 1e10, 2 ** 31, 2 ** 32, 1_790_000_000_007]
  const more = [Number.MAX_SAFE_INTEGER, 2 ** 53, 1e21, -1, 1.5, 5e-324, Number.NaN, Number.POSITIVE_INFINITY]
  for (const value of [...edges, ...more])
    expect(written(writer => writer.number(value))).toBe(JSON.stringify(value))
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.double(), fc.nat(100_000)), value => {
      expect(written(writer => writer.number(value))).toBe(JSON.stringify(value))
    }),
    { numRuns: 1000 }
  )
})

test('a sequence is written as cursors have it', () => {
  const edges = [0, 1, 35, 36, 1295, 1296, 999_999_999, 1e9, Number.MAX_SAFE_INTEGER]
  for (const value of edges) expect(written(writer => writer.base36(value))).toBe(value.toString(36))
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(), fc.nat(2000)), value => {
      expect(written(writer => writer.base36(value))).toBe(value.toString(36))
    }),
    { numRuns: 1000 }
  )
})

test('whatever is written stands one after the other, however much it becomes', () => {
  const writer = new JsonWriter()
  const parts: string[] = []
  for (let round = 0; round < 300; round++) {
    writer.raw(Buffer.from('['))
    writer.json(`"${'é'.repeat(round)}",`)
    writer.text('x'.repeat(round))
    writer.raw(Buffer.from(','))
    writer.number(round * 1e9)
    writer.raw(Buffer.from(']'))
    parts.push(`["${'é'.repeat(round)}","${'x'.repeat(round)}",${round * 1e9}]`)
  }
  const whole = Buffer.from(parts.join(''))
  expect(writer.since(0).equals(whole)).toBe(true)
  expect(writer.length).toBe(whole.length)
  const from = Buffer.byteLength(parts.slice(0, -1).join(''))
  expect(writer.since(from).toString()).toBe(parts.at(-1))
  writer.clear()
  writer.text('anew')
  expect(writer.since(0).toString()).toBe('"anew"')
})
