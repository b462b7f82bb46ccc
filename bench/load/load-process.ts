// A load maker as its parent sees it.
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pinned } from '../pinning.ts'
import type { Answer, Call, LoadOptions, Request } from './kinds.ts'
import type { Counts } from './load.ts'

/** A call that takes longer has failed: a bench ends, whatever a server does. */
const CALL_MS_MAX = 180_000

const worker = fileURLToPath(new URL('./worker.js', import.meta.url))

/** A load in a process of its own; `await using` ends it. */
export class LoadProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<Counts>>()
  #nextId = 1
  #ended: Error | null = null

  /** Starts the process and resolves when the load is connected. */
  static async create<Name extends keyof LoadOptions>(
    load: Name,
    options: LoadOptions[Name]
  ): Promise<LoadProcess> {
    const process = new LoadProcess()
    try {
      await process.#call({ call: 'create', load, options })
      return process
    } catch (error) {
      await process[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor() {
    const { program, args } = pinned('load', [process.execPath])
    const onCore = program === process.execPath ? {} : { execPath: program, execArgv: args }
    this.#child = fork(worker, [], onCore)
    this.#child.on('message', (answer: Answer) => this.#take(answer))
    this.#child.on('exit', code => {
      this.#ended = new Error(`A load maker ended with exit code ${code}`)
      for (const { reject } of this.#waiting.values()) reject(this.#ended)
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  start(): Promise<Counts> {
    return this.#call({ call: 'start' })
  }

  stop(): Promise<Counts> {
    return this.#call({ call: 'stop' })
  }

  check(): Promise<Counts> {
    return this.#call({ call: 'check' })
  }

  counts(): Promise<Counts> {
    return this.#call({ call: 'counts' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== null) return
    const exited = new Promise(resolve => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await exited
  }

  #call(call: Call): Promise<Counts> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    const id = this.#nextId++
    const waiting = Promise.withResolvers<Counts>()
    this.#waiting.set(id, waiting)
    this.#child.send({ id, ...call } satisfies Request)
    const tooLong = setTimeout(() => {
      waiting.reject(new Error(`A load maker has not done "${call.call}" within ${CALL_MS_MAX / 1000} s`))
    }, CALL_MS_MAX)
    return waiting.promise.finally(() => clearTimeout(tooLong))
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.counts)
  }
}
