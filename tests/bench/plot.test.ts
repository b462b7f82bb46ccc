import { expect, test } from '@jest/globals'
import { chartsSvg } from '../../bench/plot/charts.ts'
import { linearScale, logarithmicScale } from '../../bench/plot/scale.ts'
import { element, escaped } from '../../bench/plot/svg.ts'
import type { Chart } from '../../bench/result.ts'

const chart: Chart = {
  title: 'Rules & more',
  across: 'rules',
  up: 'µs an event',
  points: ['0', '10', '100'],
  lines: [
    { name: 'all <look>', values: [10, 20, 40] },
    { name: 'few look', values: [10, Number.NaN, 12] }
  ]
}

test('a linear scale begins at 0 and ends at a round number', () => {
  expect(linearScale(7).ticks).toEqual([0, 2, 4, 6, 8])
  expect(linearScale(0.9).ticks).toEqual([0, 0.25, 0.5, 0.75, 1])
  expect(linearScale(1000).ticks).toEqual([0, 250, 500, 750, 1000])
  expect(linearScale(0).ticks).toEqual([0, 1])
  expect(linearScale(7).at(4)).toBe(0.5)
})

test('a logarithmic scale has the powers of ten around the values', () => {
  expect(logarithmicScale(30, 2000).ticks).toEqual([10, 100, 1000, 10_000])
  expect(logarithmicScale(10, 10).ticks).toEqual([10, 100])
  expect(logarithmicScale(30, 2000).at(1000)).toBeCloseTo(2 / 3)
})

test('text and attributes can’t end their element', () => {
  expect(escaped('a < b & "c" > d')).toBe('a &lt; b &amp; &quot;c&quot; &gt; d')
  expect(element('text', { x: 1.26, label: '"><script>' }, escaped('<b>'))).toBe(
    '<text x="1.3" label="&quot;&gt;&lt;script&gt;">&lt;b&gt;</text>'
  )
  expect(element('line', {})).toBe('<line/>')
})

test('a chart has each figure that there is, each line’s name and what is on its axes', () => {
  const svg = chartsSvg([chart])
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text)
  expect(texts).toEqual(
    expect.arrayContaining(['Rules &amp; more', 'µs an event', 'rules', '0', '10', '100', '20', '40', '12'])
  )
  expect(texts).toEqual(expect.arrayContaining(['all &lt;look&gt;', 'few look']))
  expect([...svg.matchAll(/<circle[^>]*r="3.5"/g)]).toHaveLength(5)
  expect(svg).not.toContain('NaN')
})

test('charts stand two in a row, with colours for light and for dark ground', () => {
  const svg = chartsSvg([chart, chart, { ...chart, logarithmic: true }])
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 880 600"/)
  expect([...svg.matchAll(/translate\((\d+) (\d+)\)/g)].map(([, x, y]) => [x, y])).toEqual([
    ['0', '0'],
    ['440', '0'],
    ['0', '300']
  ])
  expect(svg).toContain('prefers-color-scheme: dark')
})
