// Writes MessagePack by hand into one buffer that is used again: blocks are written at up to a million entries a
// second, where a general encoder's bookkeeping costs more than the bytes. The caller reserves room first.

const KEEP_BYTES_MAX = 4 * 1024 * 1024 // a rare giant payload must not be held for ever
const SHORT_TEXT = 48 // up to here a loop beats the call into native code

/** Appends MessagePack values (https://github.com/msgpack/msgpack/blob/master/spec.md) to a growing buffer. */
export class MsgpackWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  #at = 0

  get length(): number {
    return this.#at
  }

  /** Makes room for `bytes` more. Must be called with an upper bound before writing. */
  reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
  }

  /** A copy of what was written, with memory of its own. The writer is empty afterwards. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.#at)
    this.#buffer.copy(taken, 0, 0, this.#at)
    this.#at = 0
    if (this.#buffer.length > KEEP_BYTES_MAX) this.#buffer = Buffer.allocUnsafeSlow(64 * 1024)
    return taken
  }

  byte(value: number): void {
    this.#buffer[this.#at++] = value
  }

  nil(): void {
    this.#buffer[this.#at++] = 0xc0
  }

  /** An array's header in its 5-byte form, whatever its size, so that blocks can be joined by their bytes. */
  array32(count: number): void {
    this.#buffer[this.#at++] = 0xdd
    this.#uint32(count)
  }

  /** A whole number from 0 to 2^53 - 1 as uint 64. */
  uint64(value: number): void {
    this.#buffer[this.#at++] = 0xcf
    this.#uint32(Math.floor(value / 0x1_0000_0000))
    this.#uint32(value >>> 0)
  }

  float64(value: number): void {
    this.#buffer[this.#at] = 0xcb
    this.#at = this.#buffer.writeDoubleBE(value, this.#at + 1)
  }

  binary(bytes: Uint8Array): void {
    const buffer = this.#buffer
    const length = bytes.length
    if (length < 0x100) {
      buffer[this.#at++] = 0xc4
      buffer[this.#at++] = length
    } else if (length < 0x1_0000) {
      buffer[this.#at++] = 0xc5
      buffer[this.#at++] = length >>> 8
      buffer[this.#at++] = length
    } else {
      buffer[this.#at++] = 0xc6
      this.#uint32(length)
    }
    this.raw(bytes)
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  text(text: string): void {
    const length = text.length
    if (length > SHORT_TEXT || !this.#shortAscii(text, length)) this.#longText(text)
  }

  #shortAscii(text: string, length: number): boolean {
    const buffer = this.#buffer
    const start = this.#at
    let at = start
    if (length < 32) buffer[at++] = 0xa0 | length
    else {
      buffer[at++] = 0xd9
      buffer[at++] = length
    }
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) return false
      buffer[at++] = code
    }
    this.#at = at
    return true
  }

  #longText(text: string): void {
    const header = this.#at
    const length = this.#buffer.write(text, header + 5, 'utf8')
    this.#buffer[header] = 0xdb
    this.#at = header + 1
    this.#uint32(length)
    this.#at += length
  }

  #uint32(value: number): void {
    const buffer = this.#buffer
    buffer[this.#at++] = value >>> 24
    buffer[this.#at++] = value >>> 16
    buffer[this.#at++] = value >>> 8
    buffer[this.#at++] = value
  }
}
