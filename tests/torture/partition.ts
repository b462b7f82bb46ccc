// Devices on a second host whose cable is pulled and plugged in again: half-open connections as real networks leave them.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { eventually } from '../helpers/eventually.ts'
import { readEvents } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { countLost, countRepeats } from '../system/crash-oracle.ts'
import type { LoadTarget, Source } from '../system/load-sources.ts'
import { SecondHost } from './hosts.ts'
import { NotRunnable } from './scenario.ts'
import { partitionSources, type PartitionReport, type PartitionRequest } from './partition-clients.ts'

const KEEPALIVE_S = 2
/** The server takes a device for gone after one and a half times its keep alive, and looks now and then. */
const NOTICED_MAX_MS = 15_000
const BACK_MAX_MS = 60_000
const BETWEEN_MS = 2000

export interface PartitionOutcome {
  pulled: number
  acknowledged: number
  /** Seconds until the server counted no device any more, and until all were back after plugging in; the longest of each. */
  noticedSeconds: number
  backSeconds: number
  lost: number
  repeated: number
  /** Whether delay and loss were made, too. */
  degraded: boolean
}

/** Throws `NotRunnable` where the machine has no network namespaces. */
export async function partition(
  dir: string,
  { rounds, say }: { rounds: number; say: (line: string) => void }
): Promise<PartitionOutcome> {
  await using host = await SecondHost.make().catch((error: unknown) => {
    throw new NotRunnable(`no second host can be made here (${String(error).trim()})`)
  })
  await using server = await ServerProcess.start(dir, {
    'mqtt.host': host.address,
    'tcp.host': host.address,
    'devices.anonymous': 'false'
  })
  const names = partitionSources().map(({ name }) => name)
  const target: LoadTarget = {
    host: host.address,
    ports: server.ports,
    tokens: await register(server, names),
    keepaliveS: KEEPALIVE_S
  }
  await using clients = new Clients(host)
  await clients.ask({ kind: 'start', target })
  const connections = () => server.metric('tocsin_device_connections')
  const all = { what: 'all devices', timeoutMs: BACK_MAX_MS, everyMs: 50 }
  await eventually(async () => (await connections()) === names.length, all)
  let [noticedSeconds, backSeconds] = [0, 0]
  for (let round = 1; round <= rounds; round++) {
    await delay(BETWEEN_MS)
    await host.cable(false)
    let sinceMs = performance.now()
    const gone = { what: 'that the server notices the silence', timeoutMs: NOTICED_MAX_MS, everyMs: 50 }
    await eventually(async () => (await connections()) === 0, gone)
    const noticed = (performance.now() - sinceMs) / 1000
    await host.cable(true)
    sinceMs = performance.now()
    await eventually(async () => (await connections()) === names.length, all)
    const back = (performance.now() - sinceMs) / 1000
    say(
      `cable pulled, ${round} of ${rounds}: noticed after ${noticed.toFixed(1)} s, all back after ${back.toFixed(1)} s`
    )
    noticedSeconds = Math.max(noticedSeconds, noticed)
    backSeconds = Math.max(backSeconds, back)
  }
  const degraded = await host.degrade(50, 2)
  if (degraded) await delay(rounds * BETWEEN_MS)
  await clients.ask({ kind: 'stop' })
  const report = await eventually(
    async () => {
      const now = await clients.ask({ kind: 'report' })
      return Object.values(now.open).every(open => open.length === 0) && now
    },
    { what: 'every acknowledgement', timeoutMs: BACK_MAX_MS, everyMs: 200 }
  )
  const log = await readEvents(server)
  const sources = sourcesOf(report)
  return {
    pulled: rounds,
    acknowledged: report.sources.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    noticedSeconds,
    backSeconds,
    lost: countLost(sources, log),
    repeated: countRepeats(sources, log),
    degraded
  }
}

async function register(server: ServerProcess, names: readonly string[]): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {}
  for (const id of names) {
    const { status, body } = await server.ask('/v1/devices', { body: { id } })
    if (status !== 201) throw new Error(`POST /v1/devices answers ${status}: ${JSON.stringify(body)}`)
    tokens[id] = (body as { token: string }).token
  }
  return tokens
}

/** What the oracle asks of sources, from what the other process told of its own. */
function sourcesOf({ sources, open }: PartitionReport): Source[] {
  const elsewhere = () => Promise.reject(new Error('this source is in another process'))
  return sources.map(source => {
    const unacknowledged = new Set(open[source.name])
    return {
      ...source,
      wasAcknowledged: n => n <= source.sent && !unacknowledged.has(n),
      connect: elsewhere,
      run: () => {},
      closed: elsewhere,
      close: elsewhere
    }
  })
}

/** The process on the second host. */
class Clients implements AsyncDisposable {
  readonly #child: ChildProcess

  constructor({ name }: SecondHost) {
    this.#child = fork(fileURLToPath(new URL('./partition-clients.js', import.meta.url)), {
      execPath: 'ip',
      execArgv: ['netns', 'exec', name, process.execPath]
    })
  }

  async ask(request: PartitionRequest): Promise<PartitionReport> {
    const answered = once(this.#child, 'message')
    this.#child.send(request)
    const [report] = (await answered) as [PartitionReport]
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
