// The `tocsin` command as a process of its own.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))

/** Starts the command; what it has said so far is in `output`. Without a terminal and without stdin. */
export function tocsin(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { out: '', error: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.error += chunk.toString()))
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const dispose = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return { child, output, ended, [Symbol.asyncDispose]: dispose }
}
