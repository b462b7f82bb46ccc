// Frozen subscribers among a thousand, and those whose place retention has passed.
import { join } from 'node:path'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runSlowScenario, type PhaseReport } from '../system/slow-scenario.ts'
import { passRetention } from './past-retention.ts'
import { countFaults, type Scenario } from './scenario.ts'

const SUBSCRIBERS = 1000
const SECONDS = 15
const SECONDS_FULL = 120
/** Less load for each than in the smaller scenario: all readers are in the process that measures. */
const TICK_MS = 100

export const slow: Scenario = {
  name: 'slow',
  claim:
    'Three frozen subscribers among 1,000 cost the others nothing and miss nothing when they read again; one whose place retention has passed is told the gap with both ends.',
  async run({ seconds: asked, full, say }) {
    const seconds = asked ?? (full ? SECONDS_FULL : SECONDS)
    await using folder = await temporaryFolder()
    const retention = await passRetention(join(folder.path, 'retention'))
    say(JSON.stringify(retention))
    const { frozen, catchUp, steady, readers, ...rest } = await runSlowScenario(join(folder.path, 'slow'), {
      seconds,
      others: SUBSCRIBERS - 3,
      tickMs: TICK_MS
    })
    const phase = (name: string, { latency, residentMiB }: PhaseReport) => ({
      phase: name,
      'median, ms': latency.median,
      '99th percentile, ms': latency.p99,
      'longest, ms': latency.max,
      deliveries: latency.count,
      'most memory, MiB': residentMiB
    })
    const zero = {
      'missed by those who were frozen': readers.reduce((sum, { missed }) => sum + missed, 0),
      'out of order or twice for them': readers.reduce((sum, { disordered }) => sum + disordered, 0),
      'gaps told to them, with nothing removed': readers.reduce((sum, { gaps }) => sum + gaps, 0)
    }
    return {
      figures: {
        subscribers: SUBSCRIBERS,
        'frozen for, s': seconds,
        'held back for each of the frozen, MiB': rest.heldBackMiB,
        'seconds until they had caught up': rest.catchUpSeconds,
        ...zero,
        'events removed behind a subscriber that was away': retention.removed,
        'gaps told to it': retention.gapsAway,
        'gaps told to one that was frozen': retention.gapsFrozen,
        'gaps whose ends are wrong, or events without a gap': retention.faults.length
      },
      tables: {
        'The other 997, from a device’s sending to their receiving': [
          phase('three frozen', frozen),
          phase('three catch up', catchUp),
          phase('all read', steady)
        ]
      },
      faults: [
        ...countFaults(zero),
        ...retention.faults,
        ...(rest.feedLeaves === 0 || rest.mqttCatchUps === 0
          ? ['nobody was slow: the frozen ones were not held back']
          : [])
      ],
      notes: [
        'The subscribers share one process and the machine’s cores with the server: compare the phases.'
      ]
    }
  }
}
