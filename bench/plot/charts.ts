// Charts as one SVG, two in a row, readable on light and on dark ground.
import type { Chart } from '../result.ts'
import { linearScale, logarithmicScale, type Scale } from './scale.ts'
import { element, escaped } from './svg.ts'

const COLUMNS = 2
const WIDTH = 440
const HEIGHT = 300
/** Around the field in which lines are drawn. */
const FIELD = { left: 62, top: 58, right: 24, bottom: 54 }
const WIDE = WIDTH - FIELD.left - FIELD.right
const HIGH = HEIGHT - FIELD.top - FIELD.bottom

// The colours of lines differ in lightness, too.
const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.small { fill: #59636e }
.value { font-size: 11px }
.grid { stroke: #d1d9e0 }
.line { fill: none; stroke-width: 2.5 }
.line-0 { stroke: #0550ae } .dot-0 { fill: #0550ae }
.line-1 { stroke: #bc4c00 } .dot-1 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #9198a1 }
.grid { stroke: #3d444d }
.line-0 { stroke: #79c0ff } .dot-0 { fill: #79c0ff }
.line-1 { stroke: #ffa657 } .dot-1 { fill: #ffa657 }
}
`

/** The charts as a whole document, which uses no font and no colour of the page around it. */
export function chartsSvg(charts: readonly Chart[]): string {
  const columns = Math.min(COLUMNS, charts.length)
  const width = columns * WIDTH
  const height = Math.ceil(charts.length / COLUMNS) * HEIGHT
  const panels = charts.map((chart, index) => {
    const x = (index % COLUMNS) * WIDTH
    const y = Math.floor(index / COLUMNS) * HEIGHT
    return element('g', { transform: `translate(${x} ${y})` }, ...panel(chart))
  })
  const described = charts.map(({ title, up }) => `${title}: ${up}`).join('; ')
  const document = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': described
    },
    element('style', {}, style),
    ...panels
  )
  return `${document}\n`
}

function panel(chart: Chart): string[] {
  const values = chart.lines.flatMap(line => line.values).filter(value => !Number.isNaN(value))
  const scale =
    chart.logarithmic === true
      ? logarithmicScale(Math.min(...values), Math.max(...values))
      : linearScale(Math.max(...values))
  return [
    textAt({ x: 16, y: 22, kind: 'title' }, chart.title),
    textAt({ x: 16, y: 40, kind: 'small' }, chart.up),
    ...gridOf(scale),
    ...chart.points.map((point, index) =>
      textAt({ x: xOf(index, chart.points.length), y: HEIGHT - FIELD.bottom + 22, anchor: 'middle' }, point)
    ),
    textAt({ x: FIELD.left + WIDE / 2, y: HEIGHT - 14, kind: 'small', anchor: 'middle' }, chart.across),
    ...chart.lines.flatMap((_, index) => lineOf(chart.lines, index, scale))
  ]
}

function gridOf(scale: Scale): string[] {
  return scale.ticks.flatMap(tick => {
    const y = yOf(scale, tick)
    return [
      element('line', { class: 'grid', x1: FIELD.left, x2: WIDTH - FIELD.right, y1: y, y2: y }),
      textAt({ x: FIELD.left - 8, y: y + 4, kind: 'small', anchor: 'end' }, tick.toLocaleString('en'))
    ]
  })
}

function lineOf(lines: Chart['lines'], index: number, scale: Scale): string[] {
  const { name, values } = lines[index] ?? { name: '', values: [] }
  // The figures of the higher line stand above it, those of the lower one below.
  const highest = (at: number) => Math.max(...lines.map(line => line.values[at] ?? 0))
  const points = values
    .map((value, at) => ({
      value,
      x: xOf(at, values.length),
      y: yOf(scale, value),
      away: value === highest(at) ? -9 : 17
    }))
    .filter(({ value }) => !Number.isNaN(value))
  const path = points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
  const parts = [
    element('path', { class: `line line-${index}`, d: path }),
    ...points.flatMap(({ x, y, away, value }) => [
      element('circle', { class: `dot-${index}`, cx: x, cy: y, r: 3.5 }),
      textAt(
        { x, y: y + away, kind: 'value', anchor: 'middle' },
        Number(value.toPrecision(3)).toLocaleString('en')
      )
    ])
  ]
  if (lines.length === 1) return parts
  const y = 18 + 16 * index
  return [
    ...parts,
    element('circle', { class: `dot-${index}`, cx: WIDTH - FIELD.right - 5, cy: y - 4, r: 4 }),
    textAt({ x: WIDTH - FIELD.right - 15, y, kind: 'small', anchor: 'end' }, name)
  ]
}

interface Place {
  x: number
  y: number
  kind?: 'title' | 'small' | 'value'
  anchor?: 'middle' | 'end'
}

function textAt({ x, y, kind, anchor }: Place, text: string): string {
  const given = { x, y, ...(kind && { class: kind }), ...(anchor && { 'text-anchor': anchor }) }
  return element('text', given, escaped(text))
}

function xOf(index: number, count: number): number {
  // Half a step free at both ends, for the figures.
  return FIELD.left + (WIDE * (index + 0.5)) / count
}

function yOf(scale: Scale, value: number): number {
  return FIELD.top + HIGH * (1 - scale.at(value))
}
