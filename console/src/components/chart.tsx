// A line chart over time, drawn by uPlot, in the page's colours.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { axisTimeText, roundText } from '../format.ts'
import { shownTheme } from '../state/preferences.ts'
import { texts } from '../texts.ts'

export interface ChartSeries {
  name: string
  /** As many as there are times; null: none is known. */
  values: readonly (number | null)[]
  /** Drawn as steps: the value holds until the next. */
  steps?: boolean
  /** A colour of tokens.css, such as `--critical`; absent: the next of the chart's own. */
  colour?: string
}

/** A time in which something was so, drawn behind the lines. */
export interface ChartSpan {
  from: number
  to: number
  severity: string
}

export interface ChartProps {
  title: string
  /** ms since 1970, rising. */
  times: readonly number[]
  series: readonly ChartSeries[]
  /** What stands after a number, such as `ms`. */
  unit?: string
  heightPx?: number
  spans?: readonly ChartSpan[]
  /** Whether the axis begins at 0. */
  fromZero?: boolean
  /** The number beside the title; absent: the first line's last value. */
  headline?: number | null
}

const COLOURS = ['--accent', '--major', '--good'] as const

function colourOf(series: ChartSeries | undefined, at: number): string {
  return series?.colour ?? COLOURS[at] ?? '--accent'
}

export function Chart(props: ChartProps) {
  const { title, times, series, unit = '', heightPx = 130, spans = [], fromZero = true } = props
  const { headline = lastOf(series[0]) } = props
  const frame = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const drawnSpans = useRef(spans)
  drawnSpans.current = spans
  const names = series.map(({ name }) => name).join('\n')
  const chosenTheme = shownTheme.value

  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const drawn = new uPlot(
      optionsOf(element, {
        names: names.split('\n'),
        series,
        heightPx,
        fromZero,
        spans: () => drawnSpans.current
      }),
      dataOf(times, series),
      element
    )
    chart.current = drawn
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: heightPx }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      drawn.destroy()
      chart.current = null
    }
  }, [names, heightPx, fromZero, chosenTheme])

  useEffect(() => chart.current?.setData(dataOf(times, series)), [times, series, spans])

  const main = series[0]
  return (
    <figure class="chart">
      <figcaption class="chart-head">
        <span>{title}</span>
        <span class="chart-value">
          {roundText(headline)} {unit}
        </span>
      </figcaption>
      <div ref={frame} role="img" aria-label={summaryOf(title, main, unit)} />
      {series.length > 1 && (
        <p class="chart-legend">
          {series.map((each, at) => (
            <span key={each.name}>
              <i style={{ background: `var(${colourOf(each, at)})` }} />
              {each.name} {roundText(lastOf(each))} {unit}
            </span>
          ))}
        </p>
      )}
      {times.length === 0 && <p class="quiet">{texts.charts.noData}</p>}
    </figure>
  )
}

function lastOf(series: ChartSeries | undefined): number | null {
  return series?.values.findLast(value => value !== null) ?? null
}

function summaryOf(title: string, series: ChartSeries | undefined, unit: string): string {
  const values = (series?.values ?? []).filter(value => value !== null)
  if (values.length === 0) return `${title}: ${texts.charts.noData}`
  const text = (value: number) => `${roundText(value)} ${unit}`.trim()
  // Not Math.min(...values): a spread of a hundred thousand is too much for the stack.
  const low = values.reduce((least, value) => Math.min(least, value))
  const high = values.reduce((most, value) => Math.max(most, value))
  return texts.charts.summary(title, text(low), text(high), text(values.at(-1) ?? 0))
}

function dataOf(times: readonly number[], series: readonly ChartSeries[]): uPlot.AlignedData {
  return [times.map(time => time / 1000), ...series.map(({ values }) => [...values])] as uPlot.AlignedData
}

interface Drawing {
  names: readonly string[]
  series: readonly ChartSeries[]
  heightPx: number
  fromZero: boolean
  spans: () => readonly ChartSpan[]
}

function optionsOf(element: HTMLElement, drawing: Drawing): uPlot.Options {
  const { names, series, heightPx, fromZero, spans } = drawing
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--ink-quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${colour('--sans')}`
  }
  return {
    width: element.clientWidth,
    height: heightPx,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (chart, low, high) => timesOf(chart, low, high) },
      y: { range: (_chart, low, high) => rangeOf(low, high, fromZero) }
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 66,
        values: (_chart, ticks, _axis, _space, step) =>
          ticks.map(tick => axisTimeText(tick * 1000, step * 1000))
      },
      { ...axis, size: 52, values: (_chart, ticks) => ticks.map(tick => roundText(tick)) }
    ],
    series: [
      {},
      ...names.map((label, at) => ({
        label,
        stroke: colour(colourOf(series[at], at)),
        width: 1.6,
        points: { show: (chart: uPlot) => chart.data[0].length === 1 }, // a line needs two
        spanGaps: true,
        ...(series[at]?.steps && uPlot.paths.stepped && { paths: uPlot.paths.stepped({ align: 1 }) })
      }))
    ],
    hooks: { drawClear: [chart => drawSpans(chart, spans(), colour)] }
  }
}

/** Bounds of the times, in seconds: a minute around a single one. */
function timesOf(chart: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [Date.now() / 1000 - 60, Date.now() / 1000]
  // Of one time uPlot makes years.
  return chart.data[0].length > 1 && low < high ? [low, high] : [low - 30, low + 30]
}

/** Bounds of the axis: some room above, and never a line without a height. */
function rangeOf(low: number | null, high: number | null, fromZero: boolean): [number, number] {
  if (low === null || high === null) return [0, 1]
  const bottom = fromZero ? Math.min(0, low) : low
  const room = (high - bottom) * 0.1 || Math.abs(high) * 0.1 || 1
  return [fromZero && low >= 0 ? 0 : bottom - room, high + room]
}

function drawSpans(chart: uPlot, spans: readonly ChartSpan[], colour: (name: string) => string): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  for (const { from, to, severity } of spans) {
    const left = chart.valToPos(from / 1000, 'x', true)
    const right = chart.valToPos(to / 1000, 'x', true)
    ctx.fillStyle = colour(`--${severity}-ground`) || colour('--surface-hover')
    ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height)
    ctx.fillStyle = colour(`--${severity}`)
    ctx.fillRect(left, bbox.top, 2, bbox.height)
  }
  ctx.restore()
}
