// Checksums of a block, so that damage on the disk is seen when it is read and never served. They stand behind the Bloom
// filter in its column: a column of their own could only come after the body, whose pages each look at a head would read.
// A filter's size is a power of two, so its own bytes and those with a seal cannot be confused. Pure.
import { crc32 } from 'node:zlib'
import { StoreError } from './errors.ts'

/** Version 1: one byte 1, CRC-32 of the head, CRC-32 of the body. */
const VERSION = 1
const SEAL_BYTES = 9
const STREAMS_SEAL_BYTES = 4
const HEAD_FIELDS = 8

/** A block's columns that the seal covers, beside Bloom filter and body. */
export interface SealedHead {
  first: number
  last: number
  atMin: number
  atMax: number
  kinds: number
  severity: number
  bodyBytes: number
}

export interface UnsealedHead {
  /** The Bloom filter. */
  devices: Uint8Array
  /** Null: the block was written before blocks had checksums. */
  bodyChecksum: number | null
}

/** The Bloom filter with the seal of its block behind it. */
export function seal(devices: Uint8Array, head: SealedHead, body: Uint8Array): Uint8Array {
  const sealed = Buffer.alloc(devices.length + SEAL_BYTES)
  sealed.set(devices)
  sealed[devices.length] = VERSION
  const bodyChecksum = crc32(body)
  sealed.writeUInt32BE(headChecksum(devices, head, bodyChecksum), devices.length + 1)
  sealed.writeUInt32BE(bodyChecksum, devices.length + 5)
  return sealed
}

/** Takes filter and seal apart; null when the head is not what was sealed. */
export function unseal(sealed: Uint8Array, head: SealedHead): UnsealedHead | null {
  if (isPowerOfTwo(sealed.length)) return { devices: sealed, bodyChecksum: null }
  const at = sealed.length - SEAL_BYTES
  if (at < 0 || !isPowerOfTwo(at) || sealed[at] !== VERSION) return null
  const view = new DataView(sealed.buffer, sealed.byteOffset + at, SEAL_BYTES)
  const devices = sealed.subarray(0, at)
  const bodyChecksum = view.getUint32(5)
  return view.getUint32(1) === headChecksum(devices, head, bodyChecksum) ? { devices, bodyChecksum } : null
}

/** Whether a body is what was sealed. */
export function bodyIsWhole(body: Uint8Array, { bodyChecksum }: UnsealedHead): boolean {
  return bodyChecksum === null || crc32(body) === bodyChecksum
}

/** A block's list of streams with its CRC-32 behind it. */
export function sealStreams(streams: Uint8Array): Uint8Array {
  const sealed = Buffer.alloc(streams.length + STREAMS_SEAL_BYTES)
  sealed.set(streams)
  sealed.writeUInt32BE(crc32(streams), streams.length)
  return sealed
}

/** Says of a list of `length` bytes whether it is what was sealed; one without a seal is. Throws `store-unreadable`. */
export function checkStreams(sealed: Uint8Array, length: number): void {
  if (sealed.length === length) return
  const whole =
    sealed.length === length + STREAMS_SEAL_BYTES &&
    new DataView(sealed.buffer, sealed.byteOffset + length).getUint32(0) === crc32(sealed.subarray(0, length))
  if (!whole) throw new StoreError('store-unreadable', 'a block’s list of streams is damaged')
}

function headChecksum(devices: Uint8Array, head: SealedHead, bodyChecksum: number): number {
  const { first, last, atMin, atMax, kinds, severity, bodyBytes } = head
  const fields = new Float64Array(HEAD_FIELDS)
  fields.set([first, last, atMin, atMax, kinds, severity, bodyBytes, bodyChecksum])
  // Little-endian on every machine that Node.js runs on.
  return crc32(devices, crc32(Buffer.from(fields.buffer)))
}

function isPowerOfTwo(length: number): boolean {
  return length > 0 && (length & (length - 1)) === 0
}
