// What a process asks of its kernel, as strace tells: a stream of calls' beginnings and ends, in the order in which they were.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { NotRunnable } from './scenario.ts'

export interface SystemCall {
  name: string
  /** What the descriptor is: a path, or `TCP:[local->remote]`. */
  descriptor: string
  /** Bytes that were written; empty for others. */
  bytes: Buffer
}

export type TraceEvent = { at: 'begin' | 'end'; call: SystemCall }

/** Throws `NotRunnable` where strace is not there or may not attach. */
export function needStrace(): void {
  const { error, status, stderr } = spawnSync('strace', ['-o', '/dev/null', 'true'], { encoding: 'utf8' })
  if (error) throw new NotRunnable('strace is not installed')
  if (status !== 0) throw new NotRunnable(`strace may not trace here: ${stderr.trim()}`)
}

/** strace on a running process with all its threads, from `attach` until `detach`. */
export class Strace implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'close')
  }

  static async attach(pid: number, args: readonly string[]): Promise<Strace> {
    const child = spawn('strace', ['-f', ...args, '-p', `${pid}`], { stdio: ['ignore', 'ignore', 'pipe'] })
    const strace = new Strace(child)
    let said = ''
    const attached = new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (/attached/.test(said)) resolve()
      })
      child.once('close', () => reject(new Error(`strace ended: ${said}`)))
    })
    await attached
    return strace
  }

  /** Lets go of the process, which goes on. */
  async detach(): Promise<void> {
    this.#child.kill('SIGINT')
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.detach()
  }
}

/** strace's arguments for a trace that `readTrace` reads. */
export function traceArguments(file: string, calls: readonly string[]): string[] {
  return ['-yy', '-xx', '-s', '70000', '-e', `trace=${calls.join(',')}`, '-e', 'signal=none', '-o', file]
}

/** Reads a trace, calls that failed left out. */
export async function* readTrace(file: string): AsyncGenerator<TraceEvent> {
  const open = new Map<string, SystemCall>()
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (rest.startsWith('<... ')) {
      const call = open.get(thread)
      open.delete(thread)
      if (call && !/= -1 /.test(rest.slice(-80))) yield { at: 'end', call }
      continue
    }
    const call = callOf(rest)
    if (call === null) continue
    if (rest.endsWith('<unfinished ...>')) {
      open.set(thread, call)
      yield { at: 'begin', call }
    } else if (!/= -1 /.test(rest.slice(-80))) {
      yield { at: 'begin', call }
      yield { at: 'end', call }
    }
  }
}

function callOf(text: string): SystemCall | null {
  const [, name = '', descriptor = ''] = /^(\w+)\(\d+<((?:->|[^>])*)>/.exec(text) ?? []
  if (name === '') return null
  const quoted = [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => bytesOf(hex))
  return {
    name,
    descriptor: descriptor.includes('\\x') ? bytesOf(descriptor).toString() : descriptor,
    bytes: Buffer.concat(quoted)
  }
}

function bytesOf(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex')
}
