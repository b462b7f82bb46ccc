// The tocsin command as real processes.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from '../helpers/eventually.ts'

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

interface RunOptions {
  env?: Record<string, string>
  /** Another Node.js than the one that runs the tests. */
  node?: string
}

/** Runs a command to its end. */
export function runTocsin(
  args: readonly string[],
  { env = {}, node = process.execPath }: RunOptions = {}
): Ended {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 120_000 } as const
  const { status, stdout, stderr } = spawnSync(node, [main, ...args], options)
  return { code: status, stdout, stderr }
}

/** A server in a process of its own, on ports that the system chose. */
export interface ServingProcess extends AsyncDisposable {
  child: ChildProcess
  mqtt: { host: string; port: number }
  tcp: { host: string; port: number }
  http: { host: string; port: number }
  /** The lines of its log so far. */
  log: Record<string, unknown>[]
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>
}

/** Starts `tocsin serve` and waits until it serves. */
export async function serveTocsin(dir: string, args: readonly string[] = []): Promise<ServingProcess> {
  const ports = ['--mqtt.port', '0', '--tcp.port', '0', '--http.port', '0']
  const child = spawn(process.execPath, [main, 'serve', '--store.dir', dir, ...ports, ...args], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const closed = once(child, 'close') // not "exit": what it wrote last may be read after that
  let stdout = ''
  let stderr = ''
  const log: Record<string, unknown>[] = []
  let partial = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    const lines = (partial + text).split('\n')
    partial = lines.pop() ?? ''
    for (const line of lines) log.push(JSON.parse(line) as Record<string, unknown>)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    child.kill(signal)
    await closed
    return { code: child.exitCode, stdout, stderr }
  }
  const serving = await eventually(
    () => {
      if (child.exitCode !== null)
        throw new Error(`it ended with exit code ${child.exitCode}: ${stdout}${stderr}`)
      return log.find(({ msg }) => msg === 'Serving')
    },
    { what: 'serving' }
  )
  return {
    child,
    mqtt: parseAddress(serving['mqtt']),
    tcp: parseAddress(serving['tcp']),
    http: parseAddress(serving['http']),
    log,
    end,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL'))
  }
}

function parseAddress(text: unknown): { host: string; port: number } {
  const [host = '', port = ''] = String(text).split(':')
  return { host, port: Number(port) }
}
