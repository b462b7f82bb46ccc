// Pauses between attempts.
import { describe, expect, test } from '@jest/globals'
import { retryDelayMs } from '../../../gateway/delivery/retry.ts'

const plan = { attemptsMax: 12, firstMs: 1000, mostMs: 300_000, retryAfterMaxMs: 3_600_000 }

describe('the pause after a failed attempt', () => {
  test('doubles up to the longest, and is never under half of what is due', () => {
    const longest = [1, 2, 3, 9, 10, 11].map(attempt => retryDelayMs({ attempt, random: 0.999999 }, plan))
    expect(longest).toEqual([1000, 2000, 4000, 256_000, 300_000, 300_000])
    expect(retryDelayMs({ attempt: 3, random: 0 }, plan)).toBe(2000)
  })

  test('there is none after the last attempt', () => {
    expect(retryDelayMs({ attempt: 12, random: 0 }, plan)).toBeNull()
    expect(retryDelayMs({ attempt: 12, random: 0, retryAfterMs: 5000 }, plan)).toBeNull()
    expect(retryDelayMs({ attempt: 1, random: 0 }, { ...plan, attemptsMax: 1 })).toBeNull()
  })

  test('is what the receiver asked for, or a little more', () => {
    expect(retryDelayMs({ attempt: 1, random: 0, retryAfterMs: 60_000 }, plan)).toBe(60_000)
    expect(retryDelayMs({ attempt: 1, random: 0.5, retryAfterMs: 60_000 }, plan)).toBe(60_500)
  })

  test('what the receiver asked for does not shorten our own', () => {
    expect(retryDelayMs({ attempt: 10, random: 0, retryAfterMs: 0 }, plan)).toBe(150_000)
    expect(retryDelayMs({ attempt: 10, random: 0, retryAfterMs: 200_000 }, plan)).toBe(200_000)
  })

  test('a receiver can’t put us off for ever', () => {
    expect(retryDelayMs({ attempt: 1, random: 0, retryAfterMs: 1e15 }, plan)).toBe(3_600_000)
  })
})
