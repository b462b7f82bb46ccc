// How a connection is closed so that the last words to a client arrive. A socket that is destroyed right after a write loses what was written, and one that is
// closed with unread bytes is reset; here the write side is ended, what still comes in is thrown away, and the socket is
// destroyed when the peer has closed or the time is up.
import type { Duplex } from 'node:stream'

const GOODBYE_TIMEOUT_MS = 1000

/** Closes a connection whose last bytes have been written. */
export function sayGoodbye(socket: Duplex): void {
  if (socket.destroyed) return
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), GOODBYE_TIMEOUT_MS)
  socket.once('end', () => socket.destroy())
  socket.once('close', () => clearTimeout(timer))
}
