import { expect, test } from '@jest/globals'
import { rowOf } from '../../bench/compare.ts'
import { cellsOf, figureText, goalText, tableOf, verdictOf } from '../../bench/report.ts'
import { isMet, median, ratioGoal, withRatios, type Goal, type Row } from '../../bench/result.ts'

const goal: Goal = { what: 'start', sense: 'at most', limit: 2, unit: 's', figure: 1.9 }

test('a median is the middle one, or lies between the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 100])).toBe(3.5)
  expect(median([])).toBeNaN()
})

test('a round in which nothing could be measured does not count', () => {
  expect(median([9, Number.NaN, 1, 5])).toBe(5)
  expect(median([Number.NaN])).toBeNaN()
})

test('a row has the median of each column over its rounds', () => {
  const row = rowOf('Tocsin', [
    { cost: 3, rate: 10 },
    { cost: 1, rate: 30 },
    { cost: 2, rate: 20 }
  ])
  expect(row).toEqual({
    name: 'Tocsin',
    figures: { cost: 2, rate: 20 },
    rounds: { cost: [3, 1, 2], rate: [10, 30, 20] }
  })
})

test('a goal is met at its limit, from either side, and not judged without a figure', () => {
  expect(isMet({ ...goal, figure: 2 })).toBe(true)
  expect(isMet({ ...goal, figure: 2.01 })).toBe(false)
  expect(isMet({ ...goal, sense: 'at least', figure: 2 })).toBe(true)
  expect(isMet({ ...goal, sense: 'at least', figure: 1.99 })).toBe(false)
  expect(isMet({ ...goal, figure: Number.NaN })).toBeNull()
  expect(verdictOf({ ...goal, figure: Number.NaN })).toBe('not measured')
  expect(goalText({ ...goal, sense: 'at least', limit: 2_000_000, unit: '/s' })).toBe('start ≥ 2,000,000 /s')
})

test('Tocsin’s rows are compared with every peer, and peers with nobody', () => {
  const rows = withRatios(
    [
      { name: 'Mosquitto', peer: true, figures: { cost: 10 } },
      { name: 'aedes', peer: true, figures: { cost: 20 } },
      { name: 'Tocsin', figures: { cost: 5 } }
    ],
    'cost'
  )
  expect(rows.map(({ ratios }) => ratios)).toEqual([
    undefined,
    undefined,
    [
      { to: 'Mosquitto', value: 0.5 },
      { to: 'aedes', value: 0.25 }
    ]
  ])
  expect(ratioGoal(rows, { what: 'in', to: 'aedes', limit: 0.2 })).toEqual({
    what: 'in',
    sense: 'at most',
    limit: 0.2,
    unit: '× aedes',
    figure: 0.25
  })
  expect(ratioGoal(rows, { what: 'in', to: 'Socket.IO', limit: 0.2 }).figure).toBeNaN()
})

test('figures have three digits, or are whole where that says more', () => {
  expect([0.12345, 12.345, 123.45, 1_234_567, 3, undefined, Number.NaN].map(figureText)).toEqual([
    '0.123',
    '12.3',
    '123',
    '1,234,567',
    '3',
    '–',
    '–'
  ])
})

test('a table has a column for each figure of any row, and its goals and notes below', () => {
  const rows: Row[] = [
    { name: 'Peer', figures: { cost: 10 }, peer: true },
    { name: 'Tocsin', figures: { cost: 5, lost: 0 }, ratios: [{ to: 'Peer', value: 0.5 }] }
  ]
  expect(cellsOf(rows)).toEqual([
    ['', 'cost', 'lost', '× Peer'],
    ['Peer', '10', '', ''],
    ['Tocsin', '5', '0', '0.500']
  ])
  expect(
    tableOf({ measure: 'in', title: 'In', rows, goals: [goal], notes: ['A note.'] }).split('\n')
  ).toEqual([
    'In',
    '          cost  lost  × Peer',
    '  Peer      10',
    '  Tocsin     5     0   0.500',
    '  met: start ≤ 2 s: 1.90 s',
    '  * A note.'
  ])
})
