// The part of docs/proof.md that tortures write: a piece for each scenario, which stays until that scenario runs again.
import { readFile, writeFile } from 'node:fs/promises'
import { format } from 'prettier'
import type { Circumstances } from './machine.ts'
import type { Result, Table } from './scenario.ts'

const BEGIN = '<!-- torture:begin -->'
const END = '<!-- torture:end -->'
/** From here on times are said to be those of a busy machine. */
const BUSY_LOAD = 0.5
const STYLE = { parser: 'markdown', printWidth: 110 }

const INTRODUCTION = `## Under every fault

What a server owes whom it acknowledged, while everything around it fails. \`npm run torture\` writes this section; each part
says with which command it was measured, and when. Oracles run outside the server's process and know what it acknowledged.
PASS: everything that was claimed held. Where a machine does not allow a scenario it is NOT RUN, never passed.
`

/** Puts these results into the file in place of earlier ones of the same scenarios; creates it when missing. */
export async function writeProof(
  path: string,
  results: readonly Result[],
  { order, ran }: { order: readonly string[]; ran: Circumstances }
): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => '# Proof\n')
  const [head = '', rest] = before.split(BEGIN)
  const [old = '', tail = ''] = rest?.split(END) ?? []
  const pieces = new Map(
    [...old.matchAll(/<!-- torture:([\w-]+) -->\n([^]*?)(?=<!-- torture:|$)/g)].map(
      ([, name = '', piece = '']) => [name, piece.trim()]
    )
  )
  for (const result of results) pieces.set(result.name, pieceOf(result, ran))
  const shown = order.flatMap(name => {
    const piece = pieces.get(name)
    return piece === undefined ? [] : [`<!-- torture:${name} -->\n\n${piece}\n`]
  })
  const section = `${BEGIN}\n\n${INTRODUCTION}\n${shown.join('\n')}\n${END}`
  await writeFile(path, await format(`${head.trimEnd()}\n\n${section}\n\n${tail.trim()}\n`, STYLE))
}

function pieceOf({ name, claim, verdict, outcome, seconds }: Result, ran: Circumstances): string {
  const { figures, tables = {}, faults, notes = [], pictures = {} } = outcome
  const parts = [`### ${name}: ${verdict}`, claim]
  if (Object.keys(figures).length > 0)
    parts.push(tableOf(Object.entries(figures).map(([figure, value]) => ({ figure, value }))))
  for (const [title, table] of Object.entries(tables)) parts.push(`${title}:`, tableOf(table))
  for (const [file, shows] of Object.entries(pictures)) parts.push(`![${shows}](${file})`)
  if (faults.length > 0) parts.push(faults.map(fault => `- **${fault.replaceAll('\n', ' ')}**`).join('\n'))
  if (notes.length > 0) parts.push(notes.join(' '))
  const busy =
    ran.loadBefore >= BUSY_LOAD
      ? ` The machine did other work, too: load average ${ran.loadBefore.toFixed(1)} before.`
      : ''
  parts.push(`\`${ran.command}\` on ${ran.date}, ${seconds} s. ${ran.machine}; ${ran.versions}.${busy}`)
  return parts.join('\n\n')
}

function tableOf(rows: Table): string {
  const columns = Object.keys(rows[0] ?? {})
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(shown).join(' | ')} |`
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map(row => line(columns.map(key => row[key] ?? '')))
  ].join('\n')
}

function shown(cell: string | number): string {
  return typeof cell === 'number' ? cell.toLocaleString('en', { maximumFractionDigits: 2 }) : cell
}
