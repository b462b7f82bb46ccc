// Networks that are late, lose packets, cut connections off or leave them half open, and all devices coming back at once.
import { join } from 'node:path'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { overFaultyNetwork } from './faulty-network.ts'
import { losePackets } from './loss.ts'
import { partition } from './partition.ts'
import { latencyRows, starvedIn } from './probe.ts'
import { merge, NotRunnable, type Outcome, type Scenario } from './scenario.ts'
import { storm } from './storm.ts'

const SECONDS = 20
const SECONDS_FULL = 180
/** Of each phase while packets are lost. */
const LOSS_SECONDS = 8
const LOSS_SECONDS_FULL = 20
/** Times the cable of a second host is pulled. */
const PULLED = 3
const PULLED_FULL = 20
const DEVICES = 4000
const DEVICES_FULL = 10_000
/** Longest that healthy clients may wait for an answer while everybody comes back, or packets of others are lost, ms. */
const STARVED_MS = 5000

export const network: Scenario = {
  name: 'network',
  claim:
    'Over a network that is late, in pieces, resets connections, leaves them half open and, where the machine can make it so, loses packets or all of them, nothing acknowledged is lost and nothing over raw TCP or at QoS 2 comes twice; when all devices come back at once, all are let in and nobody else is starved.',
  async run({ seconds, rounds, seed, full, say }) {
    await using folder = await temporaryFolder()
    const faulty = await overFaultyNetwork(join(folder.path, 'faulty'), {
      seconds: seconds ?? (full ? SECONDS_FULL : SECONDS),
      seed,
      say
    })
    const cable = await orNotRun(
      'pulling the cable of a second host',
      partition(join(folder.path, 'partition'), { rounds: full ? PULLED_FULL : PULLED, say })
    )
    const lossy = await orNotRun(
      'losing packets between a second host and the server',
      losePackets(join(folder.path, 'loss'), {
        seconds: seconds ?? (full ? LOSS_SECONDS_FULL : LOSS_SECONDS),
        starvedMs: STARVED_MS,
        say
      })
    )
    const crowd = await allAtOnce(join(folder.path, 'storm'), {
      devices: rounds ?? (full ? DEVICES_FULL : DEVICES),
      seed,
      say
    })
    return merge([faulty, cable, lossy, crowd])
  }
}

/** What came of a part; of one that this machine does not allow, a note with the reason. */
async function orNotRun(what: string, part: Promise<Outcome>): Promise<Outcome> {
  try {
    return await part
  } catch (error) {
    if (!(error instanceof NotRunnable)) throw error
    return { figures: {}, faults: [], notes: [`NOT RUN: ${what}; ${error.message}.`] }
  }
}

async function allAtOnce(
  dir: string,
  options: { devices: number; seed: number; say: (line: string) => void }
): Promise<Outcome> {
  const { devices } = options
  const { quiet, cutOff, crash, residentBytes } = await storm(dir, options)
  const seen = [quiet, ...(cutOff.probe ? [cutOff.probe] : [])]
  return {
    figures: {
      'devices that come back at once, half MQTT, half raw TCP': devices,
      'seconds until all were back, cut off by the network': cutOff.secondsUntilBack,
      'seconds until all were back, after kill -9 of the server': crash.secondsUntilBack,
      'connects refused or cut off meanwhile': cutOff.failures + crash.failures,
      'memory of the server afterwards, MiB': Math.round(residentBytes / 2 ** 20)
    },
    tables: {
      'Clients that stayed connected, while all others came back; ms': [
        ...latencyRows('quiet', quiet),
        ...(cutOff.probe ? latencyRows(`${devices} come back`, cutOff.probe) : [])
      ]
    },
    faults: seen.flatMap(report => [...starvedIn(report, STARVED_MS), ...report.failures]),
    notes: ['Server, devices and clients share the machine’s cores.']
  }
}
