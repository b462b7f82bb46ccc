import { expect, test } from '@jest/globals'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { CrashScenario } from './crash-scenario.ts'

test('kill -9 under load loses nothing that was acknowledged, and nobody misses or sees anything twice', async () => {
  await using folder = await temporaryFolder()
  await using scenario = await CrashScenario.start(folder.path)
  for (const killAfter of [300, 900, 1700]) {
    const report = await scenario.round({ after: killAfter })
    expect(report.mqttAcknowledged).toBeGreaterThan(0)
    expect(report.tcpAcknowledged).toBeGreaterThan(0)
    expect(report.httpAcknowledged).toBeGreaterThan(0)
    expect(report.openAtKill).toBeGreaterThan(0)
    expect(report).toMatchObject({
      lost: 0,
      tcpRepeated: 0,
      exactRepeated: 0,
      feedMissed: 0,
      feedRepeated: 0,
      offlineMissed: 0,
      onlineMissed: 0,
      faintedMissed: 0,
      groupMissed: 0,
      sessionDisorders: 0
    })
  }
}, 300_000)
