// A server under test: a process of its own, on its own core, that is gone when the measure is.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { pinned } from '../pinning.ts'

export interface ServerProcess extends AsyncDisposable {
  pid: number
  child: ChildProcess
}

/** How long a server may take to end by itself. */
const END_MS = 15_000
/** How long it may take to say that it listens. */
const START_MS = 120_000

/**
 * Starts a server; `stdout` and `stderr` are pipes. Throws if it can't be started. With taskset the process is the server
 * itself, for taskset replaces itself by it.
 */
export async function startServer(
  command: readonly string[],
  env: Record<string, string> = {}
): Promise<ServerProcess> {
  const { program, args } = pinned('server', command)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  await once(child, 'spawn')
  const orphan = () => void child.kill('SIGKILL') // a bench that is broken off takes its servers with it
  process.prependOnceListener('exit', orphan) // before its folder is removed
  const exited = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    child,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await exited
      clearTimeout(timer)
      process.off('exit', orphan)
    }
  }
}

/** Resolves with the first line of the child's output that is wanted; rejects when it ends before, or takes too long. */
export function lineOf(child: ChildProcess, wanted: (line: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = ''
    let found = false
    const take = (text: string) => {
      if (found) return
      all += text
      const line = all.split('\n').slice(0, -1).find(wanted)
      if (line === undefined) return
      found = true
      all = ''
      clearTimeout(tooLong)
      resolve(line)
    }
    const tooLong = setTimeout(() => {
      reject(new Error(`The server has not started within ${START_MS / 1000} s: ${all}`))
    }, START_MS)
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', take)
    child.once('exit', code => {
      clearTimeout(tooLong)
      if (!found) reject(new Error(`The server ended with exit code ${code}: ${all}`))
    })
  })
}
