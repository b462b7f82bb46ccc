// Reads MessagePack value by value where the layout is known, and steps over what is not wanted without decoding it.
import { Unpackr } from 'msgpackr'
import { StoreError } from './errors.ts'

const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** Any MessagePack value, whole. */
export function unpack(bytes: Uint8Array): unknown {
  return unpackr.unpack(bytes)
}

/** A place in a buffer of MessagePack. Values that are not what is asked for are damage: `store-unreadable`. */
export class MsgpackReader {
  readonly #buffer: Buffer
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get done(): boolean {
    return this.#at >= this.#buffer.length
  }

  /** Number of elements of the array that begins here. */
  array(): number {
    const type = this.#byte()
    if ((type & 0xf0) === 0x90) return type & 0x0f
    if (type === 0xdc) return this.#uint(2)
    if (type === 0xdd) return this.#uint(4)
    throw damaged('an array', type)
  }

  /** A number, or null for nil. */
  number(): number | null {
    const type = this.#byte()
    if (type < 0x80) return type
    if (type === 0xc0) return null
    if (type === 0xcf) return this.#uint(4) * 0x1_0000_0000 + this.#uint(4)
    if (type === 0xcb) {
      this.#at += 8
      return this.#buffer.readDoubleBE(this.#at - 8)
    }
    throw damaged('a number', type)
  }

  text(): string {
    const length = this.#textLength()
    this.#at += length
    return this.#buffer.toString('utf8', this.#at - length, this.#at)
  }

  skipText(): void {
    const length = this.#textLength()
    this.#at += length
  }

  /** Bytes, in place: they share this buffer's memory. */
  binary(): Buffer {
    const type = this.#byte()
    if (type < 0xc4 || type > 0xc6) throw damaged('bytes', type)
    const length = this.#uint(1 << (type - 0xc4))
    this.#at += length
    if (this.#at > this.#buffer.length) throw damaged('bytes', type)
    return this.#buffer.subarray(this.#at - length, this.#at)
  }

  skipBinary(): void {
    const type = this.#byte()
    if (type < 0xc4 || type > 0xc6) throw damaged('bytes', type)
    const length = this.#uint(1 << (type - 0xc4))
    this.#at += length
  }

  /** Whether the next value is nil, which is then stepped over. */
  nil(): boolean {
    if (this.#buffer[this.#at] !== 0xc0) return false
    this.#at++
    return true
  }

  /** The value that bytes hold as MessagePack. */
  packed(): unknown {
    return unpackr.unpack(this.binary())
  }

  #textLength(): number {
    const type = this.#byte()
    if ((type & 0xe0) === 0xa0) return type & 0x1f
    if (type < 0xd9 || type > 0xdb) throw damaged('text', type)
    return this.#uint(1 << (type - 0xd9))
  }

  #byte(): number {
    const byte = this.#buffer[this.#at++]
    if (byte === undefined) throw damaged('more', -1)
    return byte
  }

  #uint(bytes: number): number {
    this.#at += bytes
    return this.#buffer.readUIntBE(this.#at - bytes, bytes)
  }
}

function damaged(wanted: string, found: number): StoreError {
  return new StoreError(
    'store-unreadable',
    `a block of the log is damaged: ${wanted} expected, found byte ${found}`
  )
}
