// Damage to the database file at random places: each copy of a data folder is damaged in one way, and a server started on it.
import { cp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { cutShort, flipByte, overwrite } from '../helpers/damage.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Item } from '../helpers/feed-subscriber.ts'
import { Random } from '../helpers/random.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { HttpSource } from '../system/http-source.ts'
import { connectSources, loadSources, totalAcknowledged, totalOpen } from '../system/load-sources.ts'
import { countFaults, type Scenario } from './scenario.ts'

const CASES = 40
const CASES_FULL = 500
const EVENTS = 20_000
const PAGE_BYTES = 8192
const FILE = 'tocsin.db'
const settings = { 'store.recentBytesMax': '0', 'store.maintenanceMs': '500ms', 'http.bodyBytesMax': '4MiB' }

const damages = {
  'a byte flipped': async (file, random, bytes) => flipByte(file, random.below(bytes)),
  'a page of zeros': async (file, random, bytes) =>
    overwrite(file, random.below(bytes / PAGE_BYTES) * PAGE_BYTES, Buffer.alloc(PAGE_BYTES)),
  'a page of noise': async (file, random, bytes) => {
    const noise = Buffer.from(Array.from({ length: PAGE_BYTES }, () => random.below(256)))
    await overwrite(file, random.below(bytes / PAGE_BYTES) * PAGE_BYTES, noise)
  },
  'cut short': async (file, random, bytes) => cutShort(file, random.below(bytes)),
  'a byte of the header flipped': async (file, random) => flipByte(file, random.below(100))
} as const satisfies Record<string, (file: string, random: Random, bytes: number) => Promise<void>>

type Damage = keyof typeof damages
const kinds = Object.keys(damages) as [Damage, ...Damage[]]

/** What became of one damaged copy. */
interface Ending {
  /** The sentence with which it refused to start; null when it started. */
  refusal: string | null
  /** Events that were left out and told as gaps. */
  told: number
  /** Events that are not as they were acknowledged. */
  altered: number
  /** Events that are missing without a gap. */
  silentlyMissing: number
}

export const damage: Scenario = {
  name: 'damage',
  claim:
    'A database file that is damaged at random places or cut short is refused at start with a sentence, or its damaged parts are told as gaps: no event is served other than it was acknowledged, and none is left out in silence.',
  async run({ rounds, seed, full, say }) {
    const random = new Random(seed)
    const cases = rounds ?? (full ? CASES_FULL : CASES)
    await using folder = await temporaryFolder()
    const original = join(folder.path, 'original')
    const truth = await fill(original)
    const { size } = await stat(join(original, FILE))
    const endings = new Map<Damage, Ending[]>()
    for (let index = 0; index < cases; index++) {
      const kind = kinds[index % kinds.length] ?? kinds[0]
      const copy = join(folder.path, 'copy')
      await cp(original, copy, { recursive: true })
      await damages[kind](join(copy, FILE), random, size)
      const ending = await startOn(copy, truth)
      await rm(copy, { recursive: true })
      endings.set(kind, [...(endings.get(kind) ?? []), ending])
      say(`${index + 1} of ${cases}, ${kind}: ${JSON.stringify(ending)}`)
    }
    const all = [...endings.values()].flat()
    const sum = (of: (ending: Ending) => number, some = all) =>
      some.reduce((total, each) => total + of(each), 0)
    const vague = all.filter(
      ({ refusal }) => refusal !== null && !/\b(backup|put it back)\b/i.test(refusal)
    ).length
    const zero = {
      'events served other than they were acknowledged': sum(each => each.altered),
      'events left out in silence': sum(each => each.silentlyMissing),
      'refusals that do not say what can be done': vague
    }
    return {
      figures: {
        'damaged copies': cases,
        'events in each': truth.length,
        'bytes of the database': size,
        'refused at start': all.filter(({ refusal }) => refusal !== null).length,
        'started, and told gaps': all.filter(({ refusal, told }) => refusal === null && told > 0).length,
        'started with all events: damage where no event is': all.filter(
          ({ refusal, told }) => refusal === null && told === 0
        ).length,
        ...zero
      },
      tables: {
        'By kind of damage': [...endings].map(([kind, some]) => ({
          damage: kind,
          copies: some.length,
          refused: some.filter(({ refusal }) => refusal !== null).length,
          'with gaps': some.filter(({ told }) => told > 0).length,
          'events in gaps': sum(each => each.told, some)
        }))
      },
      faults: countFaults(zero),
      notes: [
        'Judged are the events of the log. Tables beside it have no checksums: a value changed in one of them is seen only where an index or the format disagrees.'
      ]
    }
  }
}

/** Fills a log and ends the server in peace; resolves with all its events. */
async function fill(dir: string): Promise<Item[]> {
  await using server = await ServerProcess.start(dir, settings)
  const sources = [...loadSources({ each: 4, window: 64 }), new HttpSource({ name: 'http-0', window: 64 })]
  await connectSources(sources, server)
  for (const source of sources) source.run(true)
  await eventually(() => totalAcknowledged(sources) >= EVENTS, { what: 'load', timeoutMs: 120_000 })
  for (const source of sources) source.run(false)
  await eventually(() => totalOpen(sources) === 0, { what: 'acknowledgements' })
  const { items } = await readAll(server)
  for (const source of sources) await source.close()
  await server.terminate()
  return items
}

async function startOn(dir: string, truth: readonly Item[]): Promise<Ending> {
  let server: ServerProcess
  try {
    server = await ServerProcess.start(dir, settings, { mayRefuse: true })
  } catch (error) {
    return { refusal: refusalIn(String(error)), told: 0, altered: 0, silentlyMissing: 0 }
  }
  try {
    const whole = compare(truth, await readAll(server))
    const { device } = truth[0] ?? {}
    const ofOne = truth.filter(item => item.device === device)
    const filtered = compare(ofOne, await readAll(server, `&devices=${device}`))
    const back = compare(truth, await readAllBack(server))
    const readings = [whole, filtered, back]
    return {
      refusal: null,
      told: whole.told,
      altered: readings.reduce((sum, { altered }) => sum + altered, 0),
      silentlyMissing: readings.reduce((sum, { silentlyMissing }) => sum + silentlyMissing, 0)
    }
  } finally {
    await server[Symbol.asyncDispose]()
  }
}

/** The sentence in what a server wrote before it ended. */
function refusalIn(output: string): string {
  const line = output
    .split('\n')
    .find(text => /database|data folder|Error/.test(text) && !text.includes('the server has ended'))
  return line?.trim() ?? output.slice(0, 300)
}

interface Reading {
  items: Item[]
  /** Sequences that are said to be missing, both included. */
  gaps: { from: number; to: number }[]
}

/** Reads all events over HTTP. A page that can't be read is an error. */
function readAll(server: ServerProcess, query = ''): Promise<Reading> {
  return readPages(server, { from: 'after', start: 'earliest', query })
}

/** The same, newest first. */
function readAllBack(server: ServerProcess): Promise<Reading> {
  return readPages(server, { from: 'before', start: 'latest', query: '' })
}

async function readPages(
  server: ServerProcess,
  { from, start, query }: { from: 'after' | 'before'; start: string; query: string }
): Promise<Reading> {
  const reading: Reading = { items: [], gaps: [] }
  for (let place = start; ;) {
    const { status, body } = await server.ask(
      `/v1/notifications?kinds=event&limit=1000&${from}=${place}${query}`
    )
    if (status !== 200) throw new Error(`history answers ${status}: ${JSON.stringify(body)}`)
    const { items, cursor, more, gap } = body as {
      items: Item[]
      cursor: string
      more: boolean
      gap?: { from: string; to: string }
    }
    for (const item of items) reading.items.push(item)
    if (gap) reading.gaps.push({ from: seqOf(gap.from) + 1, to: seqOf(gap.to) })
    if (!more) return reading
    place = cursor
  }
}

function seqOf(cursor: string): number {
  return Number.parseInt(cursor.slice(cursor.indexOf('-') + 1), 36)
}

function compare(truth: readonly Item[], { items, gaps }: Reading): Omit<Ending, 'refusal'> {
  const found = new Map(items.map(item => [item.cursor, item]))
  let [told, altered, silentlyMissing] = [0, 0, 0]
  for (const item of truth) {
    const same = found.get(item.cursor)
    const seq = seqOf(item.cursor)
    if (same !== undefined && !isDeepStrictEqual(same, item)) altered++
    if (same !== undefined) continue
    if (gaps.some(({ from, to }) => seq >= from && seq <= to)) told++
    else silentlyMissing++
  }
  return { told, altered, silentlyMissing }
}
