// The event loop's end of a database thread: calls become messages, replies resolve them in any order.
import { Worker } from 'node:worker_threads'
import { CommitError } from '../engine.ts'
import { StoreError } from '../errors.ts'
import type { StoreErrorCode } from '../errors.ts'
import type { Calls, Failure, Reply, Request, WorkerData } from './messages.ts'

interface Pending {
  resolve: (answer: unknown) => void
  reject: (error: Error) => void
}

// What a thread makes lives for one call. More room for it is memory that the process has and nobody uses.
const YOUNG_MB = 8

/** One database thread and the calls that it has not answered. */
export class ThreadClient<Known extends Calls<Known>> {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #ended: Error | null = null
  #closing = false

  /** `onDeath` is called when the thread ends without having been closed. */
  constructor(script: URL, data: WorkerData<unknown>, onDeath: (error: Error) => void) {
    this.#worker = new Worker(script, {
      workerData: data,
      name: script.pathname.split('/').at(-1) ?? '',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB }
    })
    let cause: Error | null = null
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', (error: Error) => (cause = error))
    this.#worker.on('exit', code => {
      const reason = cause?.message ?? `code ${code}`
      const error = new Error(`a database thread ended: ${reason}`, { cause })
      this.#ended = error
      for (const { reject } of this.#pending.values()) reject(error)
      this.#pending.clear()
      if (!this.#closing) onDeath(error)
    })
  }

  call<Name extends keyof Known & string>(
    name: Name,
    request: Known[Name]['request']
  ): Promise<Known[Name]['answer']> {
    if (this.#closing || this.#ended)
      return Promise.reject(new StoreError('store-closed', 'the store is closed'))
    return this.#post(name, request)
  }

  /** Lets the thread finish what it was asked, then ends it. Does nothing when it has ended. */
  async close(): Promise<void> {
    if (!this.#closing && !this.#ended) {
      this.#closing = true
      await this.#post('close', null)
    }
    await this.#worker.terminate()
  }

  #post(call: string, request: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#pending.set(id, { resolve, reject })
      this.#worker.postMessage([id, call, request] satisfies Request)
    })
  }

  #settle([id, answer, failure]: Reply): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (failure === undefined) pending?.resolve(answer)
    else pending?.reject(errorOf(failure))
  }
}

function errorOf({ kind, code, message, stack }: Failure): Error {
  switch (kind) {
    case 'commit':
      return new CommitError(code === 'disk-full' ? 'disk-full' : 'disk-error', message)
    case 'store':
      return new StoreError(code as StoreErrorCode, message)
    case 'unexpected': {
      const error = new Error(message)
      if (stack) error.stack = stack
      return error
    }
  }
}
