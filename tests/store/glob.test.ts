import { describe, expect, test } from '@jest/globals'
import { compileGlobs, globMatches } from '../../store/glob.ts'

describe('globs', () => {
  test.each([
    ['freezer-*', 'freezer-7', true],
    ['freezer-*', 'freezer-', true],
    ['freezer-*', 'deep-freezer-7', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*-a-*-b', 'x-a-b', false],
    ['*-a-*-b', 'x-a--b', true],
    ['**', 'anything', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*bc*c', 'abc', false],
    ['a.c', 'abc', false],
    ['[a]?', '[a]?', true]
  ])('%s on %j: %s', (glob, text, matches) => {
    expect(globMatches(glob, text)).toBe(matches)
  })

  test('match when any of several does', () => {
    const matches = compileGlobs(['pump-1', 'freezer-*', '*-test'])
    expect(['pump-1', 'freezer-2', 'x-test', 'pump-2'].map(matches)).toEqual([true, true, true, false])
    expect(compileGlobs([])('anything')).toBe(false)
  })

  test('take no longer for a glob made to be slow', () => {
    const started = performance.now()
    expect(globMatches(`${'*a'.repeat(500)}b`, 'a'.repeat(100_000))).toBe(false)
    expect(globMatches(`${'a*'.repeat(500)}b*`, 'a'.repeat(100_000))).toBe(false)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
