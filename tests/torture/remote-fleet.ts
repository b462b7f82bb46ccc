// A server that devices on a second host reach over the cable, those devices, and what became of what they sent.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from '../helpers/eventually.ts'
import { readEvents } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { countLost, countRepeats } from '../system/crash-oracle.ts'
import type { LoadTarget, Source } from '../system/load-sources.ts'
import { SecondHost } from './hosts.ts'
import { remoteSources, type RemoteReport, type RemoteRequest } from './remote-devices.ts'
import { NotRunnable } from './scenario.ts'

const KEEPALIVE_S = 2
const BACK_MAX_MS = 60_000

/** Throws `NotRunnable` where the machine has no network namespaces. */
export async function makeSecondHost(): Promise<SecondHost> {
  return await SecondHost.make().catch((error: unknown) => {
    throw new NotRunnable(`no second host can be made here (${String(error).trim()})`)
  })
}

/** Starts a server whose devices must be registered, at this end of the cable. */
export async function startServerFor(host: SecondHost, dir: string): Promise<ServerProcess> {
  return await ServerProcess.start(dir, {
    'mqtt.host': host.address,
    'tcp.host': host.address,
    'devices.anonymous': 'false'
  })
}

/** Registers devices; resolves with their tokens by name. */
export async function registerDevices(
  server: ServerProcess,
  names: readonly string[]
): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {}
  for (const id of names) {
    const { status, body } = await server.ask('/v1/devices', { body: { id } })
    if (status !== 201) throw new Error(`POST /v1/devices answers ${status}: ${JSON.stringify(body)}`)
    tokens[id] = (body as { token: string }).token
  }
  return tokens
}

/** What the fleet's events have come to. */
export interface FleetOutcome {
  acknowledged: number
  lost: number
  repeated: number
}

/** Devices of both protocols in a process on the second host, which send all the time and come back by themselves. */
export class RemoteFleet implements AsyncDisposable {
  readonly #server: ServerProcess
  readonly #child: ChildProcess

  private constructor(host: SecondHost, server: ServerProcess) {
    this.#server = server
    this.#child = fork(fileURLToPath(new URL('./remote-devices.js', import.meta.url)), {
      execPath: 'ip',
      execArgv: ['netns', 'exec', host.name, process.execPath]
    })
  }

  /** Resolves when they are all connected, and nobody else is. */
  static async start(host: SecondHost, server: ServerProcess): Promise<RemoteFleet> {
    const names = remoteSources().map(({ name }) => name)
    const target: LoadTarget = {
      host: host.address,
      ports: server.ports,
      tokens: await registerDevices(server, names),
      keepaliveS: KEEPALIVE_S
    }
    const fleet = new RemoteFleet(host, server)
    try {
      await fleet.#ask({ kind: 'start', target })
      await fleet.connected(names.length)
      return fleet
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
  }

  get size(): number {
    return remoteSources().length
  }

  /** Resolves when the server counts so many connections of devices. */
  async connected(count: number, timeoutMs = BACK_MAX_MS): Promise<void> {
    const counted = async () => (await this.#server.metric('tocsin_device_connections')) === count
    await eventually(counted, { what: `${count} connections of devices`, timeoutMs, everyMs: 50 })
  }

  async report(): Promise<RemoteReport> {
    return await this.#ask({ kind: 'report' })
  }

  /** Sends nothing new, waits until all is acknowledged, and compares with the log. */
  async end(): Promise<FleetOutcome> {
    await this.#ask({ kind: 'stop' })
    const report = await eventually(
      async () => {
        const now = await this.report()
        return now.sources.every(({ sent, acknowledged }) => sent === acknowledged) && now
      },
      { what: 'every acknowledgement', timeoutMs: BACK_MAX_MS, everyMs: 200 }
    )
    const sources = sourcesOf(report)
    const names = new Set(sources.map(({ name }) => name))
    const log = (await readEvents(this.#server)).filter(({ device }) => names.has(device))
    return {
      acknowledged: acknowledgedIn(report),
      lost: countLost(sources, log),
      repeated: countRepeats(sources, log)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async #ask(request: RemoteRequest): Promise<RemoteReport> {
    const answered = once(this.#child, 'message')
    this.#child.send(request)
    const [report] = (await answered) as [RemoteReport]
    return report
  }
}

/** Events acknowledged to all of them. */
export function acknowledgedIn({ sources }: RemoteReport): number {
  return sources.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
}

/** What the oracle asks of sources, from what the other process told of its own: all they sent was acknowledged. */
function sourcesOf({ sources }: RemoteReport): Source[] {
  const elsewhere = () => Promise.reject(new Error('this source is in another process'))
  return sources.map(source => ({
    ...source,
    wasAcknowledged: n => n <= source.sent,
    connect: elsewhere,
    run: () => {},
    closed: elsewhere,
    close: elsewhere
  }))
}
