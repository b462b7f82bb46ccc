// Kills a server many times while rules fire and webhooks fail, and prints what became of alerts and deliveries:
//   npm run alert-crash -- --rounds 20
// The exit code is 1 when an alert or a delivery was lost, or an alert was there twice.
import { parseArgs } from 'node:util'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { AlertCrashScenario, type AlertRoundReport } from './alert-crash-scenario.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const rounds = Number(values.rounds)

await using folder = await temporaryFolder()
await using scenario = await AlertCrashScenario.start(folder.path)
const reports: AlertRoundReport[] = []
for (let round = 1; round <= rounds; round++)
  reports.push(await scenario.round(200 + Math.floor(Math.random() * 4000)))
console.table(reports)
const faults = reports.reduce(
  (sum, { wavesWrong, milestonesMissed, milestonesRepeated, untold, invented, unrecorded }) =>
    sum + wavesWrong + milestonesMissed + milestonesRepeated + untold + invented + unrecorded,
  0
)
const last = reports.at(-1)
console.log(
  `${last?.raised} alerts raised by ${last?.events} events, ${last?.attempts} attempts at deliveries, ${rounds} kills; ` +
    (faults > 0 ? 'FAILED' : 'each alert once, each delivery at least once')
)
if (faults > 0) process.exitCode = 1
