// Checks that bytes are exactly one MessagePack value, without decoding it. What a publisher calls MessagePack is put
// into messages to everybody unaltered, so a single wrong length would damage all of them. Pure.

/** Deepest nesting that is passed on as a value: many clients' parsers are recursive. */
export const NESTING_MAX = 128

/** `plain`: one well-formed value; `extended`: one with extension types besides timestamps; `malformed`: none. */
export type Shape = 'plain' | 'extended' | 'malformed'

/** What the bytes are, by https://github.com/msgpack/msgpack/blob/master/spec.md. */
export function messagePackShape(bytes: Uint8Array): Shape {
  const walk = { bytes, at: 0, extended: false }
  const whole = skipValue(walk, 0) && walk.at === bytes.length
  if (!whole) return 'malformed'
  return walk.extended ? 'extended' : 'plain'
}

interface Walk {
  bytes: Uint8Array
  at: number
  extended: boolean
}

const TIMESTAMP = 0xff // extension type -1

function skipValue(walk: Walk, depth: number): boolean {
  const type = walk.bytes[walk.at++]
  if (type === undefined || depth > NESTING_MAX) return false
  if (type < 0x80 || type >= 0xe0) return true
  if (type < 0x90) return skipValues(walk, 2 * (type & 0x0f), depth)
  if (type < 0xa0) return skipValues(walk, type & 0x0f, depth)
  if (type < 0xc0) return skipBytes(walk, type & 0x1f)
  switch (type) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return true
    case 0xc4: // bin 8, 16, 32
    case 0xc5:
    case 0xc6:
      return skipBytes(walk, readLength(walk, 1 << (type - 0xc4)))
    case 0xc7: // ext 8, 16, 32
    case 0xc8:
    case 0xc9:
      return skipExtension(walk, readLength(walk, 1 << (type - 0xc7)))
    case 0xca: // float 32
      return skipBytes(walk, 4)
    case 0xcb: // float 64
      return skipBytes(walk, 8)
    case 0xcc: // uint 8 … 64, int 8 … 64
    case 0xcd:
    case 0xce:
    case 0xcf:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return skipBytes(walk, 1 << (type & 3))
    case 0xd4: // fixext 1 … 16
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return skipExtension(walk, 1 << (type - 0xd4))
    case 0xd9: // str 8, 16, 32
    case 0xda:
    case 0xdb:
      return skipBytes(walk, readLength(walk, 1 << (type - 0xd9)))
    case 0xdc: // array 16, 32
    case 0xdd:
      return skipValues(walk, readLength(walk, 2 << (type - 0xdc)), depth)
    case 0xde: // map 16, 32
    case 0xdf:
      return skipValues(walk, 2 * readLength(walk, 2 << (type - 0xde)), depth)
    default: // 0xc1 is never used
      return false
  }
}

function skipValues(walk: Walk, count: number, depth: number): boolean {
  if (!(count <= walk.bytes.length - walk.at)) return false // each takes a byte at least
  for (let index = 0; index < count; index++) if (!skipValue(walk, depth + 1)) return false
  return true
}

function skipBytes(walk: Walk, length: number): boolean {
  walk.at += length
  return walk.at <= walk.bytes.length // false for NaN, too
}

function skipExtension(walk: Walk, length: number): boolean {
  if (walk.bytes[walk.at++] !== TIMESTAMP) walk.extended = true
  return skipBytes(walk, length)
}

/** An unsigned big-endian number; NaN where the bytes end before it does. */
function readLength(walk: Walk, size: number): number {
  let length = 0
  for (let index = 0; index < size; index++) length = length * 256 + (walk.bytes[walk.at++] ?? Number.NaN)
  return length
}
