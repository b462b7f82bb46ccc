// The demo's fleet, on a thread of its own so that it takes no time from the server's event loop.
import { parentPort, workerData } from 'node:worker_threads'
import { Fleet } from '../devices-sim/fleet.ts'
import type { Target } from '../devices-sim/link.ts'
import type { Profile } from '../devices-sim/profile.ts'

/** What the thread is started with. */
export interface DemoFleetData {
  profile: Profile
  count: number
  seed: string
  mqtt: Target
  tcp: Target
}

/** What it says when it has ended. */
export interface DemoFleetSummary {
  acknowledged: number
  unacknowledged: number
  reconnects: number
}

/** Time given at the end for what waits to be acknowledged. */
const DRAIN_MS = 1000

const { profile, count, seed, mqtt, tcp } = workerData as DemoFleetData
const fleet = new Fleet({
  profile,
  count,
  seed,
  mqtt,
  tcp,
  protocol: 'both',
  credentials: [],
  eventsPerSecond: null,
  rampPerSecond: 100,
  recorder: null
})
fleet.start()

parentPort?.once('message', () => {
  void fleet.stop(DRAIN_MS).then(() => {
    const { statistics } = fleet
    const summary: DemoFleetSummary = {
      acknowledged: statistics.total(each => each.acknowledged),
      unacknowledged: fleet.waiting,
      reconnects: statistics.total(each => each.reconnects)
    }
    parentPort?.postMessage(summary)
    parentPort?.close()
  })
})
