// Devices on a second host while packets between it and the server are lost, more and more of them, and for a while late, too.
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { delayCable, undelayCable } from './cable-delay.ts'
import { PacketLoss } from './packet-loss.ts'
import { latencyRows, Probe, PROBE_DEVICES, starvedIn, type ProbeReport } from './probe.ts'
import {
  acknowledgedIn,
  makeSecondHost,
  registerDevices,
  RemoteFleet,
  startServerFor
} from './remote-fleet.ts'
import { countFaults, type Outcome } from './scenario.ts'

/** Packets of a thousand that are lost in either direction: at first, while they are also late, and at last. */
const LOST_PER_MILLE = [0, 10, 50] as const
const LOST_LATE_PER_MILLE = 10
const LOST_MOST_PER_MILLE = 200
const BACK_MAX_MS = 60_000

interface Phase {
  name: string
  /** Packets of a thousand that are to be lost. */
  perMille: number
  seconds: number
  arrived: number
  lost: number
  acknowledged: number
  connects: number
  /** Longest time that one device, and all of them, had no acknowledgement. */
  oneWaitedSeconds: number
  allWaitedSeconds: number
  probe: ProbeReport
}

/** Throws `NotRunnable` where the machine has no network namespaces, or can't lose packets. */
export async function losePackets(
  dir: string,
  { seconds, starvedMs, say }: { seconds: number; starvedMs: number; say: (line: string) => void }
): Promise<Outcome> {
  await using host = await makeSecondHost()
  await using loss = await PacketLoss.on(host)
  await using server = await startServerFor(host, dir)
  await using fleet = await RemoteFleet.start(host, server)
  const tokens = await registerDevices(server, Object.values(PROBE_DEVICES))
  await using probe = await Probe.start(server, { host: host.address, tokens })
  const parts = { loss, fleet, probe, seconds, say }

  const phases: Phase[] = []
  const lose = async (perMille: number, name = inPercent(perMille)) => {
    phases.push(await observe({ name, perMille }, parts))
  }
  for (const perMille of LOST_PER_MILLE) await lose(perMille)
  const late = await delayCable(host)
  if (late !== null) {
    await lose(LOST_LATE_PER_MILLE, `${inPercent(LOST_LATE_PER_MILLE)}, ${late.name}`)
    await undelayCable(host)
  }
  await lose(LOST_MOST_PER_MILLE)
  const backSeconds = await mend(parts)
  await lose(0, 'no loss again')
  const { acknowledged, lost, repeated } = await fleet.end()
  return {
    figures: {
      'packets lost between a second host and the server': phases.reduce((sum, phase) => sum + phase.lost, 0),
      'events acknowledged to it meanwhile': acknowledged,
      'seconds until every device was acknowledged something after that': backSeconds,
      'acknowledged over lost packets and lost': lost,
      'repeated there over raw TCP or at QoS 2, with lost packets': repeated
    },
    tables: {
      'Packets lost in either direction between the second host and the server': phases.map(rowOf),
      'Clients without loss meanwhile; ms': phases.flatMap(({ name, probe: seen }) => latencyRows(name, seen))
    },
    faults: [
      ...countFaults({ 'lost with lost packets': lost, 'repeated with lost packets': repeated }),
      ...phases.flatMap(phase => faultsIn(phase, starvedMs))
    ],
    notes: [
      'Packets are lost by a rule of nf_tables at the end of the cable where they arrive, so that the sender’s kernel does not know; its random numbers can’t be seeded, others are lost in every run.',
      late?.note ??
        'This kernel can make no packets late (neither netem nor tbf): delay is the proxy’s alone.'
    ]
  }
}

interface Parts {
  loss: PacketLoss
  fleet: RemoteFleet
  probe: Probe
  seconds: number
  say: (line: string) => void
}

/** Loses so many packets of a thousand, and looks for some seconds what comes of it. */
async function observe(
  { name, perMille }: Pick<Phase, 'name' | 'perMille'>,
  { loss, fleet, probe, seconds, say }: Parts
): Promise<Phase> {
  await loss.lose(perMille)
  const before = { counts: await loss.counts(), report: await fleet.report() }
  probe.report()
  await delay(seconds * 1000)
  const after = { counts: await loss.counts(), report: await fleet.report() }
  const { waits } = after.report
  const phase: Phase = {
    name,
    perMille,
    seconds,
    arrived: after.counts.arrived - before.counts.arrived,
    lost: after.counts.lost - before.counts.lost,
    acknowledged: acknowledgedIn(after.report) - acknowledgedIn(before.report),
    connects: after.report.connects - before.report.connects,
    oneWaitedSeconds: waits.oneMs / 1000,
    allWaitedSeconds: waits.allMs / 1000,
    probe: probe.report()
  }
  say(`${name}: ${JSON.stringify(rowOf(phase))}`)
  return phase
}

/** Loses nothing more; resolves when each device was acknowledged something, with how long that took, s. */
async function mend({ loss, fleet }: Parts): Promise<number> {
  await loss.lose(0)
  const sinceMs = performance.now()
  const before = await fleet.report()
  const counts = new Map(before.sources.map(({ name, acknowledged }) => [name, acknowledged]))
  const all = async () =>
    (await fleet.report()).sources.every(({ name, acknowledged }) => acknowledged > (counts.get(name) ?? 0))
  await eventually(all, {
    what: 'an acknowledgement to each device',
    timeoutMs: BACK_MAX_MS,
    everyMs: 20
  })
  return (performance.now() - sinceMs) / 1000
}

function faultsIn({ name, perMille, lost, acknowledged, probe }: Phase, starvedMs: number): string[] {
  return [
    ...(perMille > 0 && lost === 0 ? ['no packet was lost'] : []),
    ...(acknowledged === 0 ? ['nothing was acknowledged'] : []),
    ...starvedIn(probe, starvedMs),
    ...probe.failures
  ].map(fault => `${name}: ${fault}`)
}

function rowOf(phase: Phase): Record<string, string | number> {
  return {
    while: phase.name,
    seconds: phase.seconds,
    packets: phase.arrived,
    'of them lost': phase.lost,
    'events acknowledged': phase.acknowledged,
    'attempts to connect': phase.connects,
    'longest that one device had no acknowledgement, s': phase.oneWaitedSeconds,
    'that none had one, s': phase.allWaitedSeconds
  }
}

function inPercent(perMille: number): string {
  return perMille === 0 ? 'no loss' : `${perMille / 10} % lost`
}
