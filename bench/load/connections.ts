// Sockets of load makers. All of a process read into one buffer, so that reading allocates nothing.
import { connect, type Socket } from 'node:net'

const READ_BYTES = 256 * 1024
const shared = Buffer.allocUnsafe(READ_BYTES)

export interface OpenOptions {
  port: number
  /** Called with what was read, `bytes[0…length)`, which the next read overwrites. */
  onBytes: (bytes: Buffer, length: number) => void
  /** Called when the connection is over; without it, that ends the load maker, for then nothing it counts is true. */
  onClose?: () => void
}

/** Connects to a server on this machine. */
export function openSocket({ port, onBytes, onClose = lost }: OpenOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length, bytes) => {
          onBytes(bytes as Buffer, length)
          return true
        }
      }
    })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.on('close', onClose)
      resolve(socket)
    })
  })
}

function lost(): never {
  throw new Error('The server closed a connection')
}

/** Opens many connections, a few at the same time. */
export async function openMany<Connection>(
  count: number,
  atOnce: number,
  open: (index: number) => Promise<Connection>
): Promise<Connection[]> {
  const connections: Connection[] = []
  let next = 0
  const lane = async () => {
    while (next < count) {
      const index = next++
      connections[index] = await open(index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane))
  return connections
}

/** Resolves at the n-th call of `count`. */
export class Awaited {
  readonly #done = Promise.withResolvers<void>()
  #left: number

  constructor(count: number) {
    this.#left = count
    if (count === 0) this.#done.resolve()
  }

  count(): void {
    if (--this.#left === 0) this.#done.resolve()
  }

  get promise(): Promise<void> {
    return this.#done.promise
  }
}
