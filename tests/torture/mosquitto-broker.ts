// Mosquitto as its package has it, with persistence, as a process that can be killed and started again.
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/server-process.ts'
import { Tool } from '../system/external-tools.ts'

export class MosquittoBroker implements AsyncDisposable {
  readonly ports: { mqtt: number }
  readonly #configuration: string
  #tool: Tool

  private constructor(port: number, configuration: string) {
    this.ports = { mqtt: port }
    this.#configuration = configuration
    this.#tool = this.#spawn()
  }

  /** Starts it in a folder with persistence; everything else is its default. */
  static async start(dir: string): Promise<MosquittoBroker> {
    const port = await freePort()
    const data = join(dir, 'mosquitto')
    await mkdir(data, { recursive: true, mode: 0o777 })
    const configuration = join(dir, 'mosquitto.conf')
    // Started by root it becomes another user, who could not write into the folder.
    const user = process.getuid?.() === 0 ? 'user root\n' : ''
    await writeFile(
      configuration,
      `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${data}/\n${user}`
    )
    const broker = new MosquittoBroker(port, configuration)
    await broker.#becomeReady()
    return broker
  }

  /** Ends it as its service does, which saves everything, and starts it again. */
  async restartInPeace(): Promise<void> {
    await this.#tool.terminate()
    await this.#startAgain()
  }

  /** Sends SIGKILL; resolves when it is gone. */
  async kill9(): Promise<void> {
    await this.#tool.kill9()
  }

  /** Starts again what was killed. */
  async restart(): Promise<void> {
    await this.#startAgain()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tool.kill9()
  }

  async #startAgain(): Promise<void> {
    this.#tool = this.#spawn()
    await this.#becomeReady()
  }

  #spawn(): Tool {
    return new Tool('mosquitto', ['-c', this.#configuration])
  }

  async #becomeReady(): Promise<void> {
    await eventually(() => answers(this.ports.mqtt), { what: 'a port of Mosquitto', everyMs: 20 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}: ${this.#tool.errors}`, { cause: error })
      }
    )
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
