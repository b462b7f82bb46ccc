// Reads the data types of MQTT (5.0, section 1.5) from one packet's bytes and never past its end. What is not
// well-formed throws a WireError, which the packet decoder turns into its result.
import { isUtf8 } from 'node:buffer'
import type { ConnectAnswer } from './client-packets.ts'
import { reason, type ReasonCode } from './reason-codes.ts'

/** Why a packet is refused. Never leaves the decoder. */
export class WireError extends Error {
  readonly code: ReasonCode
  /** Set where a CONNECT is to be answered. */
  connect: ConnectAnswer | undefined

  constructor(message: string, code: ReasonCode = reason.malformedPacket) {
    super(message)
    this.code = code
  }
}

/** A protocol error: the packet can be read, but holds what may not be. */
export function protocolError(message: string): WireError {
  return new WireError(message, reason.protocolError)
}

/** A place in a packet that moves on with what is read. `what` names the field in messages: "the topic name". */
export class WireReader {
  readonly chunk: Buffer
  at: number
  readonly end: number

  /** Reads chunk[at..end). */
  constructor(chunk: Buffer, at: number, end: number) {
    this.chunk = chunk
    this.at = at
    this.end = end
  }

  byte(what: string): number {
    if (this.at >= this.end) throw cutShort(what)
    return this.chunk[this.at++] ?? 0
  }

  uint16(what: string): number {
    const { chunk, at } = this
    if (at + 2 > this.end) throw cutShort(what)
    this.at = at + 2
    return ((chunk[at] ?? 0) << 8) | (chunk[at + 1] ?? 0)
  }

  uint32(what: string): number {
    const high = this.uint16(what)
    return high * 65_536 + this.uint16(what)
  }

  /** At most four bytes, and no more than the value needs [MQTT-1.5.5-1]. */
  variableInteger(what: string): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte(what)
      value |= (byte & 0x7f) << shift
      if (byte === 0 && shift > 0) throw new WireError(`${what} has more bytes than it needs`)
      if (byte < 0x80) return value
    }
    throw new WireError(`${what} has more than four bytes`)
  }

  /** A view of the chunk. */
  binary(what: string): Buffer {
    const start = this.#counted(what)
    return this.chunk.subarray(start, this.at)
  }

  /** A UTF-8 string without NUL; a byte order mark stays [MQTT-1.5.4-1, -2, -3]. */
  text(what: string): string {
    const { chunk } = this
    const start = this.#counted(what)
    const end = this.at
    let bits = 0
    for (let at = start; at < end; at++) {
      const byte = chunk[at] ?? 0
      if (byte === 0) throw new WireError(`${what} contains a NUL`)
      bits |= byte
    }
    if (bits < 0x80) return chunk.toString('latin1', start, end) // the same for ASCII, and faster
    if (!isUtf8(chunk.subarray(start, end))) throw new WireError(`${what} is not UTF-8`)
    return chunk.toString('utf8', start, end)
  }

  /** A reader of the next `length` bytes, which this one steps over. */
  part(length: number, what: string): WireReader {
    const start = this.at
    if (start + length > this.end) throw cutShort(what)
    this.at = start + length
    return new WireReader(this.chunk, start, this.at)
  }

  /** All that is left; a view of the chunk. */
  rest(): Buffer {
    const start = this.at
    this.at = this.end
    return this.chunk.subarray(start, this.end)
  }

  /** What is read must have been all. */
  finish(): void {
    if (this.at < this.end) throw new WireError('the packet is longer than its contents')
  }

  // Steps over bytes with their count in front of them; returns where they begin.
  #counted(what: string): number {
    const length = this.uint16(what)
    const start = this.at
    if (start + length > this.end) throw cutShort(what)
    this.at = start + length
    return start
  }
}

function cutShort(what: string): WireError {
  return new WireError(`${what} is cut short`)
}
