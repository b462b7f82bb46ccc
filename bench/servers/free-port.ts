// A port for programs that can't be told to take any free one.
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port of loopback that was free a moment ago: good enough on a machine of one's own. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port is free')
  return address.port
}
