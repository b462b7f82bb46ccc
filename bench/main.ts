// npm run bench: measures Tocsin beside its peers, on one core for the server, and prints tables.
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureConnections } from './measures/connections.ts'
import { FilledLogs } from './filled/filled-logs.ts'
import { measureDeliveries, measureFeedFilters, measureFeedOut } from './measures/feed-out.ts'
import { measureGrowth } from './measures/growth.ts'
import { measureGuard } from './measures/guard.ts'
import { measureHistory } from './measures/history.ts'
import { measureQos1In, measureTcpIn } from './measures/ingest.ts'
import { measureLatency } from './measures/latency.ts'
import { measureQos0Out, measureQos1Out } from './measures/mqtt-out.ts'
import { measureResume } from './measures/resume.ts'
import { measureRules } from './measures/rules.ts'
import { measureStart } from './measures/start.ts'
import { isPinned } from './pinning.ts'
import { tableOf } from './report.ts'
import type { Measure, Result } from './result.ts'

const measures: Record<string, Measure> = {
  'qos1-in': measureQos1In,
  'tcp-in': measureTcpIn,
  'qos0-out': measureQos0Out,
  'qos1-out': measureQos1Out,
  'feed-out': measureFeedOut,
  'feed-filters': measureFeedFilters,
  deliveries: measureDeliveries,
  latency: measureLatency,
  resume: measureResume,
  history: measureHistory,
  start: measureStart,
  connections: measureConnections,
  growth: measureGrowth,
  guard: measureGuard,
  rules: measureRules
}

const usage = `npm run bench -- [MEASURE …] [options]

Measures: ${Object.keys(measures).join(', ')}; all of them when none is named.
Needs Linux, Mosquitto, and for feed-out the npm registry. The server has core 0, what loads it core 1.
Data goes to the temporary folder, or to $BENCH_DIR: latency is also the disk's.

  --seconds N       length of each window that is measured (5)
  --rounds N        rounds, of which the median counts (3)
  --against MAIN    measure another build's dist/cli/main.js beside this one
  --profile DIR     write a CPU profile of each Tocsin process and thread there (read it with bench/read-profile.ts)
  --json            print JSON in place of tables
  --help            print this`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    against: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
if (values.help) console.log(usage)
else process.exitCode = await run()

async function run(): Promise<number> {
  const names = positionals.length > 0 ? positionals : Object.keys(measures)
  const problem = problemWith(names)
  if (problem !== null) {
    console.error(`${problem}\n\n${usage}`)
    return 2
  }
  const cpu = cpus()[0]?.model ?? 'unknown CPU'
  const where = { cpu, node: process.version, pinned: isPinned() }
  console.error(`${cpu}, Node.js ${process.version}, ${where.pinned ? 'one core each' : 'not pinned'}`)
  const results: Result[] = []
  const progress = (text: string) => console.error(text)
  await using stores = new FilledLogs(progress)
  for (const name of names) {
    const found = await measures[name]?.({
      seconds: Number(values.seconds),
      rounds: Number(values.rounds),
      against: values.against ?? null,
      profile: values.profile ?? null,
      stores,
      progress
    })
    for (const result of found ?? []) {
      results.push(result)
      if (!values.json) console.log(`\n${tableOf(result)}\n`)
    }
  }
  if (values.json) console.log(JSON.stringify({ ...where, results }, null, 2))
  return 0
}

function problemWith(names: readonly string[]): string | null {
  const unknown = names.find(name => !Object.hasOwn(measures, name))
  if (unknown !== undefined) return `There is no measure "${unknown}".`
  if (!(Number(values.seconds) > 0)) return '--seconds must be a number above 0.'
  if (!Number.isInteger(Number(values.rounds)) || Number(values.rounds) < 1)
    return '--rounds must be a whole number above 0.'
  if (values.against !== undefined && !existsSync(values.against))
    return `There is no file ${values.against}.`
  return null
}
