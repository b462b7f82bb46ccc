// Reads single MessagePack values in place, as the protocol needs them: https://github.com/msgpack/msgpack
// A payload is never decoded here; its extent is found by walking it, within the frame and a nesting limit.
import { isUtf8 } from 'node:buffer'
import type { FrameErrorCode } from './messages.ts'

/** Thrown by readers on bytes that are not what they must be; codecs turn it into a `FrameProblem`. */
export class FrameError extends Error {
  readonly code: FrameErrorCode

  constructor(code: FrameErrorCode, message: string) {
    super(message)
    this.name = 'FrameError'
    this.code = code
  }
}

const NIL = 0xc0
const TIMESTAMP = 0xff // ext type -1, the only one that means the same to everybody

const NOTHING = Buffer.alloc(0)

/** Where a frame is: it goes from `start` to `end` in `bytes`. */
export interface FrameExtent {
  bytes: Buffer
  start: number
  end: number
}

/** Reads one frame's values from its start to its end. */
export class ValueReader {
  #bytes: Buffer = NOTHING
  #at = 0
  #end = 0
  #nestingMax = 0

  /** Goes to the start of a frame. One reader serves for all, since a frame costs less than a reader does. */
  begin({ bytes, start, end }: FrameExtent, nestingMax: number): void {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#nestingMax = nestingMax
  }

  /** Lets go of the frame's memory. */
  finish(): void {
    this.#bytes = NOTHING
    this.#at = 0
    this.#end = 0
  }

  /** Whether everything was read. */
  get done(): boolean {
    return this.#at >= this.#end
  }

  /** The number of elements of the array that begins here, or -1 when what begins here is none. */
  array(): number {
    const head = this.#byte()
    if ((head & 0xf0) === 0x90) return head & 0x0f
    if (head === 0xdc) return this.#uint(2)
    if (head === 0xdd) return this.#uint(4)
    this.#at--
    return -1
  }

  /** The number of pairs of the map that begins here, or -1 when what begins here is none. */
  map(): number {
    const head = this.#byte()
    if ((head & 0xf0) === 0x80) return head & 0x0f
    if (head === 0xde) return this.#uint(2)
    if (head === 0xdf) return this.#uint(4)
    this.#at--
    return -1
  }

  /** Reads over a nil; false when there is none. */
  nil(): boolean {
    if (this.done || this.#bytes[this.#at] !== NIL) return false
    this.#at++
    return true
  }

  /** A whole number in any of the format's number types. */
  integer(field: string): number {
    const value = this.#number()
    if (value === null || !Number.isSafeInteger(value)) throw invalid(field, 'a whole number')
    return value
  }

  /** Any number but NaN and the infinities. */
  number(field: string): number {
    const value = this.#number()
    if (value === null || !Number.isFinite(value)) throw invalid(field, 'a number')
    return value
  }

  boolean(field: string): boolean {
    const head = this.#byte()
    if (head !== 0xc2 && head !== 0xc3) throw invalid(field, 'true or false')
    return head === 0xc3
  }

  /** Text that is valid UTF-8; `likely` itself where it is that, which costs less than a new text. */
  text(field: string, likely = ''): string {
    const bytes = this.#stringBytes()
    if (bytes < 0) throw invalid(field, 'text')
    const start = this.#take(bytes)
    if (bytes === likely.length && this.#isAscii(likely, start)) return likely
    const text = this.#bytes.toString('utf8', start, this.#at)
    // Decoding puts U+FFFD where bytes are wrong, so only a text that holds one needs the second look.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, this.#at))) {
      throw new FrameError('not-utf8', `${field} is not valid UTF-8`)
    }
    return text
  }

  /** Text, or a byte string. */
  textOrBytes(field: string): string | Uint8Array {
    const head = this.done ? 0 : (this.#bytes[this.#at] ?? 0)
    if (head < 0xc4 || head > 0xc6) return this.text(field)
    this.#at++
    const start = this.#take(this.#uint(1 << (head - 0xc4)))
    return this.#bytes.subarray(start, this.#at)
  }

  /** The bytes of the value that begins here, whatever it is. Shares memory with the frame. */
  extent(): Uint8Array {
    const start = this.#at
    this.skip()
    return this.#bytes.subarray(start, this.#at)
  }

  /** Reads over the value that begins here, whatever it is. */
  skip(): void {
    this.#skip(0)
  }

  #skip(depth: number): void {
    const head = this.#byte()
    if (head < 0x80 || head >= 0xe0) return // fixint
    if (head < 0x90) return this.#skipMany((head & 0x0f) * 2, depth)
    if (head < 0xa0) return this.#skipMany(head & 0x0f, depth)
    if (head < 0xc0) return void this.#take(head & 0x1f)
    switch (head) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        return
      case 0xc4: // bin 8
      case 0xd9: // str 8
        return void this.#take(this.#uint(1))
      case 0xc5:
      case 0xda:
        return void this.#take(this.#uint(2))
      case 0xc6:
      case 0xdb:
        return void this.#take(this.#uint(4))
      case 0xc7: // ext 8; a timestamp with nanoseconds has 12 bytes
        return this.#skipTimestamp(this.#uint(1))
      case 0xd6: // fixext 4
        return this.#skipTimestamp(4)
      case 0xd7: // fixext 8
        return this.#skipTimestamp(8)
      case 0xcc: // uint 8
      case 0xd0: // int 8
        return void this.#take(1)
      case 0xcd:
      case 0xd1:
        return void this.#take(2)
      case 0xca: // float 32
      case 0xce:
      case 0xd2:
        return void this.#take(4)
      case 0xcb: // float 64
      case 0xcf:
      case 0xd3:
        return void this.#take(8)
      case 0xdc: // array 16
        return this.#skipMany(this.#uint(2), depth)
      case 0xdd:
        return this.#skipMany(this.#uint(4), depth)
      case 0xde: // map 16
        return this.#skipMany(this.#uint(2) * 2, depth)
      case 0xdf:
        return this.#skipMany(this.#uint(4) * 2, depth)
      case 0xc1:
        throw new FrameError('value-invalid', 'the byte 0xc1 begins no MessagePack value')
      default:
        throw foreignExtension()
    }
  }

