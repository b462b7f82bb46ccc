// Lets three of two hundred subscribers stop reading under load and prints what the others and the server noticed:
//   npm run slow -- --seconds 60
import { parseArgs } from 'node:util'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runSlowScenario } from './slow-scenario.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } })
const seconds = Number(values.seconds)

await using folder = await temporaryFolder()
const { frozen, catchUp, steady, readers, ...rest } = await runSlowScenario(folder.path, { seconds })
const phases = { 'three frozen': frozen, 'three catch up': catchUp, 'all read': steady }
console.log(`latency of the subscribers that read, in ms; ${seconds} s each`)
console.table(
  Object.fromEntries(
    Object.entries(phases).map(([name, { latency, residentMiB }]) => [name, { ...latency, residentMiB }])
  )
)
console.table(readers)
console.log(rest)
if (readers.some(({ missed, disordered }) => missed > 0 || disordered > 0)) process.exitCode = 1
