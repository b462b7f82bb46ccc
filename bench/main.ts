// npm run bench: measures Tocsin beside its peers, on one core for the server, and prints tables; writes what was found
// into the repository, or compares it with what is there.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { betterRatios, checkRatios, disturbance, findingText } from './check.ts'
import { measuresWithResults, readResults, resultsFolder, writeResults } from './committed-results.ts'
import { environment } from './environment.ts'
import { FilledLogs } from './filled/filled-logs.ts'
import { measures } from './measures/all.ts'
import { chartsSvg } from './plot/charts.ts'
import { tableOf } from './report.ts'
import type { Result } from './result.ts'
import { writeProof } from './write-proof.ts'

/** See bench/README.md for where it comes from. */
const MARGIN = '0.25'
/** CPU time of other work beyond which figures are worth little, % of a core. */
const QUIET_PERCENT = 20
const docs = fileURLToPath(new URL('../../docs/', import.meta.url))

const usage = `npm run bench -- [MEASURE …] [options]

Measures: ${Object.keys(measures).join(', ')}; all of them when none is named.
Needs Linux, and for peers Mosquitto and the npm registry. The server has core 0, what loads it core 1.
Data goes to the temporary folder, or to $BENCH_DIR: latency is also the disk's. Peers are installed in
~/.cache/tocsin-bench, or in $BENCH_CACHE.

  --proof           keep the results in bench/results/ and write them into docs/proof.md
  --check           compare with the results that are kept: exit code 1 when a ratio to a peer is worse
  --margin PART     part by which a ratio may be worse (${MARGIN}), or more where committed rounds were as far apart
  --seconds N       length of each window that is measured (5)
  --rounds N        rounds, of which the median counts (3)
  --against MAIN    measure another build's dist/cli/main.js beside this one
  --profile DIR     write a CPU profile of each Tocsin process and thread there (read it with bench/read-profile.ts)
  --svg FILE        write the charts of growth there
  --json            print JSON in place of tables
  --help            print this`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    proof: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    margin: { type: 'string', default: MARGIN },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    against: { type: 'string' },
    profile: { type: 'string' },
    svg: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const progress = (text: string) => console.error(text)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
if (values.help) console.log(usage)
else process.exitCode = await main()

async function main(): Promise<number> {
  const names = await namesToMeasure()
  const problem = problemWith(names)
  if (problem !== null) {
    console.error(`${problem}\n\n${usage}`)
    return 2
  }
  const where = environment(new Date())
  progress(`${where.machine}; ${where.pinned ? 'server and load on a core each' : 'not pinned'}`)
  await using stores = new FilledLogs(progress)
  const measure = async (name: string) =>
    (await measures[name]?.({
      seconds,
      rounds,
      against: values.against ?? null,
      profile: values.profile ?? null,
      stores,
      progress
    })) ?? []
  const all: Result[] = []
  let failed = 0
  for (const name of names) {
    try {
      const results = await measure(name)
      all.push(...results)
      if (!values.json) for (const result of results) console.log(`\n${tableOf(result)}\n`)
      if (values.proof) {
        const command = ['npm run bench --', ...process.argv.slice(2)].join(' ')
        await writeResults(resultsFolder, name, { environment: where, command, seconds, rounds, results })
      }
      if (values.check && !(await holds(name, results, measure))) failed++
    } catch (error) {
      // The others are worth their time all the same.
      console.error(`${name} could not be measured:`, error)
      failed++
    }
  }
  if (values.json) console.log(JSON.stringify({ environment: where, results: all }, null, 2))
  const charts = all.flatMap(({ chart }) => (chart ? [chart] : []))
  if (values.svg !== undefined && charts.length > 0) await writeFile(values.svg, chartsSvg(charts))
  if (values.proof) {
    const written = await writeProof({ results: resultsFolder, docs, measures: Object.keys(measures) })
    progress(`Written: ${written.map(file => file.slice(join(docs, '..').length)).join(', ')}`)
  }
  return failed > 0 ? 1 : 0
}

async function namesToMeasure(): Promise<string[]> {
  if (positionals.length > 0) return positionals
  const all = Object.keys(measures)
  if (!values.check) return all
  const kept = new Set(await measuresWithResults(resultsFolder))
  const comparable: string[] = []
  for (const name of all.filter(each => kept.has(each))) {
    const committed = await readResults(resultsFolder, name)
    if (committed?.results.some(({ rows }) => rows.some(({ ratios }) => ratios !== undefined)) === true)
      comparable.push(name)
  }
  return comparable
}

/** Whether no ratio is worse than it was. One that is, is measured once more, and the better of the two counts. */
async function holds(
  name: string,
  results: readonly Result[],
  measure: (name: string) => Promise<Result[]>
): Promise<boolean> {
  const margin = Number(values.margin)
  const committed = (await readResults(resultsFolder, name))?.results ?? []
  let verdict = checkRatios(committed, results, margin)
  if (verdict.failed.length > 0) {
    progress(`  ${name} seems worse than it was; it is measured once more`)
    verdict = checkRatios(committed, betterRatios(results, await measure(name)), margin)
  }
  console.log(
    `${name}: ${verdict.compared} ratios compared, ${verdict.failed.length} worse by more than ${margin * 100} % and the noise of the committed rounds`
  )
  for (const finding of verdict.failed) console.log(`  ${findingText(finding)}`)
  if (disturbance(results) > QUIET_PERCENT)
    console.log(
      `  Other work took up to ${Math.round(disturbance(results))} % of a core meanwhile: measure again when the machine is idle.`
    )
  return verdict.failed.length === 0
}

function problemWith(names: readonly string[]): string | null {
  const unknown = names.find(name => !Object.hasOwn(measures, name))
  if (unknown !== undefined) return `There is no measure "${unknown}".`
  if (values.check && names.length === 0)
    return 'There are no results to compare with in bench/results/; --proof writes them.'
  if (values.check && values.proof) return '--check and --proof are two things: compare first, then keep.'
  if (!(Number(values.margin) >= 0)) return '--margin must be a number, 0 or above.'
  if (!(seconds > 0)) return '--seconds must be a number above 0.'
  if (!Number.isInteger(rounds) || rounds < 1) return '--rounds must be a whole number above 0.'
  if (values.against !== undefined && !existsSync(values.against))
    return `There is no file ${values.against}.`
  return null
}
