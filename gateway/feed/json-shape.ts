// Checks that bytes are exactly one JSON value, without building it: payloads are put into messages as they came, and
// parsing each to throw its value away was most of what a notification cost. Pure.
import { NESTING_MAX } from './messagepack-value.ts'

/**
 * `line`: one JSON value in ASCII without line breaks; `json`: one if the bytes are UTF-8, which is not looked at; `none`:
 * no JSON, or nested more than `NESTING_MAX` deep.
 */
export type JsonShape = 'line' | 'json' | 'none'

/** What the bytes are, by RFC 8259. It agrees with `JSON.parse` of the same bytes, where they are UTF-8. */
export function jsonShape(bytes: Uint8Array): JsonShape {
  const json = { bytes, end: bytes.length, isLine: true }
  const end = valueEnd(json, spaceEnd(json, 0), 0)
  if (end < 0 || spaceEnd(json, end) < json.end) return 'none'
  return json.isLine ? 'line' : 'json'
}

interface Json {
  readonly bytes: Uint8Array
  readonly end: number
  isLine: boolean
}

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const BRACKET = 0x5b
const BACKSLASH = 0x5c
const BRACKET_END = 0x5d
const BRACE = 0x7b
const BRACE_END = 0x7d
const ASCII_MAX = 0x7f
/** The bit that an ASCII letter has in lower case only. */
const LOWER_CASE = 0x20

/** 1 for what can not simply be stepped over inside a string: its end, escapes, control characters, what is not ASCII. */
const stopsString = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte === QUOTE || byte === BACKSLASH || byte > ASCII_MAX ? 1 : 0
)
const simpleEscapes = new Set(Buffer.from('"\\/bfnrt'))
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

// Each function says where what begins at `at` ends, or -1 when it is not what is asked for. None looks beyond the bytes'
// end: an element that is not there costs more than to ask.

function valueEnd(json: Json, at: number, depth: number): number {
  switch (byteAt(json, at)) {
    case QUOTE:
      return stringEnd(json, at)
    case BRACE:
      return depth < NESTING_MAX ? objectEnd(json, at, depth + 1) : -1
    case BRACKET:
      return depth < NESTING_MAX ? arrayEnd(json, at, depth + 1) : -1
    case 0x74: // t
      return wordEnd(json, at, TRUE)
    case 0x66: // f
      return wordEnd(json, at, FALSE)
    case 0x6e: // n
      return wordEnd(json, at, NULL)
    default:
      return numberEnd(json, at)
  }
}

function objectEnd(json: Json, from: number, depth: number): number {
  let at = spaceEnd(json, from + 1)
  if (byteAt(json, at) === BRACE_END) return at + 1
  for (;;) {
    if (byteAt(json, at) !== QUOTE) return -1
    at = stringEnd(json, at)
    if (at < 0) return -1
    at = spaceEnd(json, at)
    if (byteAt(json, at) !== COLON) return -1
    at = valueEnd(json, spaceEnd(json, at + 1), depth)
    if (at < 0) return -1
    at = spaceEnd(json, at)
    const byte = byteAt(json, at)
    if (byte === BRACE_END) return at + 1
    if (byte !== COMMA) return -1
    at = spaceEnd(json, at + 1)
  }
}

function arrayEnd(json: Json, from: number, depth: number): number {
  let at = spaceEnd(json, from + 1)
  if (byteAt(json, at) === BRACKET_END) return at + 1
  for (;;) {
    at = valueEnd(json, at, depth)
    if (at < 0) return -1
    at = spaceEnd(json, at)
    const byte = byteAt(json, at)
    if (byte === BRACKET_END) return at + 1
    if (byte !== COMMA) return -1
    at = spaceEnd(json, at + 1)
  }
}

function stringEnd(json: Json, from: number): number {
  const { bytes, end } = json
  let at = from + 1
  while (at < end) {
    const byte = bytes[at++] as number
    if (stopsString[byte] === 0) continue
    if (byte === QUOTE) return at
    if (byte < SPACE) return -1
    if (byte > ASCII_MAX) json.isLine = false
    else {
      at = escapeEnd(json, at)
      if (at < 0) return -1
    }
  }
  return -1
}

/** `at` is behind the backslash. */
function escapeEnd(json: Json, at: number): number {
  const byte = byteAt(json, at)
  if (byte !== 0x75) return simpleEscapes.has(byte) ? at + 1 : -1
  for (let digit = at + 1; digit <= at + 4; digit++) if (!isHexDigit(byteAt(json, digit))) return -1
  return at + 5
}

/** `-`, then 0 or digits that do not begin with it, then a fraction and an exponent if there are. */
function numberEnd(json: Json, from: number): number {
  let at = byteAt(json, from) === MINUS ? from + 1 : from
  at = byteAt(json, at) === ZERO ? at + 1 : digitsEnd(json, at)
  if (at < 0) return -1
  if (byteAt(json, at) === POINT) at = digitsEnd(json, at + 1)
  if (at < 0 || (byteAt(json, at) | LOWER_CASE) !== 0x65) return at
  const sign = byteAt(json, at + 1)
  return digitsEnd(json, sign === PLUS || sign === MINUS ? at + 2 : at + 1)
}

/** At least one. */
function digitsEnd({ bytes, end }: Json, from: number): number {
  let at = from
  while (at < end && isDigit(bytes[at] as number)) at++
  return at > from ? at : -1
}

function wordEnd(json: Json, from: number, word: Uint8Array): number {
  for (let index = 1; index < word.length; index++) if (byteAt(json, from + index) !== word[index]) return -1
  return from + word.length
}

function spaceEnd(json: Json, from: number): number {
  const { bytes, end } = json
  let at = from
  for (; at < end; at++) {
    const byte = bytes[at]
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) json.isLine = false
    else if (byte !== SPACE && byte !== TAB) break
  }
  return at
}

/** -1 where the bytes end. */
function byteAt({ bytes, end }: Json, at: number): number {
  return at < end ? (bytes[at] as number) : -1
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}

function isHexDigit(byte: number): boolean {
  const letter = byte | LOWER_CASE
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66)
}
