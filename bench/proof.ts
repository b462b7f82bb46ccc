// The bench's section of docs/proof.md, written from the committed results. Pure.
import { noiseOf } from './check.ts'
import type { Committed } from './committed-results.ts'
import { cellsOf, goalText, measuredText, verdictOf } from './report.ts'
import { isMet, type Goal, type Result } from './result.ts'

export const BEGIN = '<!-- bench:begin -->'
export const END = '<!-- bench:end -->'
const HEAD = `# Proof

What is claimed of Tocsin, as commands have measured it. Each section is written by its command.
`

/** The text with the section in place of the one before; at its end when there was none. Throws when a mark is alone. */
export function withSection(text: string | null, section: string): string {
  const marked = `${BEGIN}\n\n${section.trim()}\n\n${END}\n`
  if (text === null) return `${HEAD}\n${marked}`
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 && end < 0) return `${text.trimEnd()}\n\n${marked}`
  if (begin < 0 || end < begin) throw new Error(`docs/proof.md must have ${BEGIN} before ${END}, or neither`)
  return `${text.slice(0, begin)}${marked.trimEnd()}${text.slice(end + END.length)}`
}

/** The section as Markdown. `chart` is where the picture of growth is, as seen from the document. */
export function proofSection(measures: readonly Committed[], chart: string): string {
  const results = measures.flatMap(measure => measure.results)
  const goals = results.flatMap(({ goals: all = [] }) => all)
  const grown = results.filter(result => result.chart !== undefined)
  const others = results.filter(result => result.chart === undefined)
  return [
    '## Measured beside its peers',
    introduction(measures),
    '### Goals',
    goalTable(goals),
    ...missedReasons(goals),
    ...(grown.length > 0
      ? [
          '### How the cost of an event grows',
          `![How the cost of an event grows](${chart})`,
          ...grown.map(resultText)
        ]
      : []),
    '### Every measure',
    ...others.map(resultText)
  ].join('\n\n')
}

function introduction(measures: readonly Committed[]): string {
  const runs = new Map<string, string[]>()
  for (const { environment, command, seconds, rounds } of measures) {
    const { date, machine, versions, pinned } = environment
    const parts = [
      `- Machine: ${machine}; ${pinned ? 'the server on one core, what loads it on another' : 'cores are shared'}.`,
      `- Versions: ${Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}.`,
      `- Windows of ${seconds} s, medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`
    ].join('\n')
    const days = runs.get(parts) ?? []
    days.push(`\`${command}\` on ${date.slice(0, 10)}`)
    runs.set(parts, days)
  }
  const texts = [...runs].map(([parts, days]) => `Written by ${[...new Set(days)].join(', ')}.\n\n${parts}`)
  return [
    ...texts,
    'CPU time is that of the server’s process with all its threads, as the operating system accounts for it. Compare the ratios; absolute figures are those of this machine.',
    `The ratio of a single round was at most ${Math.round(100 * noiseOf(measures.flatMap(({ results }) => results)))} % away from the one that is told.`
  ].join('\n\n')
}

function goalTable(goals: readonly Goal[]): string {
  const met = goals.filter(goal => isMet(goal) === true).length
  const lines = goals.map(goal => [goalText(goal), measuredText(goal), verdictOf(goal)])
  return `${met} of ${goals.length} are met.\n\n${markdownTable([['goal', 'measured', ''], ...lines])}`
}

function missedReasons(goals: readonly Goal[]): string[] {
  const lines = goals.flatMap(goal =>
    isMet(goal) === false && goal.whyMissed !== undefined ? [`- ${goal.what}: ${goal.whyMissed}`] : []
  )
  return lines.length === 0 ? [] : ['Why goals are missed:', lines.join('\n')]
}

function resultText({ title, rows, notes = [], missing = [] }: Result): string {
  const remarks = [...missing, ...notes].map(note => `- ${note}`).join('\n')
  return [
    `**${upperFirst(title)}**`,
    markdownTable(cellsOf(rows)),
    ...(remarks === '' ? [] : [remarks])
  ].join('\n\n')
}

function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function markdownTable([head = [], ...lines]: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  return [row(head), row(rule), ...lines.map(row)].join('\n')
}
