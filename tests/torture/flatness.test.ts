import { expect, test } from '@jest/globals'
import { flatnessOf } from './flatness.ts'

const series = (value: (index: number) => number) => Array.from({ length: 90 }, (_, index) => value(index))

test('what rises and falls about the same value is flat', () => {
  const { mean, rise } = flatnessOf(series(index => 100 + (index % 2)))
  expect(mean).toBeCloseTo(100.5)
  expect(Math.abs(rise)).toBeLessThan(0.01)
})

test('what rises in the warm-up alone is flat', () => {
  expect(flatnessOf(series(index => Math.min(index, 30))).rise).toBeCloseTo(0)
})

test('what rises throughout is not', () => {
  const { from, to } = flatnessOf(series(index => 100 + index))
  expect(to - from).toBeCloseTo(59)
})
