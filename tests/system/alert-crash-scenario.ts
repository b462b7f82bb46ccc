// A server that is killed again and again while rules fire and webhooks fail.
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { AlertOracle, type AlertReport } from './alert-oracle.ts'
import { connectSources, loadSources, totalAcknowledged, totalOpen, type Source } from './load-sources.ts'

/** What one kill did. */
export interface AlertRoundReport extends AlertReport {
  /** Events that were not judged yet when the process was killed, as far as is known. */
  openAtKill: number
}

export class AlertCrashScenario implements AsyncDisposable {
  readonly #server: ServerProcess
  readonly #oracle: AlertOracle
  readonly #sources: readonly Source[] = loadSources({ each: 3, window: 16 })

  private constructor(server: ServerProcess, oracle: AlertOracle) {
    this.#server = server
    this.#oracle = oracle
  }

  static async start(dir: string, seed = 1): Promise<AlertCrashScenario> {
    const oracle = await AlertOracle.start(dir, seed)
    const server = await ServerProcess.start(join(dir, 'data'), oracle.settings)
    return new AlertCrashScenario(server, oracle)
  }

  /** Kills the server when about so many events of this round are acknowledged, and looks at what it did afterwards. */
  async round(killAfter: number): Promise<AlertRoundReport> {
    this.#oracle.receiver.faulty = true
    const sources = this.#sources
    await connectSources(sources, this.#server)
    const start = totalAcknowledged(sources)
    for (const source of sources) source.run(true)
    await eventually(() => totalAcknowledged(sources) >= start + killAfter, {
      what: 'load',
      everyMs: 1,
      timeoutMs: 30_000
    })
    const openAtKill = totalOpen(sources)
    await this.#server.kill9()
    for (const source of sources) source.run(false)
    await Promise.all(sources.map(source => source.closed()))
    await this.#server.restart()
    await connectSources(sources, this.#server)
    await eventually(() => totalOpen(sources) === 0, { what: 'acknowledgement of what was sent again' })
    await Promise.all(sources.map(source => source.close()))
    return { ...(await this.#oracle.judge(this.#server)), openAtKill }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.#sources) await source.close()
    await this.#server[Symbol.asyncDispose]()
    await this.#oracle[Symbol.asyncDispose]()
  }
}
