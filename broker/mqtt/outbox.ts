// What goes out to MQTT clients: each connection's packets of one turn of the event loop leave in one write.
import type { Duplex } from 'node:stream'

// Joining costs a copy; above this it is cheaper to hand the parts to the socket as they are.
const JOIN_BYTES_MAX = 65_536

/** Collects packets of many connections and writes them once a turn. */
export class Outbox {
  #waiting: ConnectionOutbox[] = []
  readonly #flush = () => {
    const waiting = this.#waiting
    this.#waiting = []
    for (const connection of waiting) connection.flush()
  }

  /** The outbox of one connection; `onFlushed` is called after each turn's write. */
  open(socket: Duplex, onFlushed: () => void): ConnectionOutbox {
    return new ConnectionOutbox(this, socket, onFlushed)
  }

  /** Has a connection flushed at the end of this turn. */
  wake(connection: ConnectionOutbox): void {
    if (this.#waiting.push(connection) === 1) setImmediate(this.#flush)
  }
}

/** One connection's packets that wait for the end of the turn. */
export class ConnectionOutbox {
  readonly #outbox: Outbox
  readonly #socket: Duplex
  readonly #onFlushed: () => void
  #parts: Buffer[] = []
  #bytes = 0

  constructor(outbox: Outbox, socket: Duplex, onFlushed: () => void) {
    this.#outbox = outbox
    this.#socket = socket
    this.#onFlushed = onFlushed
  }

  /** Adds a packet to this turn's write. */
  push(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#parts.push(bytes) === 1) this.#outbox.wake(this)
  }

  /** Bytes that the network has not taken yet. */
  get unsentBytes(): number {
    return this.#bytes + this.#socket.writableLength
  }

  flush(): void {
    const parts = this.#parts
    const bytes = this.#bytes
    if (parts.length === 0) return
    this.#parts = []
    this.#bytes = 0
    const socket = this.#socket
    if (!socket.writable) return
    const [first] = parts
    if (parts.length === 1 && first !== undefined) {
      socket.write(first)
    } else if (bytes <= JOIN_BYTES_MAX) {
      socket.write(Buffer.concat(parts, bytes))
    } else {
      socket.cork()
      for (const part of parts) socket.write(part)
      socket.uncork()
    }
    this.#onFlushed()
  }
}
