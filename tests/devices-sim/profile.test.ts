import { describe, expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { parseProfile } from '../../devices-sim/profile.ts'

const fleets = new URL('../../../config/fleets/', import.meta.url)

describe('profiles', () => {
  test.each(readdirSync(fleets))('%s is good', file => {
    expect(parseProfile(readFileSync(new URL(file, fleets), 'utf8'))).toMatchObject({ ok: true })
  })

  test('report all problems at once, each with its path and line', () => {
    const result = parseProfile(`name: bad
count: 0
kinds:
  - kind: Fridge
    topic: a/#
    interval: soon
    colour: blue
    fields:
      n: { signal: daily, mean: 1 }
      x: { signal: sine }
`)
    expect(result.ok).toBe(false)
    const problems = result.ok ? [] : result.problems
    const found = Object.fromEntries(problems.map(({ path, line }) => [path, line]))
    expect(found).toMatchObject({
      count: 2,
      'kinds[0].kind': 4,
      'kinds[0].topic': 5,
      'kinds[0].interval': 6,
      'kinds[0]': 4,
      'kinds[0].fields.x.signal': 10
    })
    expect(problems.find(({ path }) => path === 'kinds[0].interval')?.message).toMatch(/10s/)
    expect(problems.find(({ path }) => path === 'kinds[0]')?.message).toMatch(/colour/)
  })

  test('refuse a field that would hide the number of the event, and two kinds of one name', () => {
    const kind = '{ kind: a, topic: t, interval: 1s, fields: { n: { signal: daily, mean: 1 } } }'
    const result = parseProfile(`{ name: x, kinds: [${kind}, ${kind}] }`)
    const paths = result.ok ? [] : result.problems.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['kinds[0].fields.n', 'kinds[1].kind']))
  })

  test('say in which line the YAML is broken', () => {
    expect(parseProfile('name: x\nkinds: [\n')).toMatchObject({ ok: false, problems: [{ line: 3 }] })
  })
})
