import { expect, test } from '@jest/globals'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { AlertCrashScenario } from './alert-crash-scenario.ts'

test('kill -9 while rules fire and webhooks fail: each alert once, each delivery at least once', async () => {
  await using folder = await temporaryFolder()
  await using scenario = await AlertCrashScenario.start(folder.path)
  let before = 0
  for (const killAfter of [700, 1900, 3100]) {
    const report = await scenario.round(killAfter)
    expect(report.events).toBeGreaterThan(before)
    expect(report.raised).toBeGreaterThan(report.events / 80)
    expect(report.attempts).toBeGreaterThan(0)
    expect(report).toMatchObject({
      wavesWrong: 0,
      milestonesMissed: 0,
      milestonesRepeated: 0,
      untold: 0,
      invented: 0,
      unrecorded: 0
    })
    before = report.events
  }
})
