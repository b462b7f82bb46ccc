// The writing side of one feed connection, whatever its transport: bytes go out, and whether too many wait is known.
import type { Writable } from 'node:stream'
import type { ControlMessage, Format } from './messages.ts'
import { encodeControl } from './messages.ts'

export type Transport = 'websocket' | 'sse'

export interface OutletOptions {
  transport: Transport
  format: Format
  /**
   * Where whole frames or events are written. For WebSocket the socket itself: the library adds nothing to a frame that
   * was built once for all, as long as it neither compresses nor is in the middle of a message of its own.
   */
  stream: Writable
  unsentBytesMax: number
  /** Whether the transport still takes messages (a WebSocket that is closing doesn't). */
  takesMessages: () => boolean
}

/** One subscriber's connection as the hub sees it. */
export class Outlet {
  readonly transport: Transport
  readonly format: Format
  readonly #options: OutletOptions
  readonly #waiting = new Set<() => void>()
  #open = true

  constructor(options: OutletOptions) {
    this.transport = options.transport
    this.format = options.format
    this.#options = options
    options.stream.on('drain', () => this.#drained())
  }

  get open(): boolean {
    return this.#open && this.#options.takesMessages()
  }

  /** Whether more bytes wait than the connection may hold back. It is never so for ever: then it is closed as stalled. */
  get full(): boolean {
    return this.#options.stream.writableLength > this.#options.unsentBytesMax
  }

  write(bytes: Uint8Array): void {
    if (this.open) this.#options.stream.write(bytes)
  }

  tell(message: ControlMessage): void {
    this.write(encodeControl(this.format, message))
  }

  /** Calls back once what waits has gone out. Only to be asked while `full`: a stream that was not, tells nothing. */
  whenDrained(callback: () => void): void {
    this.#waiting.add(callback)
  }

  /** Nothing is written from here on. */
  close(): void {
    this.#open = false
    this.#waiting.clear()
  }

  #drained(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const callback of waiting) callback()
  }
}
