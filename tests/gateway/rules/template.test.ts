import { expect, test } from '@jest/globals'
import { compileTemplate } from '../../../gateway/rules/compile-template.ts'
import { languageOf } from '../../../gateway/rules/language.ts'
import { scopeOf } from './scopes.ts'

const language = languageOf(['payload', 'topic', 'device', 'at', 'key', 'rule', 'count'])

function rendered(source: string, payload: unknown = null): string {
  const compiled = compileTemplate(source, language)
  if (!compiled.ok) throw new Error(compiled.problem)
  return compiled.value.render(scopeOf({ payload, count: 3 }))
}

test.each([
  ['{device} is at {payload.celsius} °C', { celsius: -14.300000000000001 }, 'freezer-7 is at -14.3 °C'],
  ['{payload.n}', { n: 1234567 }, '1234567'],
  ['{payload.n}', { n: 0.000012345 }, '0.0000123'],
  ['{payload.n / 3}', { n: 1 }, '0.333'],
  ['{count} times', null, '3 times'],
  ['{{x}} {"}"} {{', null, '{x} } {'],
  ['{ {"a": payload.n}["a"] }', { n: 2 }, '2'],
  ['{payload.ok ? "good" : "bad"}', { ok: true }, 'good'],
  ['{payload.missing}', {}, '?'],
  ['{payload.?missing.orValue("none")}', {}, 'none'],
  ['{payload}', { list: [1.00001, 'a'] }, '{"list":[1,"a"]}'],
  ['{payload}', 'one\ntwo\u0000', 'one two '],
  ['{at}', null, '2026-01-31T23:30:00.000Z'],
  ['plain', null, 'plain']
])('%j over %j is %j', (source, payload, text) => {
  expect(rendered(source, payload)).toBe(text)
})

test.each([
  ['{device', 'has a { without a }; write {{ for a brace'],
  ['device}', 'has a } without a {; write }} for a brace'],
  ['{ }', 'has nothing between { and }; write {{ for a brace'],
  ['{devise}', '{devise}: Unknown variable: devise; known are payload, topic, device, at, key, rule, count']
])('%j is refused', (source, problem) => {
  expect(compileTemplate(source, language)).toEqual({ ok: false, problem })
})

test('what is filled in is cut to a length', () => {
  const long = 'é'.repeat(100_000)
  expect(rendered('{payload}', long)).toHaveLength(300)
  expect(rendered('{payload}'.repeat(50), long)).toHaveLength(2000)
})
