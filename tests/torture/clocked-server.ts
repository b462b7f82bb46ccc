// A server whose clock can be set.
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServerProcess } from '../helpers/server-process.ts'

export class SettableClock {
  readonly #file: string
  /** How much it is off, ms. */
  offMs = 0

  private constructor(file: string) {
    this.#file = file
  }

  /** Writes the file that says how much it is off. */
  static async inFolder(dir: string): Promise<SettableClock> {
    const clock = new SettableClock(join(dir, 'clock'))
    await clock.set(0)
    return clock
  }

  /** The module that a server is started with. */
  get preload(): URL {
    const module = new URL('./set-clock.js', import.meta.url)
    module.searchParams.set('file', this.#file)
    return module
  }

  async set(offMs: number): Promise<void> {
    this.offMs = offMs
    await writeFile(`${this.#file}.new`, `${offMs}`)
    await rename(`${this.#file}.new`, this.#file)
  }

  async move(byMs: number): Promise<void> {
    await this.set(this.offMs + byMs)
  }
}

export function startClocked(
  dir: string,
  clock: SettableClock,
  settings: Readonly<Record<string, string>> = {}
): Promise<ServerProcess> {
  return ServerProcess.start(dir, settings, { nodeArguments: ['--import', clock.preload.href] })
}
