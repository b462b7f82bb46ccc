// Writes JSON by hand into one buffer that is used again: a subscriber that was away is sent hundreds of thousands of
// notifications a second, where strings that are joined and then encoded cost more than the bytes.

const START_BYTES = 1024
const KEEP_BYTES_MAX = 4 * 1024 * 1024 // a rare giant payload must not be held for ever
const SHORT_TEXT = 64 // up to here a loop beats the calls into native code
const LARGE = 1_000_000_000 // digits beyond are written apart, so that each part is a small integer
const LARGE_DIGITS = 9
const WHOLE_DIGITS = 16 // of 2^53
const ZERO = 0x30
const BASE_36 = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz')

/** Appends JSON to a growing buffer. Every call makes the room that it needs. */
export class JsonWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(START_BYTES)
  #at = 0

  /** Bytes that were written. */
  get length(): number {
    return this.#at
  }

  /** Forgets what was written. */
  clear(): void {
    this.#at = 0
    if (this.#bytes.length > KEEP_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(START_BYTES)
  }

  /** What was written from byte `from` on, in place: valid until the next call. */
  since(from: number): Buffer {
    return this.#bytes.subarray(from, this.#at)
  }

  /** Bytes that are JSON, or a part of it, already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Text that is JSON, or a part of it, already. */
  json(text: string): void {
    const isShort = text.length <= SHORT_TEXT
    this.#reserve(isShort ? text.length * 3 : Buffer.byteLength(text))
    if (!isShort || !this.#shortAscii(text)) this.#at += this.#bytes.write(text, this.#at, 'utf8')
  }

  /** Text as a JSON string, as `JSON.stringify` writes it. */
  text(text: string): void {
    if (text.length > SHORT_TEXT || !this.#shortText(text)) this.json(JSON.stringify(text))
  }

  /** A number as `JSON.stringify` writes it: null when it is not finite. */
  number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0) this.whole(value)
    else this.json(Number.isFinite(value) ? String(value) : 'null')
  }

  /** A whole number from 0 to 2^53 - 1. */
  whole(value: number): void {
    this.#reserve(WHOLE_DIGITS)
    if (value < LARGE) return this.#digits(value, digitCount(value))
    const high = Math.floor(value / LARGE)
    this.#digits(high, digitCount(high))
    this.#digits(value - high * LARGE, LARGE_DIGITS)
  }

  /** The same in base 36, as `toString(36)` writes it. */
  base36(value: number): void {
    if (value >= LARGE) return this.json(value.toString(36))
    this.#reserve(WHOLE_DIGITS)
    let end = this.#at + 1
    for (let rest = (value / 36) | 0; rest > 0; rest = (rest / 36) | 0) end++
    let rest = value
    for (let at = end - 1; at >= this.#at; at--) {
      const next = (rest / 36) | 0
      this.#bytes[at] = BASE_36[rest - next * 36] as number
      rest = next
    }
    this.#at = end
  }

  /** So many digits of a number below `LARGE`, with zeros before it. */
  #digits(value: number, count: number): void {
    const end = this.#at + count
    let rest = value
    for (let at = end - 1; at >= this.#at; at--) {
      const next = (rest / 10) | 0
      this.#bytes[at] = ZERO + rest - next * 10
      rest = next
    }
    this.#at = end
  }

  #shortAscii(text: string): boolean {
    const bytes = this.#bytes
    let at = this.#at
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) return false
      bytes[at++] = code
    }
    this.#at = at
    return true
  }

  /** False when it is not ASCII throughout, or has what must be escaped. */
  #shortText(text: string): boolean {
    const { length } = text
    this.#reserve(length + 2)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = 0x22
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
      bytes[at++] = code
    }
    bytes[at++] = 0x22
    this.#at = at
    return true
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + bytes))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

/** Of a whole number below `LARGE`. */
function digitCount(value: number): number {
  let count = 1
  for (let beyond = 10; value >= beyond; beyond *= 10) count++
  return count
}
