// Limits that all tokens share: what one token has many of costs the others nothing.
import { describe, expect, test } from '@jest/globals'
import { oldestOfMost } from '../../../gateway/sessions/fair-limit.ts'
import { CODES_MAX, SignInCodes } from '../../../gateway/sessions/sign-in-codes.ts'

describe('who has to go', () => {
  test.each<[string[], number | undefined]>([
    [[], undefined],
    [['a'], 0],
    [['a', 'b', 'b', 'c'], 1],
    [['b', 'a', 'a', 'b'], 0],
    [['a', 'b', 'c'], 0]
  ])('of %j it is number %p', (tokens, index) => {
    const entries = tokens.map(tokenId => ({ tokenId }))
    expect(oldestOfMost(entries)).toBe(index === undefined ? undefined : entries[index])
  })
})

test('sign-in codes beyond the limit take the place of their own token’s oldest', () => {
  const codes = new SignInCodes({ tokens: { onRevoked: () => {} }, validMs: 1000, now: () => 0 })
  const { code: first } = codes.issue('quiet')
  const flood = Array.from({ length: CODES_MAX + 10 }, () => codes.issue('loud').code)
  expect(codes.redeem(first)).toBe('quiet')
  expect(flood.map(code => codes.redeem(code)).filter(id => id === null)).toHaveLength(11)
  expect(codes.redeem(flood[0] ?? '')).toBe(null)
  expect(codes.redeem(first)).toBe(null)
})
