// What is to be sent to one device: gathered over a turn of the event loop, written once.
import type { Socket } from 'node:net'

/** The replies of one connection. */
export class Replies {
  #socket: Socket
  #frames: Buffer[] = []
  #bytes = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Bytes gathered and not yet written. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes written that the device has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  push(frame: Buffer): void {
    this.#frames.push(frame)
    this.#bytes += frame.length
  }

  /** Writes everything. */
  write(): void {
    if (this.#bytes > 0) this.#socket.write(this.#take())
  }

  /** Writes everything and closes our side. */
  end(): void {
    if (this.#bytes > 0) this.#socket.end(this.#take())
    else this.#socket.end()
  }

  #take(): Buffer {
    const [first] = this.#frames
    const all = this.#frames.length === 1 && first !== undefined ? first : Buffer.concat(this.#frames)
    this.#frames.length = 0
    this.#bytes = 0
    return all
  }
}
