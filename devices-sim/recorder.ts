// Writes every acknowledged event to a file as one JSON line, as it comes. Whoever checks a server after a crash
// compares its log with this file.
import { closeSync, openSync, writeSync } from 'node:fs'
import type { DevicePart } from './fleet-plan.ts'

/** Bytes that are gathered before they are written, at most; whatever is there is written in the same turn. */
const CHUNK_CHARACTERS_MAX = 65_536

/** A file of acknowledged events. Opening throws the system's error; a failed write is told to `onError`, once. */
export class Recorder {
  readonly #file: number
  readonly #onError: (error: Error) => void
  #failed = false
  #text = ''
  #scheduled = false

  constructor(path: string, onError: (error: Error) => void) {
    this.#onError = onError
    this.#file = openSync(path, 'w')
  }

  /** Notes that the server has acknowledged event `n` of the device. */
  record(part: DevicePart, event: { n: number; topic: string }): void {
    const { id: device, protocol } = part
    this.#text += `${JSON.stringify({ device, protocol, topic: event.topic, n: event.n })}\n`
    if (this.#text.length > CHUNK_CHARACTERS_MAX) this.flush()
    else if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => this.flush())
    }
  }

  /** Hands what was recorded to the system. Synchronous: a line is in the file once the turn of its answer is over. */
  flush(): void {
    this.#scheduled = false
    let bytes = Buffer.from(this.#text)
    this.#text = ''
    try {
      while (bytes.length > 0 && !this.#failed) bytes = bytes.subarray(writeSync(this.#file, bytes))
    } catch (error) {
      this.#failed = true
      this.#onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  close(): void {
    this.flush()
    closeSync(this.#file)
  }
}
