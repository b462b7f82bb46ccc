// Programs of others that speak to the server: mosquitto's clients and curl, as processes.
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

  constructor(name: string, args: readonly string[]) {
    this.#child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] })
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

  /** Resolves when it has ended by itself. */
  async end(): Promise<ToolResult> {
    await this.#ended
    return { code: this.#child.exitCode, output: this.#output + this.#errors }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** Runs a program to its end. */
export function runTool(name: string, args: readonly string[]): Promise<ToolResult> {
  return new Tool(name, args).end()
}
