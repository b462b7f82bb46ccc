// A database thread's end: takes calls one by one, in order, and replies.
import { parentPort } from 'node:worker_threads'
import { CommitError } from '../engine.ts'
import { StoreError } from '../errors.ts'
import type { Calls, Failure, Reply, Request } from './messages.ts'

/** Handlers of the calls; each returns its answer and what of it may be moved instead of copied. */
export type Handlers<Known extends Calls<Known>> = {
  [Name in keyof Known]: (request: Known[Name]['request']) => Answer<Known[Name]['answer']>
}

type Answer<Value> = Moved<Value> | Promise<Moved<Value>>

interface Moved<Value> {
  answer: Value
  move?: ArrayBuffer[]
}

/** Serves calls from the thread that started this one. */
export function serve<Known extends Calls<Known>>(handlers: Handlers<Known>): void {
  const port = parentPort
  if (port === null) throw new Error('this file is run as a worker thread')
  let queue = Promise.resolve()
  port.on('message', ([id, call, request]: Request) => {
    queue = queue.then(async () => {
      let reply: Reply
      let move: ArrayBuffer[] | undefined
      try {
        const handler = handlers[call as keyof Known]
        if (handler === undefined) throw new Error(`unknown call ${call}`)
        const moved = await handler(request)
        reply = [id, moved.answer]
        move = moved.move
      } catch (error) {
        reply = [id, null, failureOf(error)]
      }
      port.postMessage(reply, move)
    })
  })
}

function failureOf(error: unknown): Failure {
  if (error instanceof CommitError)
    return { kind: 'commit', code: error.code, message: error.message, stack: null }
  if (error instanceof StoreError)
    return { kind: 'store', code: error.code, message: error.message, stack: null }
  if (error instanceof Error)
    return { kind: 'unexpected', code: null, message: error.message, stack: error.stack ?? null }
  return { kind: 'unexpected', code: null, message: String(error), stack: null }
}
