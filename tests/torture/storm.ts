// All devices come back at once: cut off by the network while others go on, and by a crash of the server.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from '../helpers/eventually.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { Probe, type ProbeReport } from './probe.ts'
import type { StormReport, StormRequest } from './storm-clients.ts'

const PROCESSES = 2
const BACK_MAX_MS = 300_000
const settings = {
  // They are to come as fast as they can; the default lets in 5,000 a second and asks the others to wait.
  'limits.connectsPerSecondMax': '0',
  'devices.offlineDelayMs': '1s'
}

export interface StormPhase {
  secondsUntilBack: number
  attempts: number
  failures: number
  /** Of clients that were connected all the time; null where there could be none. */
  probe: ProbeReport | null
}

export interface StormOutcome {
  devices: number
  quiet: ProbeReport
  cutOff: StormPhase
  crash: StormPhase
  residentBytes: number
}

export async function storm(
  dir: string,
  { devices, seed, say }: { devices: number; seed: number; say: (line: string) => void }
): Promise<StormOutcome> {
  await using server = await ServerProcess.start(dir, settings)
  await using crowd = new Crowd()
  await crowd.open(server, { devices, seed })
  say(`${devices} devices are connected`)
  await using probe = await Probe.start(server)
  await eventually(() => probe.rounds > 40 || probe.ended, {
    what: 'a look at a quiet server',
    timeoutMs: 60_000
  })
  const quiet = probe.report()

  let startMs = performance.now()
  await crowd.tell({ kind: 'drop' })
  const back = await crowd.back(devices, startMs)
  const until = probe.rounds + 40
  await eventually(() => probe.rounds > until || probe.ended, {
    what: 'a look at what follows',
    timeoutMs: 120_000
  })
  const cutOff = { ...back, probe: probe.report() }
  say(`cut off: ${JSON.stringify(cutOff)}`)
  await probe[Symbol.asyncDispose]()

  startMs = performance.now()
  await server.kill9()
  await server.restart()
  const crash = { ...(await crowd.back(devices, startMs)), probe: null }
  say(`crash: ${JSON.stringify(crash)}`)
  return { devices, quiet, cutOff, crash, residentBytes: await server.residentBytes() }
}

/** The devices, in processes of their own. */
class Crowd implements AsyncDisposable {
  readonly #children: ChildProcess[] = Array.from({ length: PROCESSES }, () =>
    fork(fileURLToPath(new URL('./storm-clients.js', import.meta.url)))
  )

  async open({ ports }: ServerProcess, { devices, seed }: { devices: number; seed: number }): Promise<void> {
    const share = Math.floor(devices / PROCESSES)
    await Promise.all(
      this.#children.map((child, index) =>
        ask(child, {
          kind: 'open',
          ports: { mqtt: ports.mqtt, tcp: ports.tcp },
          devices: index === 0 ? devices - share * (PROCESSES - 1) : share,
          prefix: `storm-${index}`,
          seed: seed + index
        })
      )
    )
    await this.back(devices, performance.now())
  }

  async tell(request: StormRequest): Promise<StormReport> {
    const reports = await Promise.all(this.#children.map(child => ask(child, request)))
    const sum = (of: (report: StormReport) => number) => reports.reduce((total, each) => total + of(each), 0)
    return {
      connected: sum(each => each.connected),
      attempts: sum(each => each.attempts),
      failures: sum(each => each.failures)
    }
  }

  /** Resolves when all are connected. */
  async back(devices: number, sinceMs: number): Promise<Omit<StormPhase, 'probe'>> {
    const report = await eventually(
      async () => {
        const now = await this.tell({ kind: 'report' })
        return now.connected === devices && now
      },
      { what: `${devices} devices`, everyMs: 50, timeoutMs: BACK_MAX_MS }
    )
    const { attempts, failures } = report
    return { secondsUntilBack: (performance.now() - sinceMs) / 1000, attempts, failures }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}

async function ask(child: ChildProcess, request: StormRequest): Promise<StormReport> {
  const answered = once(child, 'message')
  child.send(request)
  const [report] = (await answered) as [StormReport]
  return report
}