  #skipMany(count: number, depth: number): void {
    if (depth >= this.#nestingMax) {
      throw new FrameError('nesting-too-deep', `values are nested deeper than ${this.#nestingMax} levels`)
    }
    // Every value has a byte at least, so a count that can't be true costs nothing.
    if (count > this.#end - this.#at) throw truncated()
    for (let index = 0; index < count; index++) this.#skip(depth + 1)
  }

  #skipTimestamp(bytes: number): void {
    if (this.#byte() !== TIMESTAMP || (bytes !== 4 && bytes !== 8 && bytes !== 12)) throw foreignExtension()
    this.#take(bytes)
  }

  #number(): number | null {
    const head = this.#byte()
    if (head < 0x80) return head
    if (head >= 0xe0) return head - 0x100
    switch (head) {
      case 0xca:
        return this.#bytes.readFloatBE(this.#take(4))
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#take(8))
      case 0xcc:
        return this.#uint(1)
      case 0xcd:
        return this.#uint(2)
      case 0xce:
        return this.#uint(4)
      case 0xcf:
        return Number(this.#bytes.readBigUInt64BE(this.#take(8)))
      case 0xd0:
        return this.#bytes.readInt8(this.#take(1))
      case 0xd1:
        return this.#bytes.readInt16BE(this.#take(2))
      case 0xd2:
        return this.#bytes.readInt32BE(this.#take(4))
      case 0xd3:
        return Number(this.#bytes.readBigInt64BE(this.#take(8)))
      default:
        return null
    }
  }

  /** Length of the string that begins here, its head read; -1 when what begins here is none. */
  #stringBytes(): number {
    const head = this.#byte()
    if ((head & 0xe0) === 0xa0) return head & 0x1f
    if (head === 0xd9) return this.#uint(1)
    if (head === 0xda) return this.#uint(2)
    if (head === 0xdb) return this.#uint(4)
    return -1
  }

  /** Whether the bytes from `start` on are this text, all of it ASCII. */
  #isAscii(text: string, start: number): boolean {
    for (let index = 0; index < text.length; index++) {
      const byte = this.#bytes[start + index] ?? 0
      if (byte > 0x7f || byte !== text.charCodeAt(index)) return false
    }
    return true
  }

  #byte(): number {
    if (this.#at >= this.#end) throw truncated()
    return this.#bytes[this.#at++] ?? 0
  }

  #uint(bytes: number): number {
    const start = this.#take(bytes)
    let value = 0
    for (let at = start; at < this.#at; at++) value = value * 0x100 + (this.#bytes[at] ?? 0)
    return value
  }

  /** Moves over that many bytes; returns where they begin. */
  #take(bytes: number): number {
    const start = this.#at
    if (bytes > this.#end - start) throw truncated()
    this.#at = start + bytes
    return start
  }
}

function truncated(): FrameError {
  return new FrameError('frame-truncated', 'the frame ends in the middle of a value')
}

function foreignExtension(): FrameError {
  return new FrameError('value-invalid', 'timestamps are the only MessagePack extension that is understood')
}

function invalid(field: string, wanted: string): FrameError {
  return new FrameError('field-invalid', `${field} must be ${wanted}`)
}
