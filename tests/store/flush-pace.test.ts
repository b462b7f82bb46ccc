import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { FlushCost, FlushPace } from '../../store/flush-pace.ts'

/** The pause after many flushes that took as long, ms. */
function steadyPause(tookMs: number, hasSpareTime: boolean): number {
  const cost = new FlushCost()
  let pause = 0
  for (let flush = 0; flush < 50; flush++) pause = cost.pauseMs(tookMs, { hasSpareTime })
  return pause
}

test.each([
  [0.05, 0.0025, 0.2],
  [1, 1, 4],
  [3, 9, 12],
  [10, 40, 40]
])(
  'after flushes of %d ms it pauses %d ms where there is time to spare, otherwise %d',
  (took, spare, busy) => {
    expect(steadyPause(took, true)).toBeCloseTo(spare)
    expect(steadyPause(took, false)).toBeCloseTo(busy)
  }
)

test('one flush that is long by chance makes no long pause', () => {
  const cost = new FlushCost()
  for (let flush = 0; flush < 50; flush++) cost.pauseMs(0.5, { hasSpareTime: false })
  expect(cost.pauseMs(30, { hasSpareTime: false })).toBeCloseTo(0.5 * 1.25 * 4)
  expect(cost.pauseMs(0.5, { hasSpareTime: false })).toBeCloseTo(2)
})

test('flushes once for all requests before, never in the same turn, and not after its end', async () => {
  let flushes = 0
  const pace = new FlushPace(() => flushes++, 25)
  pace.request()
  pace.request()
  expect(flushes).toBe(0)
  await eventually(() => flushes > 0)
  await new Promise(resolve => setImmediate(resolve))
  expect(flushes).toBe(1)
  pace.request()
  pace.stop()
  await new Promise(resolve => setTimeout(resolve, 5))
  expect(flushes).toBe(1)
})
