import { describe, expect, test } from '@jest/globals'
import { compileExpression } from '../../../gateway/rules/compile-expression.ts'
import { languageOf } from '../../../gateway/rules/language.ts'
import { scopeOf } from './scopes.ts'

const language = languageOf(['payload', 'topic', 'device', 'at', 'severity', 'rate'])

function value(source: string, payload: unknown = null): unknown {
  const compiled = compileExpression(source, 'any', language)
  if (!compiled.ok) throw new Error(compiled.problem)
  return compiled.value.evaluate(scopeOf({ payload, rate: 1.5 }))
}

function problem(source: string, kind: 'condition' | 'number' | 'text' = 'condition'): string {
  const compiled = compileExpression(source, kind, language)
  return compiled.ok ? 'none' : compiled.problem
}

describe('expressions', () => {
  test.each([
    ['payload.n > 5', false],
    ['payload.n > -15.0', true],
    ['payload.n + 1', 5],
    ['1 + payload.n', 5],
    ['10 - payload.n * 2', 2],
    ['payload.n / 8', 0.5],
    ['payload.n % 2 == 0', true],
    ['payload.n == 4 && payload.n == 4.0 && payload.n != 5', true],
    ['-payload.n', -4],
    ['payload.n in [1, 4]', true],
    ['payload.list[1] + 1', 3],
    ['payload.list.exists(i, i == 2)', true],
    ['size(payload.list) >= 2', true],
    ['rate * 2 > 1', true],
    ['abs(0 - rate) > 1.0 && abs(payload.n) == 4', true],
    ['payload.?missing.orValue(0) > 3', false],
    ['has(payload.missing) && payload.missing > 3', false],
    ['payload.n > 1 || payload.missing > 1', true],
    ['level(topic, 2)', 'north'],
    ['level(topic, -1)', 'temperature'],
    ['glob(device, "freezer-*")', true],
    ['topic.startsWith("site/") && severity == "info"', true],
    ['at > timestamp("2026-01-01T00:00:00Z")', true],
    ['at.getHours("Europe/Berlin")', 0n]
  ])('%s gives %s', (source, expected) => {
    expect(value(source, { n: 4, list: [1, 2] })).toEqual(expected)
  })

  test.each([
    [
      'temperature > 5',
      /^Unknown variable: temperature; known are payload, topic, device, at, severity, rate$/
    ],
    ['lewel(topic, 1) == ""', /^found no matching overload for 'lewel\(string, int\)', at character 1$/],
    ['topic > 5', /^no such overload: string > int, at character 1$/],
    ['payload.n >', /^[^\n]+, at character \d+$/],
    ['payload.n + 1.0 == rate ? 1 : 2', /^must give true or false; it gives a number$/],
    ['topic', /^must give true or false; it gives text$/],
    ['payload.text.matches("(a+)+$")', /glob\(text/],
    [`${'('.repeat(200)}true${')'.repeat(200)}`, /^[^\n]+$/],
    [`true${' || true'.repeat(1000)}`, /^[^\n]+$/]
  ])('%.40s is refused when it is read', (source, message) => {
    expect(problem(source)).toMatch(message)
  })

  test('of another type than is wanted are refused', () => {
    expect(problem('payload.open', 'number')).toBe('none')
    expect(problem('topic', 'number')).toBe('must give a number; it gives text')
    expect(problem('[topic]', 'text')).toBe('must give text; it gives a list')
  })

  test.each([
    ['payload.celsius > 5', null, 'No such key: celsius'],
    ['payload.celsius > 5', { warm: 1 }, 'No such key: celsius'],
    ['payload.celsius > 5', { celsius: 'warm' }, 'no such overload: dyn<string> > int'],
    ['payload.celsius > 5', { celsius: null }, 'no such overload: dyn<null> > int'],
    ['payload.constructor == 1', {}, 'No such key: constructor'],
    ['level(topic, 9) == ""', {}, 'the topic has no level 9'],
    ['payload', { celsius: 1 }, 'gave a map where true or false was needed']
  ])('%s over %j is an error when it is worked out', (source, payload, message) => {
    const compiled = compileExpression(source, 'condition', language)
    if (!compiled.ok) throw new Error(compiled.problem)
    expect(() => compiled.value.evaluate(scopeOf({ payload }))).toThrow(new Error(message))
  })

  test('that give a key make text of numbers', () => {
    const compiled = compileExpression('payload.sensor', 'text', language)
    if (!compiled.ok) throw new Error(compiled.problem)
    const { evaluate } = compiled.value
    expect([7, 'a', true].map(sensor => evaluate(scopeOf({ payload: { sensor } })))).toEqual([
      '7',
      'a',
      'true'
    ])
    for (const sensor of [null, {}, 'x'.repeat(2000)])
      expect(() => evaluate(scopeOf({ payload: { sensor } }))).toThrow(/^gave /)
  })
})
