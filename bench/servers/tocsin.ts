// Tocsin as it ships: `tocsin serve` in a temporary folder, on ports that the system chose.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lineOf, startServer, type ServerProcess } from './server.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface TocsinProcess extends ServerProcess {
  mqttPort: number
  tcpPort: number
  httpPort: number
  token: string
}

export interface TocsinOptions {
  /** Another build's `cli/main.js`. */
  main?: string | null
  /** Settings as flags. */
  flags?: readonly string[]
  nodeFlags?: readonly string[]
  /** Folder of the data, which stays; a temporary one when there is none. */
  dir?: string
  /** Port of HTTP; by default one that the system chooses. */
  httpPort?: number
}

/** The build that this file belongs to. */
const ownMain = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
// One machine stands for a thousand here; it connects them all at once.
const LIMITS = ['--limits.connectsPerSecondMax', '0', '--limits.connectionsMax', '30000']
/** As `npm start` and the container image have it. */
const MEMORY_FLAGS = ['--max-semi-space-size=16']
const PORTS = ['--mqtt.port', '0', '--tcp.port', '0']

export async function startTocsin({
  main,
  flags = [],
  nodeFlags = [],
  dir: given,
  httpPort = 0
}: TocsinOptions = {}): Promise<TocsinProcess> {
  const folder = given === undefined ? await temporaryFolder('tocsin') : null
  const dir = given ?? folder?.path ?? ''
  const program = [process.execPath, ...MEMORY_FLAGS, ...nodeFlags, main ?? ownMain]
  const ports = [...PORTS, '--http.port', String(httpPort)]
  const server = await startServer([...program, 'serve', '--store.dir', dir, ...ports, ...LIMITS, ...flags])
  const remove = async () => folder?.[Symbol.asyncDispose]()
  try {
    const line = await lineOf(server.child, text => text.includes('"Serving"'))
    const serving = JSON.parse(line) as { mqtt: string; tcp: string; http: string }
    return {
      ...server,
      mqttPort: portOf(serving.mqtt),
      tcpPort: portOf(serving.tcp),
      httpPort: portOf(serving.http),
      token: (await readFile(join(dir, 'admin.token'), 'utf8')).trim(),
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]()
        await remove()
      }
    }
  } catch (error) {
    await server[Symbol.asyncDispose]()
    await remove()
    throw error
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
