// The last words to a client. A socket that is destroyed right after a write loses what was written, and one that is
// closed with unread bytes is reset; here the write side is ended, what still comes in is thrown away, and the socket is
// destroyed when the peer has closed or the time is up.
import type { Duplex } from 'node:stream'

const GOODBYE_TIMEOUT_MS = 1000

/** Sends `bytes` as the last to a client and closes the connection. */
export function sayGoodbye(socket: Duplex, bytes: Buffer | null): void {
  if (socket.destroyed) return
  if (bytes !== null && socket.writable) socket.write(bytes)
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), GOODBYE_TIMEOUT_MS)
  socket.once('end', () => socket.destroy())
  socket.once('close', () => clearTimeout(timer))
}
