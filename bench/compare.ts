// Compares servers under the same load: in turn, in each of several rounds, so that what disturbs one disturbs all.
import { setTimeout as delay } from 'node:timers/promises'
import type { LoadProcess } from './load/load-process.ts'
import { cpuMicroseconds, machineMicroseconds } from './process-usage.ts'
import { median, type MeasureOptions, type Row } from './result.ts'

/** A server with everything that loads it. Idle while it is another's turn. */
export interface Contender {
  name: string
  /** Whether it is somebody else's. */
  peer: boolean
  /** The server's processes, of which there may be several, as with a broker and what follows it. */
  pids: readonly number[]
  /** Stopped in this order, started in the opposite one: who sends before who listens. */
  loads: readonly LoadProcess[]
  /** Whose `events` are counted; the last load's, if none is named. */
  counted?: LoadProcess
}

export interface CompareOptions extends MeasureOptions {
  /** Name of the column with the CPU time of one of what is counted. */
  each: string
  /** Figures of the counted load, shown as they are. */
  shown?: readonly string[]
}

/** Column with the CPU time of what has nothing to do with the measure, % of a core. */
export const OTHERS = 'others %'

// Long enough for a JIT compiler to have seen the hot path; later rounds find it compiled.
const FIRST_WARM_UP_MS = 3000
const WARM_UP_MS = 500

export async function compare(contenders: readonly Contender[], options: CompareOptions): Promise<Row[]> {
  const rounds = new Map<Contender, Record<string, number>[]>()
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of contenders) {
      const figures = await measureOnce(contender, round === 0 ? FIRST_WARM_UP_MS : WARM_UP_MS, options)
      const cost = `${figures[options.each]?.toFixed(3)} ${options.each}`
      options.progress(`  round ${round + 1}: ${contender.name}: ${cost}`)
      rounds.set(contender, [...(rounds.get(contender) ?? []), figures])
    }
  }
  return [...rounds].map(([{ name, peer }, all]) => ({ ...rowOf(name, all), ...(peer && { peer }) }))
}

async function measureOnce(
  { pids, loads, counted = loads.at(-1) }: Contender,
  warmUpMs: number,
  { seconds, each, shown = [] }: CompareOptions
): Promise<Record<string, number>> {
  if (counted === undefined) throw new Error('A contender without load')
  // Who listens begins before who sends.
  for (const load of loads.toReversed()) await load.start()
  await delay(warmUpMs)
  const before = await snapshot(counted, { pids, loads })
  await delay(seconds * 1000)
  const after = await snapshot(counted, { pids, loads })
  for (const load of loads) await load.stop()
  const end = await counted.counts()
  const events = after.events - before.events
  const elapsedSeconds = (after.ms - before.ms) / 1000
  const figures: Record<string, number> = {
    'per second': events / elapsedSeconds,
    // Nothing done has no cost.
    [each]: events > 0 ? (after.cpu - before.cpu) / events : Number.NaN,
    'CPU %': (after.cpu - before.cpu) / elapsedSeconds / 10_000,
    [OTHERS]: (after.others - before.others) / elapsedSeconds / 10_000
  }
  for (const name of shown) figures[name] = end[name] ?? Number.NaN
  return figures
}

interface Snapshot {
  events: number
  /** CPU time of the server, µs. */
  cpu: number
  /** CPU time of whatever else runs on the machine and disturbs the measure, µs. */
  others: number
  ms: number
}

async function snapshot(
  counted: LoadProcess,
  { pids, loads }: Pick<Contender, 'pids' | 'loads'>
): Promise<Snapshot> {
  const { events = Number.NaN } = await counted.counts()
  const cpu = pids.reduce((sum, pid) => sum + cpuMicroseconds(pid), 0)
  const ours = loads.reduce((sum, load) => sum + cpuMicroseconds(load.pid), cpu)
  return { events, cpu, others: machineMicroseconds() - ours, ms: performance.now() }
}

export function rowOf(name: string, all: readonly Record<string, number>[]): Row {
  const rounds: Record<string, number[]> = {}
  for (const figures of all)
    for (const [column, value] of Object.entries(figures)) (rounds[column] ??= []).push(value)
  const figures = Object.fromEntries(
    Object.entries(rounds).map(([column, values]) => [column, median(values)])
  )
  return { name, figures, rounds }
}
