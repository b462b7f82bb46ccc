// Disks that are full, read-only, failing, slow or hung under load: what was acknowledged stays, and all goes on by itself.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { readEvents } from '../helpers/history.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { smallDisk } from '../helpers/small-disk.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { countLost, countRepeats } from '../system/crash-oracle.ts'
import { ExactSource } from '../system/exact-source.ts'
import { HttpSource } from '../system/http-source.ts'
import {
  connectSources,
  loadSources,
  totalAcknowledged,
  totalOpen,
  type Source
} from '../system/load-sources.ts'
import { loopDisk } from './disks.ts'
import { countFaults, NotRunnable, type Scenario } from './scenario.ts'
import { needStrace, Strace } from './system-calls.ts'

const SECONDS = 5
const SECONDS_FULL = 30
const LOAD = 500
const PROBE_EVERY_MS = 100
const RECOVERY_MAX_MS = 30_000
const SETTLING_MS = 1000
const WRITES = 'pwrite64,fsync,fdatasync,ftruncate'

/** A way in which a disk fails while a server runs on it. */
interface Failure {
  name: string
  /** Whether nothing can become durable meanwhile. */
  stops: boolean
  begin(): Promise<void>
  end(): Promise<void>
}

/** A folder on a disk, and how that disk can be made to fail. */
interface FailingDisk extends AsyncDisposable {
  dir: string
  failures(server: ServerProcess): Failure[]
}

/** What one failure did. */
type Report = {
  failure: string
  seconds: number
  'acknowledged before': number
  meanwhile: number
  after: number
  'seconds until acknowledgements came again': number
  'slowest health check meanwhile, ms': number
  'acknowledged and lost': number
  repeated: number
}

export const disk: Scenario = {
  name: 'disk',
  claim:
    'While the disk is full, read-only, fails, hangs, or takes 500 ms for every fsync, nothing is acknowledged that is not durable, devices stay connected, health and reads are answered, and all goes on by itself afterwards.',
  async run(options) {
    needStrace()
    const seconds = options.seconds ?? (options.full ? SECONDS_FULL : SECONDS)
    const reports: Report[] = []
    const notes: string[] = []
    for (const make of [fullDisk, hangingDisk, injectedDisk]) {
      const made = await make().catch((error: unknown) => String(error))
      if (typeof made === 'string') {
        notes.push(`Not run: ${made.trim()}.`)
        continue
      }
      await using failing = made
      await using server = await ServerProcess.start(failing.dir)
      const sources = [
        ...loadSources({ each: 2, window: 16 }),
        new ExactSource({ name: 'exact-0', window: 16 }),
        new HttpSource({ name: 'http-0', window: 16 })
      ]
      for (const failure of failing.failures(server)) {
        const report = await fail(server, sources, { failure, seconds })
        options.say(JSON.stringify(report))
        reports.push(report)
      }
      for (const source of sources) await source.close()
    }
    if (reports.length === 0) throw new NotRunnable(notes.join(' '))
    const refusal = await startReadOnly().catch((error: unknown) => {
      notes.push(`Not run: a start on a read-only disk (${String(error).trim()}).`)
      return null
    })
    const sum = (of: (report: Report) => number) => reports.reduce((total, each) => total + of(each), 0)
    const zero = {
      'acknowledged and lost': sum(each => each['acknowledged and lost']),
      'repeated over raw TCP or at QoS 2': sum(each => each.repeated)
    }
    return {
      figures: {
        ...zero,
        ...(refusal === null
          ? {}
          : { 'a start on a read-only disk says': refusal.replaceAll(/\/tmp\/\S+/g, 'DIR') })
      },
      tables: { 'Failures of the disk under load, with a kill -9 after each': reports },
      faults: [
        ...countFaults(zero),
        ...(refusal === null || /read/i.test(refusal)
          ? []
          : [`a start on a read-only disk says only: ${refusal}`])
      ],
      notes: [
        ...notes,
        'Failing calls and slow fsyncs are made by strace, which answers the system calls of the server’s process in place of the kernel, or puts them off; the hung disk is a frozen ext4, the full one a tmpfs.'
      ]
    }
  }
}

async function fullDisk(): Promise<FailingDisk> {
  const space = await smallDisk(32)
  return {
    dir: join(space.path, 'data'),
    failures: () => [{ name: 'full', stops: true, begin: () => space.fill(), end: () => space.free() }],
    [Symbol.asyncDispose]: () => space[Symbol.asyncDispose]()
  }
}

async function hangingDisk(): Promise<FailingDisk> {
  const loop = await loopDisk(256)
  return {
    dir: join(loop.path, 'data'),
    failures: () => [{ name: 'hung', stops: true, begin: () => loop.freeze(), end: () => loop.thaw() }],
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]()
  }
}

