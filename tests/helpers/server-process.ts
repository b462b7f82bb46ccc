// `tocsin serve` as a process of its own, which can be killed and started again in the same folder on the same ports.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
const READY_TIMEOUT_MS = 60_000
/** How `npm start` and the container image run it. */
export const SHIPPED_NODE_ARGUMENTS = ['--max-semi-space-size=16']
const OUTPUT_CHARACTERS_MAX = 100_000
/** Where ports are looked for, and how many of them are for each of jest's workers. */
const PORTS_FIRST = 20_000
const PORTS_EACH = 1000
const WORKERS = 12

export interface ServerPorts {
  mqtt: number
  tcp: number
  http: number
}

/** An answer of the HTTP interface. */
export interface Answer {
  status: number
  /** Parsed when it is JSON, otherwise text. */
  body: unknown
}

export class ServerProcess implements AsyncDisposable {
  readonly dir: string
  readonly ports: ServerPorts
  readonly #settings: Readonly<Record<string, string>>
  readonly #nodeArguments: readonly string[]
  #child: ChildProcess
  #ended: Promise<void>
  #output = ''
  #token = ''
  #mayEnd = false

  private constructor(
    dir: string,
    ports: ServerPorts,
    {
      settings,
      nodeArguments
    }: { settings: Readonly<Record<string, string>>; nodeArguments: readonly string[] }
  ) {
    this.dir = dir
    this.ports = ports
    this.#settings = settings
    this.#nodeArguments = nodeArguments
    ;({ child: this.#child, ended: this.#ended } = this.#spawn())
  }

  /**
   * Starts a server on a data folder, with settings as flags name them (`'mqtt.host'`), and waits until it is ready. One
   * that `mayRefuse` to start is not complained of on the console; either way it rejects with what the process wrote.
   * `nodeArguments` come before the server's own, like `--import` of a module that is loaded before it in all its threads.
   */
  static async start(
    dir: string,
    settings: Readonly<Record<string, string>> = {},
    { mayRefuse = false, nodeArguments = [] }: { mayRefuse?: boolean; nodeArguments?: readonly string[] } = {}
  ): Promise<ServerProcess> {
    const ports = await freeServerPorts()
    const server = new ServerProcess(dir, ports, { settings, nodeArguments })
    server.#mayEnd = mayRefuse
    await server.#becomeReady()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.http}`
  }

  /** The token that the first start wrote. */
  get adminToken(): string {
    return this.#token
  }

  /** What the processes have written to stdout and stderr: the end of it, if it is long. */
  get output(): string {
    return this.#output
  }

  /** Of the process that runs, or ran last. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Null while it runs, and after a signal. */
  get exitCode(): number | null {
    return this.#child.exitCode
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Bytes of memory that the process occupies. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) * 1024
  }

  /** Files and sockets that the process has open. */
  async openFiles(): Promise<number> {
    return (await readdir(`/proc/${this.#child.pid}/fd`)).length
  }

  /** Asks the HTTP interface with the admin token. Every request has a connection of its own: restarts leave none stale. */
  async ask(
    path: string,
    { body, token = this.#token }: { body?: unknown; token?: string } = {}
  ): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        connection: 'close',
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000)
    })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, body: json ? (JSON.parse(text) as unknown) : text }
  }

  /** The sum of a metric over its labels. Throws when there is none of this name. */
  async metric(name: string): Promise<number> {
    const { body } = await this.ask('/metrics')
    const values = [...String(body).matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'))]
    if (values.length === 0) throw new Error(`there is no metric ${name}`)
    return values.reduce((sum, [, value]) => sum + Number(value), 0)
  }

  /** Sends SIGKILL at once; resolves when the process is gone. */
  async kill9(): Promise<void> {
    this.#mayEnd = true
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Sends SIGHUP. */
  hangUp(): void {
    this.#child.kill('SIGHUP')
  }

  /** Sends SIGTERM; resolves with the exit code, null when a signal ended it. */
  async terminate(): Promise<number | null> {
    this.#mayEnd = true
    this.#child.kill('SIGTERM')
    await this.#ended
    return this.#child.exitCode
  }

  /** Starts again what has ended, in the same folder and on the same ports. */
  async restart(): Promise<void> {
    if (this.running) throw new Error('the server runs still')
    ;({ child: this.#child, ended: this.#ended } = this.#spawn())
    await this.#becomeReady()
  }

  /** Starts again what has ended, and sends SIGKILL so long after, ready or not. */
  async startAndKill(afterMs: number): Promise<void> {
    if (this.running) throw new Error('the server runs still')
    ;({ child: this.#child, ended: this.#ended } = this.#spawn())
    await delay(afterMs)
    await this.kill9()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9()
  }

  #spawn(): { child: ChildProcess; ended: Promise<void> } {
    const { mqtt, tcp, http } = this.ports
    const settings = {
      'store.dir': this.dir,
      'mqtt.port': `${mqtt}`,
      'tcp.port': `${tcp}`,
      'http.port': `${http}`,
      ...this.#settings
    }
    const flags = Object.entries(settings).map(([path, value]) => `--${path}=${value}`)
    const child = spawn(process.execPath, [...this.#nodeArguments, main, 'serve', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    this.#mayEnd = false
    const ended = once(child, 'close').then(() => {
      if (!this.#mayEnd) console.error(`the server has ended by itself:\n${this.#output}`)
    })
    return { child, ended }
  }

  async #becomeReady(): Promise<void> {
    const ready = async () => {
      if (!this.running) throw new Error(`the server has ended:\n${this.#output}`)
      const response = await fetch(`${this.url}/readyz`, { headers: { connection: 'close' } }).catch(
        () => null
      )
      await response?.arrayBuffer()
      return response?.status === 200
    }
    await eventually(ready, { what: 'readiness', everyMs: 20, timeoutMs: READY_TIMEOUT_MS }).catch(
      async (error: unknown) => {
        await this.kill9()
        throw new Error(`${String(error)}\n${this.#output}`, { cause: error })
      }
    )
    this.#token = (await readFile(join(this.dir, 'admin.token'), 'utf8')).trim()
  }
}

/** Ports for a whole server; see `freePorts`. */
export async function freeServerPorts(): Promise<ServerPorts> {
  const [mqtt = 0, tcp = 0, http = 0] = await freePorts(3)
  return { mqtt, tcp, http }
}

/** A port that nobody listens on; see `freePorts`. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/**
 * Different ports that nobody listens on, below those the system hands out to clients: else a client that tries to come
 * back while the server is down may be given the server's own port and find itself. Until somebody listens on them, others
 * may find them free, too. So each of jest's workers, which run beside each other, has ports of its own.
 */
async function freePorts(count: number): Promise<number[]> {
  const worker = Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS
  const first = PORTS_FIRST + worker * PORTS_EACH
  const held = new Map<number, Server>()
  while (held.size < count) {
    const port = first + Math.floor(Math.random() * PORTS_EACH)
    const probe = createServer()
    const free = await new Promise<boolean>(resolve => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (free) held.set(port, probe)
  }
  await Promise.all([...held.values()].map(probe => once(probe.close(), 'close')))
  return [...held.keys()]
}
