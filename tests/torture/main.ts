// Proves what Tocsin claims under every fault, or shows that it does not:
//   npm run torture -- [SCENARIO…] [--full] [--seed N] [--rounds N] [--seconds N] [--json FILE] [--proof FILE]
// Without names all run. The exit code is 1 when one fails.
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { circumstances } from './machine.ts'
import { writeProof } from './proof.ts'
import { attempt, type Result } from './scenario.ts'
import { scenarios } from './scenarios.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'string' },
    proof: { type: 'string', default: 'docs/proof.md' }
  }
})
const order = scenarios.map(({ name }) => name)
const unknown = positionals.filter(name => !order.includes(name))
if (unknown.length > 0) {
  console.error(`There is no scenario ${unknown.join(', ')}; there are ${order.join(', ')}.`)
  process.exit(2)
}

const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const ran = circumstances(['npm run torture', ...commandArguments()].join(' '))
const results: Result[] = []
for (const scenario of chosen) {
  console.log(`— ${scenario.name}: ${scenario.claim}`)
  const result = await attempt(scenario, {
    seed: wholeNumber('seed', values.seed) ?? 1,
    rounds: wholeNumber('rounds', values.rounds),
    seconds: wholeNumber('seconds', values.seconds),
    full: values.full,
    pictures: join(dirname(values.proof), 'images'),
    say: line => console.log(`  ${line}`)
  })
  results.push(result)
  console.log(lineOf(result))
}
await writeProof(values.proof, results, { order, ran })
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify({ ...ran, results }, null, 2)}\n`)
console.log(results.map(({ name, verdict }) => `${verdict}  ${name}`).join('\n'))
if (results.some(({ verdict }) => verdict === 'FAIL')) process.exitCode = 1

function wholeNumber(name: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  console.error(`--${name} must be a whole number above 0, not "${text}".`)
  process.exit(2)
}

function lineOf({ name, verdict, outcome: { figures, faults, notes = [] }, seconds }: Result): string {
  const numbers = Object.entries(figures).map(([figure, value]) => `${figure} ${value}`)
  const said = [...faults, ...numbers, ...(verdict === 'NOT RUN' ? notes : [])]
  return `${verdict} ${name} (${seconds} s): ${said.join('; ')}`
}

/** What was typed after `npm run torture --`, or nothing. */
function commandArguments(): string[] {
  const typed = process.argv.slice(2)
  return typed.length === 0 ? [] : ['--', ...typed]
}
