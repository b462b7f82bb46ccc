import { expect, test } from '@jest/globals'
import { betterRatios, checkRatios, disturbance, findingText, noiseOf } from '../../bench/check.ts'
import { withRatios, type Result } from '../../bench/result.ts'

/** A result with one ratio for each cost, all to a peer whose event costs 10. */
function resultOf(costs: Record<string, number>): Result {
  const own = Object.entries(costs).map(([name, cost]) => ({ name, figures: { cost } }))
  const rows = withRatios([{ name: 'Peer', peer: true, figures: { cost: 10 } }, ...own], 'cost')
  return { measure: 'in', title: 'Events in', rows }
}

test('a ratio may be worse by the margin, and no more', () => {
  const committed = [resultOf({ fast: 4, slow: 8 })]
  expect(checkRatios(committed, [resultOf({ fast: 4.9, slow: 2 })], 0.25)).toEqual({
    failed: [],
    compared: 2
  })
  const { failed, compared } = checkRatios(committed, [resultOf({ fast: 5.2, slow: 8 })], 0.25)
  expect(compared).toBe(2)
  expect(failed.map(findingText)).toEqual([
    'Events in: fast × Peer: 0.520, 30 % worse than the committed 0.400; it may be 25 %'
  ])
})

test('a ratio may be worse by as much as its committed rounds were apart', () => {
  const committed = [resultOf({ fast: 4, slow: 4 })]
  const fast = committed[0]?.rows[1]?.ratios?.[0]
  if (fast === undefined) throw new Error('no ratio')
  fast.rounds = [0.4, 0.36, 0.6]
  expect(checkRatios(committed, [resultOf({ fast: 5.9, slow: 4 })], 0.25).failed).toEqual([])
  const { failed } = checkRatios(committed, [resultOf({ fast: 6.2, slow: 5.9 })], 0.25)
  expect(failed.map(findingText)).toEqual([
    'Events in: fast × Peer: 0.620, 55 % worse than the committed 0.400; it may be 50 %',
    'Events in: slow × Peer: 0.590, 48 % worse than the committed 0.400; it may be 25 %'
  ])
})

test('a committed ratio that is not there now fails', () => {
  const committed = [resultOf({ fast: 4 })]
  const found = [{ ...resultOf({}), missing: ['Peer is not measured'] }]
  const { failed, compared } = checkRatios(committed, found, 0.25)
  expect(compared).toBe(0)
  expect(failed.map(findingText)).toEqual([
    'Events in: fast × Peer: 0.400 is committed, and nothing could be measured'
  ])
})

test('what could not be measured when it was committed is not compared', () => {
  const committed = [resultOf({ fast: Number.NaN })]
  expect(checkRatios(committed, [resultOf({ fast: 4 })], 0)).toEqual({ failed: [], compared: 0 })
})

test('of two measures each ratio counts as it was better', () => {
  const better = betterRatios([resultOf({ fast: 6, slow: 7 })], [resultOf({ fast: 5, slow: 9 })])
  const values = better[0]?.rows.flatMap(({ ratios = [] }) => ratios.map(({ value }) => value))
  expect(values).toEqual([0.5, 0.7])
})

test('a measure that failed the second time counts as it was the first time', () => {
  const better = betterRatios([resultOf({ fast: 6 })], [])
  expect(better[0]?.rows[1]?.ratios).toEqual([{ to: 'Peer', value: 0.6 }])
})

test('tells how much of a core other work took, at most', () => {
  const rows = [
    { name: 'Peer', figures: { cost: 1, 'others %': 3 } },
    { name: 'Tocsin', figures: { cost: 1, 'others %': 41 } }
  ]
  expect(disturbance([{ measure: 'in', title: 'Events in', rows }, resultOf({ fast: 4 })])).toBe(41)
  expect(disturbance([])).toBe(0)
})

test('noise is the furthest that a round was from its median', () => {
  const rows = withRatios(
    [
      { name: 'Peer', peer: true, figures: { cost: 10 }, rounds: { cost: [10, 10, 8] } },
      { name: 'Tocsin', figures: { cost: 5 }, rounds: { cost: [5, 6, 4] } }
    ],
    'cost'
  )
  expect(rows[1]?.ratios?.[0]?.rounds).toEqual([0.5, 0.6, 0.5])
  expect(noiseOf([{ measure: 'in', title: 'Events in', rows }])).toBeCloseTo(0.2)
})
