// Kills a server under load many times and prints what became of what it had acknowledged:
//   npm run crash -- --rounds 20
// The exit code is 1 when anything was lost, repeated or missed.
import { parseArgs } from 'node:util'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { CrashScenario, type RoundReport } from './crash-scenario.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const rounds = Number(values.rounds)

await using folder = await temporaryFolder()
await using scenario = await CrashScenario.start(folder.path)
const reports: RoundReport[] = []
for (let round = 1; round <= rounds; round++) {
  const report = await scenario.round({ after: 200 + Math.floor(Math.random() * 5000) })
  reports.push(report)
  console.log(`round ${round}: ${JSON.stringify(report)}`)
}
console.table(reports)
const faults = reports.map(
  each =>
    each.lost +
    each.tcpRepeated +
    each.exactRepeated +
    each.feedMissed +
    each.feedRepeated +
    each.offlineMissed +
    each.onlineMissed +
    each.faintedMissed +
    each.groupMissed +
    each.sessionDisorders
)
const idle = reports.filter(({ openAtKill }) => openAtKill === 0).length
const acknowledged = reports.reduce(
  (sum, each) => sum + each.mqttAcknowledged + each.tcpAcknowledged + each.httpAcknowledged,
  0
)
const failed = faults.some(count => count > 0) || idle > 0
console.log(
  `${acknowledged} events acknowledged in ${rounds} rounds; ${failed ? 'FAILED' : 'nothing lost, repeated or missed'}`
)
if (failed) process.exitCode = 1
