// A plot of lines over time as SVG, plain enough to be read in a page of text.

export interface Panel {
  title: string
  values: readonly number[]
  /** Straight line over the judged part, from and to. */
  fit: { from: number; to: number }
}

export interface PlotOptions {
  /** Seconds of each sample. */
  seconds: readonly number[]
  /** Where judging begins, in seconds. */
  judgedFrom: number
}

const WIDTH = 720
const PANEL_HEIGHT = 180
const LEFT = 56
const RIGHT = 28
const TOP = 28
const BOTTOM = 26
const TICKS = 4

/** Panels one below the other, over the same time. */
export function plot(panels: readonly Panel[], { seconds, judgedFrom }: PlotOptions): string {
  const height = panels.length * PANEL_HEIGHT
  const drawn = panels.map((panel, index) => drawPanel(panel, { seconds, judgedFrom }, index * PANEL_HEIGHT))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...drawn,
    '</svg>',
    ''
  ].join('\n')
}

function drawPanel({ title, values, fit }: Panel, { seconds, judgedFrom }: PlotOptions, top: number): string {
  const end = Math.max(1, seconds.at(-1) ?? 1)
  const most = Math.max(1, ...values) * 1.1
  const x = (second: number) => round(LEFT + (second / end) * (WIDTH - LEFT - RIGHT))
  const y = (value: number) => round(top + TOP + (1 - value / most) * (PANEL_HEIGHT - TOP - BOTTOM))
  const line = values.map((value, index) => `${x(seconds[index] ?? 0)},${y(value)}`).join(' ')
  const bottom = y(0)
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => {
    const [value, second] = [(most / TICKS) * index, (end / TICKS) * index]
    return [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#dddddd"/>`,
      `<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end" fill="#555555">${Math.round(value)}</text>`,
      `<text x="${x(second)}" y="${bottom + 16}" text-anchor="middle" fill="#555555">${minutes(second)}</text>`
    ].join('\n')
  })
  return [
    `<text x="${LEFT}" y="${top + 18}" font-weight="bold" fill="#222222">${title}</text>`,
    ...ticks,
    `<line x1="${x(judgedFrom)}" x2="${x(judgedFrom)}" y1="${top + TOP}" y2="${bottom}" stroke="#888888" stroke-dasharray="4 3"/>`,
    `<polyline points="${line}" fill="none" stroke="#2563a8" stroke-width="1.5"/>`,
    `<line x1="${x(judgedFrom)}" x2="${x(end)}" y1="${y(fit.from)}" y2="${y(fit.to)}" stroke="#c2410c" stroke-width="1.5"/>`
  ].join('\n')
}

function minutes(second: number): string {
  return `${round(second / 60)} min`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
