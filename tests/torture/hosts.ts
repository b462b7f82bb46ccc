// A second host on this machine: a network namespace with an address of its own, and a cable to it that can be pulled.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A network device at one end of the cable. */
export interface CableEnd {
  device: string
  /** Runs a command on the host that has this end; resolves with what it writes. Throws with what it complains of. */
  run(command: string, args: readonly string[]): Promise<string>
}

export class SecondHost implements AsyncDisposable {
  /** Name of the namespace. */
  readonly name: string
  /** Address of this host on the cable. */
  readonly address: string
  readonly #here: string
  readonly #there: string

  private constructor(name: string, { here, there }: { here: string; there: string }, network: string) {
    this.name = name
    this.#here = here
    this.#there = there
    this.address = `${network}.1`
  }

  /** Throws where the machine does not allow it. */
  static async make(): Promise<SecondHost> {
    const id = process.pid % 10_000
    const network = `10.231.${process.pid % 250}`
    const [name, here, there] = [`tocsin-${id}`, `tct${id}a`, `tct${id}b`]
    const host = new SecondHost(name, { here, there }, network)
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
    await run('ip', ['-n', this.name, 'link', 'set', this.#there, plugged ? 'up' : 'down'])
  }

  /** This end of the cable and the other one. */
  get ends(): readonly [CableEnd, CableEnd] {
    const inside = ['netns', 'exec', this.name]
    return [
      { device: this.#here, run: async (command, args) => await output(command, args) },
      { device: this.#there, run: async (command, args) => await output('ip', [...inside, command, ...args]) }
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('ip', ['link', 'del', this.#here]).catch(() => {}) // it goes with the namespace, too
    await run('ip', ['netns', 'del', this.name])
  }
}

async function output(command: string, args: readonly string[]): Promise<string> {
  return (await run(command, args)).stdout
}
