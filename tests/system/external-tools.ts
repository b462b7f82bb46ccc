// Programs of others that speak to the server: mosquitto's clients and broker, Python, curl, as processes.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'

export interface ToolResult {
  code: number | null
  output: string
}

/** Whether a program is there; else says so on the console. */
export function toolIsHere(name: string): boolean {
  const { error } = spawnSync(name, ['--help'])
  if (error === undefined) return true
  console.log(`skipped: ${name} is not installed here`)
  return false
}

/** A running program with the lines it has written so far. */
export class Tool implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #output = ''
  #errors = ''

  /** Starts it; what it is to read from stdin is in `input`. */
  constructor(name: string, args: readonly string[], { input }: { input?: string } = {}) {
    this.#child = spawn(name, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
    this.#child.stdin?.on('error', () => {}) // it ended before it had read all; its exit code says why
    this.#child.stdin?.end(input)
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()))
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    this.#ended = new Promise(resolve => this.#child.once('close', () => resolve()))
  }

  /** Complete lines of stdout. */
  get lines(): string[] {
    return this.#output.split('\n').slice(0, -1)
  }

  get errors(): string {
    return this.#errors
  }

  /** Asks it to end, as SIGTERM does; resolves when it has. */
  async terminate(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
  }

  /** Ends it at once, as SIGKILL does; resolves when it is gone. */
  async kill9(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Resolves when it has ended by itself. */
  async end(): Promise<ToolResult> {
    await this.#ended
    return { code: this.#child.exitCode, output: this.#output + this.#errors }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9()
  }
}

/** Runs a program to its end. */
export function runTool(
  name: string,
  args: readonly string[],
  options: { input?: string } = {}
): Promise<ToolResult> {
  return new Tool(name, args, options).end()
}
