// The last words to a client. aedes destroys a socket right after writing to it, which loses them (and a socket that is
// closed with unread bytes is reset); here the write side is ended, what still comes in is thrown away, and the socket
// is destroyed when the peer has closed or the time is up.
import type { AedesClient } from './aedes-internals.ts'

const GOODBYE_TIMEOUT_MS = 1000

/** Sends `bytes` as the last to a client and closes it for aedes at once. */
export function sayGoodbye(client: AedesClient, bytes: Buffer | null): void {
  const socket = client.conn
  if (bytes !== null && socket.writable) socket.write(bytes)
  socket.destroy = () => socket // an own property, in front of the prototype's method
  client.close()
  delete (socket as Partial<typeof socket>).destroy
  if (socket.destroyed) return
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), GOODBYE_TIMEOUT_MS)
  socket.once('end', () => socket.destroy())
  socket.once('close', () => clearTimeout(timer))
}
