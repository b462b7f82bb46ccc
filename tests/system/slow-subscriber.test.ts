import { expect, test } from '@jest/globals'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runSlowScenario } from './slow-scenario.ts'

const FREEZE_SECONDS = 4

test('subscribers that stop reading cost the others no time and the server little memory, and get everything later', async () => {
  await using folder = await temporaryFolder()
  const { frozen, catchUp, steady, ...report } = await runSlowScenario(folder.path, {
    seconds: FREEZE_SECONDS,
    settings: { 'http.unsentBytesMax': '64KiB', 'mqtt.unsentBytesMax': '64KiB' } // reached soon
  })
  // Each was so far behind that the server had to stop sending to it.
  expect(report.feedLeaves).toBeGreaterThan(0)
  expect(report.mqttCatchUps).toBeGreaterThan(1)
  for (const { missed, disordered, gaps } of report.readers)
    expect({ missed, disordered, gaps }).toEqual({ missed: 0, disordered: 0, gaps: 0 })
  // A server that waits for a socket makes the others wait as long as the freeze, half of it in the median. The margins are
  // for the machine's noise, and for what else it does.
  expect(frozen.latency.median).toBeLessThan(3 * steady.latency.median + FREEZE_SECONDS * 200)
  for (const { latency } of [frozen, catchUp]) {
    expect(latency.count).toBeGreaterThan(0)
    expect(latency.p99).toBeLessThan(3 * steady.latency.p99 + FREEZE_SECONDS * 500)
  }
  expect(Math.max(frozen.residentMiB, catchUp.residentMiB)).toBeLessThan(steady.residentMiB + 96)
})
