// Results as tables for people, in a terminal.
import { isMet, type Goal, type Result, type Row } from './result.ts'

/** One result: a table with a line for each row, how they compare, and its goals. */
export function tableOf({ title, rows, goals = [], notes = [], missing = [] }: Result): string {
  const lines = cellsOf(rows)
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map(line => line[column]?.length ?? 0))
  )
  const text = lines.map(line =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join('  ')
      .trimEnd()
  )
  return [
    title,
    ...text.map(line => `  ${line}`),
    ...goals.map(goal => `  ${verdictOf(goal)}: ${goalText(goal)}: ${measuredText(goal)}`),
    ...[...missing, ...notes].map(note => `  * ${note}`)
  ].join('\n')
}

/** A head and a line for each row, all of the same number of cells. */
export function cellsOf(rows: readonly Row[]): string[][] {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))]
  const peers = [...new Set(rows.flatMap(({ ratios = [] }) => ratios.map(({ to }) => to)))]
  return [
    ['', ...columns, ...peers.map(peer => `× ${peer}`)],
    ...rows.map(({ name, figures, ratios = [] }) => [
      name,
      ...columns.map(column => (column in figures ? figureText(figures[column]) : '')),
      ...peers.map(peer => {
        const ratio = ratios.find(({ to }) => to === peer)
        return ratio === undefined ? '' : figureText(ratio.value)
      })
    ])
  ]
}

export function verdictOf(goal: Goal): string {
  const met = isMet(goal)
  if (met === null) return 'not measured'
  return met ? 'met' : 'missed'
}

/** What was measured of a goal, with its unit. */
export function measuredText({ figure, unit }: Goal): string {
  return Number.isNaN(figure) ? '–' : `${figureText(figure)} ${unit}`
}

/** What is wanted, such as `MQTT QoS 1 in ≤ 1 × Mosquitto`. */
export function goalText({ what, sense, limit, unit }: Goal): string {
  return `${what} ${sense === 'at most' ? '≤' : '≥'} ${limit.toLocaleString('en')} ${unit}`
}

/** Three significant digits, or whole where that says more. */
export function figureText(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}
