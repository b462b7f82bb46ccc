// Writes one frame of MessagePack values: https://github.com/msgpack/msgpack/blob/master/spec.md

/** Writes one frame: its length, then values. `capacity` is a bound of their bytes; see `textCapacity`. */
export class FrameWriter {
  #bytes: Buffer
  #at = 4

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(4 + capacity)
  }

  array(count: number): this {
    if (count < 16) this.#head(0x90 | count)
    else this.#length(count, 0xdb)
    return this
  }

  map(count: number): this {
    if (count < 16) this.#head(0x80 | count)
    else this.#length(count, 0xdd)
    return this
  }

  /** A whole number that is not negative, in its shortest form. Takes at most 9 bytes. */
  integer(value: number): this {
    const bytes = this.#bytes
    if (value < 0x80) bytes[this.#at++] = value
    else if (value <= 0xff) this.#at = bytes.writeUInt8(value, this.#head(0xcc))
    else if (value <= 0xffff) this.#at = bytes.writeUInt16BE(value, this.#head(0xcd))
    else if (value <= 0xffffffff) this.#at = bytes.writeUInt32BE(value, this.#head(0xce))
    else this.#at = bytes.writeBigUInt64BE(BigInt(value), this.#head(0xcf))
    return this
  }

  /** A time in ms since 1970, whole or not. Takes at most 9 bytes. */
  time(value: number): this {
    if (Number.isSafeInteger(value) && value >= 0) return this.integer(value)
    this.#at = this.#bytes.writeDoubleBE(value, this.#head(0xcb))
    return this
  }

  boolean(value: boolean): this {
    this.#head(value ? 0xc3 : 0xc2)
    return this
  }

  text(value: string): this {
    const bytes = Buffer.byteLength(value)
    if (bytes < 32) this.#head(0xa0 | bytes)
    else this.#length(bytes, 0xd9)
    this.#at += this.#bytes.write(value, this.#at)
    return this
  }

  /** A byte string. */
  bytes(value: Uint8Array): this {
    this.#length(value.length, 0xc4)
    return this.encoded(value)
  }

  /** Bytes that are MessagePack already. */
  encoded(value: Uint8Array): this {
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** The frame, with its length in front. */
  frame(): Buffer {
    this.#bytes.writeUInt32BE(this.#at - 4, 0)
    return this.#bytes.subarray(0, this.#at)
  }

  /** Writes a byte; returns where the next one goes. */
  #head(byte: number): number {
    this.#bytes[this.#at++] = byte
    return this.#at
  }

  /** Writes a length under the first of three heads, for 8, 16 and 32 bits. Arrays and maps have no 8-bit form. */
  #length(length: number, head8: number): void {
    const bytes = this.#bytes
    const has8 = head8 !== 0xdb && head8 !== 0xdd
    if (has8 && length <= 0xff) this.#at = bytes.writeUInt8(length, this.#head(head8))
    else if (length <= 0xffff) this.#at = bytes.writeUInt16BE(length, this.#head(head8 + 1))
    else this.#at = bytes.writeUInt32BE(length, this.#head(head8 + 2))
  }
}

/** Most bytes that a text takes, its head included. */
export function textCapacity(value: string): number {
  return 5 + value.length * 3
}
