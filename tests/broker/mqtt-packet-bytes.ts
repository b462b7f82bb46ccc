// Bytes of MQTT packets for the decoder's tests: written down field by field, and decoded where they stand in a chunk.
import { decodePacket, type ClientPacket, type Malformed } from '../../broker/mqtt/packet-decoder.ts'

export type Version = 3 | 4 | 5
/** A byte, bytes, or a string with its length in front. */
export type Part = number | readonly number[] | Uint8Array | string

export const uint16 = (value: number) => [value >> 8, value & 0xff]
export const uint32 = (value: number) => [...uint16(value >>> 16), ...uint16(value & 0xffff)]
/** Bytes with their length in front. */
export const counted = (...bytes: number[]) => [...uint16(bytes.length), ...bytes]

/** Joins parts. */
export function body(...parts: Part[]): Buffer {
  return Buffer.concat(
    parts.map(part => {
      if (typeof part === 'number') return Buffer.of(part)
      if (typeof part === 'string')
        return Buffer.from([...uint16(Buffer.byteLength(part)), ...Buffer.from(part)])
      return Buffer.from(part)
    })
  )
}

/** Properties with their length in front; less than 128 bytes of them. */
export function properties(...parts: Part[]): Buffer {
  const bytes = body(...parts)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

/** Behind a CONNECT's fixed header: `payload` begins with the client id. */
export function connect(version: Version, flags: number, payload: Part[], its: Part[] = []): Buffer {
  const protocol = version === 3 ? 'MQIsdp' : 'MQTT'
  return body(protocol, version, flags, uint16(60), version === 5 ? properties(...its) : [], ...payload)
}

/** Decodes `bytes`, what stands behind the fixed header, in the midst of a chunk that is otherwise `around`. */
export function decode(
  header: number,
  bytes: Uint8Array,
  version: Version,
  around = 0xff
): ClientPacket | Malformed {
  const chunk = Buffer.concat([Buffer.alloc(3, around), bytes, Buffer.alloc(70, around)])
  return decodePacket(chunk, { header, at: 3, end: 3 + bytes.length }, version)
}

/** Decodes a packet with its fixed header, as mqtt-packet writes it. */
export function decodeWhole(bytes: Buffer, version: Version): ClientPacket | Malformed {
  let at = 1
  while (((bytes[at] ?? 0) & 0x80) !== 0) at++
  return decode(bytes[0] ?? 0, bytes.subarray(at + 1), version)
}
