// Results as tables for people.
import type { Result, Row } from './result.ts'

/** One result: a table with a line for each row, and how they compare. */
export function tableOf({ title, rows, notes = [] }: Result): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))]
  const compared = rows.some(({ ratio }) => ratio !== undefined)
  const head = ['', ...columns, ...(compared ? ['ratio', 'goal'] : [])]
  const lines = [head, ...rows.map(row => cellsOf(row, columns))]
  const widths = head.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  const text = lines.map(line =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join('  ')
      .trimEnd()
  )
  return [title, ...text.map(line => `  ${line}`), ...notes.map(note => `  * ${note}`)].join('\n')
}

function cellsOf({ name, figures, ratio }: Row, columns: readonly string[]): string[] {
  const cells = [name, ...columns.map(column => figureText(figures[column]))]
  if (ratio === undefined) return cells
  const { value, goal } = ratio
  const verdict = goal === null ? '' : `≤ ${goal.toFixed(3)} ${value <= goal ? 'met' : 'missed'}`
  return [...cells, value.toFixed(3), verdict]
}

/** Three significant digits, or whole where that says more. */
export function figureText(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}