async function injectedDisk(): Promise<FailingDisk> {
  const folder = await temporaryFolder()
  const injected = (server: ServerProcess, name: string, calls: string, what: string): Failure => {
    let strace: Strace | null = null
    return {
      name,
      stops: what.startsWith('error'),
      begin: async () => {
        strace = await Strace.attach(server.pid, ['-o', '/dev/null', '-e', `inject=${calls}:${what}`])
      },
      end: async () => strace?.detach()
    }
  }
  return {
    dir: join(folder.path, 'data'),
    failures: server => [
      injected(server, 'read-only: writes end with EROFS', WRITES, 'error=EROFS'),
      injected(server, 'broken: writes end with EIO', WRITES, 'error=EIO'),
      injected(server, 'broken: every fsync ends with EIO', 'fsync,fdatasync', 'error=EIO'),
      injected(server, 'slow: every fsync takes 500 ms longer', 'fsync,fdatasync', 'delay_enter=500000')
    ],
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]()
  }
}

async function fail(
  server: ServerProcess,
  sources: readonly Source[],
  { failure, seconds }: { failure: Failure; seconds: number }
): Promise<Report> {
  await connectSources(sources, server)
  await using idle = await RawMqttClient.connect({ port: server.ports.mqtt, clientId: 'idle' })
  const start = totalAcknowledged(sources)
  for (const source of sources) source.run(true)
  await eventually(() => totalAcknowledged(sources) > start + LOAD, { what: 'load', timeoutMs: 60_000 })
  await failure.begin()
  const begun = totalAcknowledged(sources)
  // What was under way when it began may still become durable.
  await delay(SETTLING_MS)
  const settled = totalAcknowledged(sources)
  const slowestMs = await probe(server, idle, seconds * 1000)
  const ended = totalAcknowledged(sources)
  await failure.end()
  const endedMs = performance.now()
  await eventually(() => totalAcknowledged(sources) > ended + LOAD / 10, {
    what: `acknowledgements after the disk was ${failure.name}`,
    timeoutMs: RECOVERY_MAX_MS
  })
  const recovery = (performance.now() - endedMs) / 1000
  for (const source of sources) source.run(false)
  await eventually(() => totalOpen(sources) === 0, {
    what: 'every acknowledgement',
    timeoutMs: RECOVERY_MAX_MS
  })
  if (failure.stops && ended > settled)
    throw new Error(`${ended - settled} events were acknowledged while the disk was ${failure.name}`)
  if (!failure.stops && ended === settled)
    throw new Error(`nothing was acknowledged while the disk was ${failure.name}`)
  await server.kill9()
  await Promise.all(sources.map(source => source.closed()))
  await server.restart()
  const log = await readEvents(server)
  return {
    failure: failure.name,
    seconds,
    'acknowledged before': begun - start,
    meanwhile: ended - begun,
    after: totalAcknowledged(sources) - ended,
    'seconds until acknowledgements came again': recovery,
    'slowest health check meanwhile, ms': Math.round(slowestMs),
    'acknowledged and lost': countLost(sources, log),
    repeated: countRepeats(sources, log)
  }
}

/** Asks for health, a page of history and a PINGRESP again and again; resolves with the slowest answer in ms. */
async function probe(server: ServerProcess, idle: RawMqttClient, forMs: number): Promise<number> {
  let slowestMs = 0
  for (const endMs = performance.now() + forMs; performance.now() < endMs; await delay(PROBE_EVERY_MS)) {
    const askedMs = performance.now()
    const { status } = await server.ask('/healthz')
    slowestMs = Math.max(slowestMs, performance.now() - askedMs)
    if (status !== 200) throw new Error(`/healthz answers ${status}`)
    const page = await server.ask('/v1/notifications?limit=10&after=earliest')
    if (page.status !== 200) throw new Error(`history answers ${page.status}`)
    await idle.ping()
  }
  return slowestMs
}

/** Starts on a disk that is mounted read-only; resolves with what it says. Afterwards it must start as ever. */
async function startReadOnly(): Promise<string> {
  await using loop = await loopDisk(64)
  const dir = join(loop.path, 'data')
  {
    await using server = await ServerProcess.start(dir)
    await server.terminate()
  }
  await loop.readOnly(true)
  let said = ''
  try {
    await using _server = await ServerProcess.start(dir, {}, { mayRefuse: true })
  } catch (error) {
    said = String(error)
  }
  await loop.readOnly(false)
  await using again = await ServerProcess.start(dir)
  if ((await again.ask('/readyz')).status !== 200)
    throw new Error('it did not start after the disk could be written')
  return (
    said
      .split('\n')
      .find(line => line.includes('tocsin: '))
      ?.trim() ?? 'nothing'
  )
}
