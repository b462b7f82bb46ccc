// Cuts a byte stream into frames. What is held is what has arrived, never what a length promises.
import type { FrameProblem } from './messages.ts'
import type { FrameExtent } from './value-reader.ts'

const HEAD_BYTES = 4
const EMPTY = Buffer.alloc(0)
/** Least capacity of the buffer in which a torn frame is put together. */
const CAPACITY_MIN = 64

/** Takes chunks, gives frames. A torn frame is copied into a buffer that doubles, so every byte is copied twice at most. */
export class FrameReader {
  #frameBytesMax: number
  /** What came last, from `#at` on not yet looked at. */
  #chunk: Buffer = EMPTY
  #at = 0
  /** The beginning of a torn frame, its head included. */
  #torn: Buffer = EMPTY
  #tornBytes = 0
  /** Given out anew for each frame. */
  readonly #extent: FrameExtent = { bytes: EMPTY, start: 0, end: 0 }

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Bytes that have arrived and were not given out. */
  get heldBytes(): number {
    return this.#chunk.length - this.#at + this.#tornBytes
  }

  /** Adds what arrived. The chunk is owned by the reader and by the frames it gives. */
  push(chunk: Buffer): void {
    this.#chunk =
      this.#at < this.#chunk.length ? Buffer.concat([this.#chunk.subarray(this.#at), chunk]) : chunk
    this.#at = 0
  }

  /** The next whole frame without its length, null when more must arrive first, or a problem, after which nothing follows. */
  next(): Buffer | FrameProblem | null {
    const frame = this.nextExtent()
    return frame === null || 'code' in frame ? frame : frame.bytes.subarray(frame.start, frame.end)
  }

  /** The same where the frame lies, in an object that holds until the next call. */
  nextExtent(): FrameExtent | FrameProblem | null {
    if (this.#tornBytes > 0) return this.#mend()
    const start = this.#at + HEAD_BYTES
    if (start <= this.#chunk.length) {
      const bytes = this.#chunk.readUInt32BE(this.#at)
      if (bytes > this.#frameBytesMax) return this.#tooLarge(bytes)
      if (start + bytes <= this.#chunk.length) {
        this.#at = start + bytes
        return this.#frame(this.#chunk, start, this.#at)
      }
    }
    const rest = this.#chunk.length - this.#at
    if (rest > 0) this.#keep(rest)
    this.#chunk = EMPTY // lets go of the socket's buffer
    this.#extent.bytes = EMPTY
    this.#at = 0
    return null
  }

  /** Lets go of everything that is held. */
  clear(): void {
    this.#chunk = EMPTY
    this.#torn = EMPTY
    this.#extent.bytes = EMPTY
    this.#at = 0
    this.#tornBytes = 0
  }

  #frame(bytes: Buffer, start: number, end: number): FrameExtent {
    const extent = this.#extent
    extent.bytes = bytes
    extent.start = start
    extent.end = end
    return extent
  }

  #mend(): FrameExtent | FrameProblem | null {
    if (!this.#fillTo(HEAD_BYTES)) return null
    const bytes = this.#torn.readUInt32BE(0)
    if (bytes > this.#frameBytesMax) return this.#tooLarge(bytes)
    if (!this.#fillTo(HEAD_BYTES + bytes)) return null
    const torn = this.#torn
    this.#torn = EMPTY // the frame owns it now
    this.#tornBytes = 0
    return this.#frame(torn, HEAD_BYTES, HEAD_BYTES + bytes)
  }

  /** Moves bytes to the torn frame until it has that many; false when the chunk has too few. */
  #fillTo(bytes: number): boolean {
    const missing = bytes - this.#tornBytes
    if (missing <= 0) return true
    const there = Math.min(missing, this.#chunk.length - this.#at)
    if (there > 0) this.#keep(there)
    return there === missing
  }

  #keep(bytes: number): void {
    const needed = this.#tornBytes + bytes
    if (needed > this.#torn.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#torn.length * 2, CAPACITY_MIN))
      this.#torn.copy(grown, 0, 0, this.#tornBytes)
      this.#torn = grown
    }
    this.#chunk.copy(this.#torn, this.#tornBytes, this.#at, this.#at + bytes)
    this.#tornBytes = needed
    this.#at += bytes
  }

  #tooLarge(bytes: number): FrameProblem {
    this.clear()
    return {
      type: 'problem',
      code: 'frame-too-large',
      message: `a frame of ${bytes} bytes is over the limit of ${this.#frameBytesMax}`
    }
  }
}
