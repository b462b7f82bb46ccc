// Mosquitto as the system's package installs it, configured by mosquitto.conf beside this.
import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../servers/free-port.ts'
import { lineOf, startServer, type ServerProcess } from '../servers/server.ts'
import { temporaryFolder } from '../servers/temporary-folder.ts'
import { PeerMissing, peerFile } from './peer.ts'

export interface MosquittoProcess extends ServerProcess {
  mqttPort: number
}

/** The version that is installed, or null when there is none. */
export function mosquittoVersion(): string | null {
  const { stdout } = spawnSync('mosquitto', ['-h'], { encoding: 'utf8' })
  return /version (\S+)/.exec(stdout ?? '')?.[1] ?? null
}

/** Throws `PeerMissing` when it is not installed. */
export async function startMosquitto(): Promise<MosquittoProcess> {
  if (mosquittoVersion() === null)
    throw new PeerMissing('Mosquitto', 'it is not installed; on Debian: apt-get install mosquitto')
  const folder = await temporaryFolder('mosquitto')
  const file = join(folder.path, 'mosquitto.conf')
  const port = await freePort()
  const settings = await readFile(peerFile('mosquitto.conf'), 'utf8')
  await writeFile(file, `${settings}listener ${port} 127.0.0.1\n`)
  const server = await startServer(['mosquitto', '-c', file])
  await lineOf(server.child, text => text.includes('running'))
  return {
    ...server,
    mqttPort: port,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    }
  }
}
