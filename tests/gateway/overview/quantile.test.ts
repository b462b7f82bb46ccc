import { expect, test } from '@jest/globals'
import { quantileSince } from '../../../gateway/overview/quantile.ts'

const bounds = [1, 2, 4, 8]
const histogram = (...counts: number[]) => ({ bounds, counts, count: counts.at(-1) ?? 0 })

test('is interpolated within the bucket where it lies', () => {
  // Ten up to 1, ten between 2 and 4.
  const now = histogram(10, 10, 20, 20)
  expect(quantileSince(null, now, 0.25)).toBe(0.5)
  expect(quantileSince(null, now, 0.5)).toBe(1)
  expect(quantileSince(null, now, 0.75)).toBe(3)
  expect(quantileSince(null, now, 1)).toBe(4)
})

test('looks at what was counted since', () => {
  const before = histogram(100, 100, 100, 100)
  expect(quantileSince(before, histogram(100, 100, 100, 104), 0.5)).toBe(6)
  expect(quantileSince(before, before, 0.5)).toBeNull()
})

test('is the highest bound where it lies above', () => {
  expect(quantileSince(null, { bounds, counts: [1, 1, 1, 1], count: 10 }, 0.9)).toBe(8)
})
