// A second host on this machine: a network namespace with an address of its own, and a cable to it that can be pulled.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export class SecondHost implements AsyncDisposable {
  /** Name of the namespace. */
  readonly name: string
  /** Address of this host on the cable. */
  readonly address: string
  readonly #here: string

  private constructor(name: string, here: string, network: string) {
    this.name = name
    this.#here = here
    this.address = `${network}.1`
  }

  /** Throws where the machine does not allow it. */
  static async make(): Promise<SecondHost> {
    const id = process.pid % 10_000
    const network = `10.231.${process.pid % 250}`
    const [name, here, there] = [`tocsin-${id}`, `tct${id}a`, `tct${id}b`]
    const host = new SecondHost(name, here, network)
    await run('ip', ['netns', 'add', name])
    try {
      await run('ip', ['link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name])
      await run('ip', ['address', 'add', `${host.address}/24`, 'dev', here])
      await run('ip', ['link', 'set', here, 'up'])
      await run('ip', ['-n', name, 'address', 'add', `${network}.2/24`, 'dev', there])
      for (const device of ['lo', there]) await run('ip', ['-n', name, 'link', 'set', device, 'up'])
      return host
    } catch (error) {
      await host[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Pulls the cable at its other end: what is sent is lost, and nobody is told. */
  async cable(plugged: boolean): Promise<void> {
    await run('ip', ['-n', this.name, 'link', 'set', this.#here.replace(/a$/, 'b'), plugged ? 'up' : 'down'])
  }

  /** Delays and loses packets on the way there; false where the kernel has no netem. */
  async degrade(delayMs: number, lossPercent: number): Promise<boolean> {
    const netem = ['netem', 'delay', `${delayMs}ms`, `${delayMs / 4}ms`, 'loss', `${lossPercent}%`]
    return await run('tc', ['qdisc', 'replace', 'dev', this.#here, 'root', ...netem]).then(
      () => true,
      () => false
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('ip', ['link', 'del', this.#here]).catch(() => {}) // it goes with the namespace, too
    await run('ip', ['netns', 'del', this.name])
  }
}
