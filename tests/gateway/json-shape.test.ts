// What counts as JSON: the scanner agrees with JSON.parse, whatever the bytes.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { jsonShape } from '../../gateway/feed/json-shape.ts'
import { JsonWriter } from '../../gateway/feed/json-writer.ts'
import { parseJson, writePayload } from '../../gateway/feed/payload.ts'
import { event } from './harness.ts'

const shapeOf = (text: string) => jsonShape(Buffer.from(text))

/** What the scanner must say of text, by what JSON.parse says. */
function expectedShape(text: string): string {
  if (parseJson(text) === null) return 'none'
  return /^[^\r\n\u0080-\uffff]*$/.test(text) ? 'line' : 'json'
}

/** JSON with white space of every kind between its tokens. */
const someJson = fc
  .record({
    value: fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
    indent: fc.constantFrom('', ' ', '\t', '   '),
    around: fc.constantFrom('', ' ', '\n', '\r\n\t ')
  })
  .map(({ value, indent, around }) => `${around}${JSON.stringify(value, null, indent)}${around}`)
/** Text of what JSON consists of, most of it none. */
const jsonLike = fc
  .array(
    fc.constantFrom(
      ...Array.from('{}[],:"\\ \t\r\n0123456789+-.eEubnx/aF'),
      'true',
      'false',
      'null',
      '"a"',
      '\\u00e9',
      'é'
    ),
    { maxLength: 12 }
  )
  .map(parts => parts.join(''))

describe('the shape of bytes', () => {
  // prettier-ignore
  test.each([
    '0', '-0', '10', '-1.5', '1e5', '1E+5', '0.0e-0', '12345678901234567890123', '00', '01', '-', '+1', '.5',
    '1.', '1.e1', '1e', '1e+', '0x1', '--1', '1 2', 'Infinity', 'NaN', '-Infinity',
    '""', '"a"', '"', '"a', 'a"', '"\\"', '"\\\\"', '"\\u12g4"', '"\\u123"', '"\\u12', '"\\x41"', '"\\', "'a'",
    '"\\b\\f\\n\\r\\t\\/\\"\\\\\\uABCD\\uabcd"', '"\t"', '"\n"', '"\u0000"', '"\u001f"', '"\u007f"', '"\u2028"',
    '"\\ud800"', '"\\udc00\\ud800"', '"😀"', '"é"', 'é', '\ufeff1', '\u00a01', '1\u2003', '\v1', '\f1',
    'true', 'false', 'null', 'tru', 'truee', 'True', 'nul', 'nulL', 'undefined', ' true ', 'true false',
    '', ' ', '\n', '[]', '[ ]', '[1]', '[1,]', '[,]', '[,1]', '[1 2]', '[1', '1]', '[]]', '[[]', '[1]1', '[}',
    '{}', '{ }', '{"a":1}', '{"a":1,}', '{,}', '{"a"}', '{"a":}', '{a:1}', '{1:1}', '{"a":1 "b":2}', '{]', '{',
    '{"a":1,"a":2}', '{"__proto__":{}}', '{"a":{"b":[null,true,{}]}}', '/**/1', '1//', ' [\t1 ,\r\n2 ] ',
    'on', 'off', '21.5', '21,5', '2026-01-01', '0b1', '-a', '"a" "b"', '\\u0031'
  ])('is what JSON.parse finds: %j', text => {
    expect(shapeOf(text)).toBe(expectedShape(text))
  })

  test('is found for any JSON', () => {
    fc.assert(
      fc.property(someJson, text => {
        expect(shapeOf(text)).toBe(expectedShape(text))
      }),
      { numRuns: 1000 }
    )
  })

  test('is found for JSON that was cut, or into which something was put', () => {
    const mutation = fc.record({ at: fc.nat(), length: fc.nat(2), put: jsonLike })
    fc.assert(
      fc.property(someJson, mutation, (json, { at, length, put }) => {
        const from = at % (json.length + 1)
        // Whole characters: half of one is no text that bytes can hold.
        const text = `${json.slice(0, from)}${put}${json.slice(from + length)}`.toWellFormed()
        expect(shapeOf(text)).toBe(expectedShape(text))
      }),
      { numRuns: 2000 }
    )
  })

  test('is found for what looks like JSON', () => {
    fc.assert(
      fc.property(jsonLike, text => {
        expect(shapeOf(text)).toBe(expectedShape(text))
      }),
      { numRuns: 5000 }
    )
  })

  test.each(['[', '{"a":'])('of %s in itself is JSON up to a depth of 128', open => {
    const close = open === '[' ? ']' : '}'
    const nested = (depth: number) => `${open.repeat(depth - 1)}${open}1${close}${close.repeat(depth - 1)}`
    expect([128, 129].map(depth => shapeOf(nested(depth)))).toEqual(['line', 'none'])
    expect(shapeOf(open.repeat(1_000_000))).toBe('none')
    expect(shapeOf(`[${Array.from({ length: 1000 }, () => '[[]]').join(',')}]`)).toBe('line')
  })
})

describe('a payload in JSON', () => {
  const write = (payload: Uint8Array) => {
    const writer = new JsonWriter()
    const as = writePayload(writer, { ...event(), seq: 1, at: 1, payload })
    return { as, text: writer.since(0).toString() }
  }

  test('is one line with the same value, or the text, or base64', () => {
    const somePayload = fc.oneof(
      someJson.map(text => Buffer.from(text)),
      jsonLike.map(text => Buffer.from(text)),
      fc.string({ unit: 'binary' }).map(text => Buffer.from(text)),
      fc.uint8Array({ maxLength: 12 })
    )
    fc.assert(
      fc.property(somePayload, payload => {
        const { as, text } = write(payload)
        expect(text).not.toMatch(/[\r\n]/)
        const value = JSON.parse(text) as unknown
        const given = Buffer.from(payload).toString()
        const isText = Buffer.from(given).equals(payload)
        expect(as).toBe(isText ? 'value' : 'base64')
        if (isText) expect(value).toEqual((parseJson(given) ?? { value: given }).value)
        else expect(Buffer.from(String(value), 'base64')).toEqual(Buffer.from(payload))
      }),
      { numRuns: 2000 }
    )
  })

  test.each([
    ['a byte that never is', [0xff]],
    ['a character that is cut off', [0xc3]],
    ['a byte that only continues', [0x80]],
    ['an overlong form', [0xc0, 0x80]],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80]]
  ])('that would be JSON if it were UTF-8 is base64: %s', (_, bytes) => {
    const payload = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(write(payload)).toEqual({ as: 'base64', text: JSON.stringify(payload.toString('base64')) })
  })

  test('is passed on byte by byte where it is on one line', () => {
    const text = ' {"n": 1.50e+03, "n":12345678901234567890123,\t"é":"\\u00e9\\/"} '
    expect(write(Buffer.from(text))).toEqual({ as: 'value', text })
  })
})
