// Mosquitto without persistence: the fastest that it can be, for it keeps nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lineOf, startServer, type ServerProcess } from './server.ts'

export interface MosquittoProcess extends ServerProcess {
  mqttPort: number
}

export async function startMosquitto(): Promise<MosquittoProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-bench-mosquitto-'))
  const file = join(dir, 'mosquitto.conf')
  const port = await freePort()
  // No limit of its own drops a message that a slow turn has held up.
  const settings = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    'log_type notice',
    'log_type information',
    'connection_messages false',
    'set_tcp_nodelay true'
  ]
  await writeFile(file, `${settings.join('\n')}\n`)
  const server = await startServer(['mosquitto', '-c', file])
  await lineOf(server.child, text => text.includes('running'))
  return {
    ...server,
    mqttPort: port,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await rm(dir, { recursive: true, force: true })
    }
  }
}

// Mosquitto can't be told to take any free port, and to ask for one is good enough on a machine of one's own.
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port is free')
  return address.port
}
