// Networks that are late, cut connections off or leave them half open, and all devices coming back at once.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { readEvents } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { countLost, countRepeats } from '../system/crash-oracle.ts'
import { ExactSource } from '../system/exact-source.ts'
import { loadSources, totalAcknowledged, totalOpen, type LoadTarget } from '../system/load-sources.ts'
import { FaultyProxy, type Fate } from './faulty-proxy.ts'
import { countFaults, NotRunnable, type Outcome, type Scenario } from './scenario.ts'
import { keepConnected } from './keep-connected.ts'
import { partition, type PartitionOutcome } from './partition.ts'
import { storm } from './storm.ts'

const SECONDS = 20
const SECONDS_FULL = 180
/** Times the cable of a second host is pulled. */
const PULLED = 3
const PULLED_FULL = 20
const DEVICES = 4000
const DEVICES_FULL = 10_000
/** Longest that healthy clients may wait for an answer while everybody comes back, ms. */
const STARVED_MS = 5000

export const network: Scenario = {
  name: 'network',
  claim:
    'Over a network that is late, in pieces, resets connections and leaves them half open, nothing acknowledged is lost and nothing over raw TCP or at QoS 2 comes twice; when all devices come back at once, all are let in and nobody else is starved.',
  async run({ seconds: asked, rounds, seed, full, say }) {
    const seconds = asked ?? (full ? SECONDS_FULL : SECONDS)
    const devices = rounds ?? (full ? DEVICES_FULL : DEVICES)
    await using folder = await temporaryFolder()
    const faulty = await overFaultyNetwork(join(folder.path, 'faulty'), { seconds, seed, say })
    const cable = await partition(join(folder.path, 'partition'), {
      rounds: full ? PULLED_FULL : PULLED,
      say
    }).catch((error: unknown) => {
      if (error instanceof NotRunnable) return error
      throw error
    })
    const { quiet, cutOff, crash, residentBytes } = await storm(join(folder.path, 'storm'), {
      devices,
      seed,
      say
    })
    const probes = [
      { when: 'quiet', ...quiet },
      ...(cutOff.probe ? [{ when: `${devices} come back`, ...cutOff.probe }] : [])
    ]
    const protocols = ['mqtt', 'tcp', 'http', 'feed'] as const
    const starved = probes.flatMap(probe => protocols.filter(protocol => probe[protocol].max > STARVED_MS))
    return {
      figures: {
        ...faulty.figures,
        ...(cable instanceof NotRunnable ? {} : cableFigures(cable)),
        'devices that come back at once, half MQTT, half raw TCP': devices,
        'seconds until all were back, cut off by the network': cutOff.secondsUntilBack,
        'seconds until all were back, after kill -9 of the server': crash.secondsUntilBack,
        'connects refused or cut off meanwhile': cutOff.failures + crash.failures,
        'memory of the server afterwards, MiB': Math.round(residentBytes / 2 ** 20)
      },
      tables: {
        ...faulty.tables,
        'Clients that stayed connected, while all others came back; ms': probes.flatMap(probe =>
          protocols.map(protocol => ({ when: probe.when, protocol, ...probe[protocol] }))
        )
      },
      faults: [
        ...faulty.faults,
        ...(cable instanceof NotRunnable
          ? []
          : countFaults({
              'lost by a second host': cable.lost,
              'repeated by a second host': cable.repeated
            })),
        ...starved.map(protocol => `a healthy client waited more than ${STARVED_MS} ms over ${protocol}`),
        ...probes.flatMap(({ failures }) => failures)
      ],
      notes: ['Server, devices and clients share the machine’s cores.', cableNote(cable)]
    }
  }
}

async function overFaultyNetwork(
  dir: string,
  { seconds, seed, say }: { seconds: number; seed: number; say: (line: string) => void }
): Promise<Outcome> {
  await using server = await ServerProcess.start(dir)
  await using mqtt = await FaultyProxy.start(server.ports.mqtt, seed)
  await using tcp = await FaultyProxy.start(server.ports.tcp, seed + 1)
  const target: LoadTarget = { ports: { mqtt: mqtt.port, tcp: tcp.port } }
  const sources = [
    ...loadSources({ each: 8, window: 16 }),
    ...[0, 1, 2, 3].map(index => new ExactSource({ name: `exact-${index}`, window: 16 }))
  ]
  const stopping = new AbortController()
  const keeping = sources.map(source => keepConnected(source, target, { stopping: stopping.signal }))
  for (const source of sources) source.run(true)
  await delay(seconds * 1000)
  for (const source of sources) source.run(false)
  mqtt.faulty = false
  tcp.faulty = false
  await eventually(() => totalOpen(sources) === 0, { what: 'every acknowledgement', timeoutMs: 60_000 })
  stopping.abort()
  for (const source of sources) await source.close()
  const connects = (await Promise.all(keeping)).reduce((sum, count) => sum + count, 0)
  const log = await readEvents(server)
  const zero = {
    'acknowledged and lost over a faulty network': countLost(sources, log),
    'repeated there over raw TCP or at QoS 2': countRepeats(sources, log)
  }
  const left = await eventually(
    async () => (await server.metric('tocsin_device_connections')) <= mqtt.dangling + tcp.dangling,
    {
      what: 'the end of connections'
    }
  ).catch(() => null)
  say(`${connects} connects over the faulty network: ${JSON.stringify([mqtt.counts, tcp.counts])}`)
  const fates = Object.keys(mqtt.counts) as Fate[]
  return {
    figures: {
      'seconds over a faulty network': seconds,
      'events acknowledged over it': totalAcknowledged(sources),
      ...zero
    },
    tables: {
      'Connections over the faulty network': fates.map(fate => ({
        fate,
        MQTT: mqtt.counts[fate],
        'raw TCP': tcp.counts[fate]
      }))
    },
    faults: [
      ...countFaults(zero),
      ...(left === null ? ['the server counts connections that nobody has'] : [])
    ]
  }
}

function cableFigures(cable: PartitionOutcome): Outcome['figures'] {
  return {
    'times the cable of a second host was pulled': cable.pulled,
    'events acknowledged to it': cable.acknowledged,
    'longest until the server had noticed (keep alive 2 s), s': cable.noticedSeconds,
    'longest until all were back after plugging in, s': cable.backSeconds,
    'acknowledged to it and lost': cable.lost,
    'repeated from it over raw TCP or at QoS 2': cable.repeated
  }
}

function cableNote(cable: PartitionOutcome | NotRunnable): string {
  if (cable instanceof NotRunnable) return `A cable was not pulled: ${cable.message}.`
  return cable.degraded
    ? 'The second host is a network namespace; packets to it were also late by 50 ms, and one in 50 was lost.'
    : 'The second host is a network namespace. This kernel cannot delay or lose packets (no netem): delay is the proxy’s.'
}
