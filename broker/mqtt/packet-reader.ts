// Cuts the bytes of one connection into packets. Of a packet that is not whole it keeps what has come, in a buffer that
// grows with that: a declared length costs nothing.
import type { ClientPacket, Malformed, WireVersion } from './client-packets.ts'
import { decodePacket } from './packet-decoder.ts'
import { reason } from './reason-codes.ts'

/** Who gets the packets. */
export interface PacketSink {
  /** Returns false when nothing more is to be read: the connection is over. */
  onPacket(packet: ClientPacket): boolean
  /** A packet that is none, or that is longer than allowed. The last call. */
  onMalformed(malformed: Malformed): void
}

const HEADER_BYTES_MAX = 5
const FIRST_BUFFER_BYTES = 64

/** Where a packet begins and ends in a buffer. */
interface Frame {
  header: number
  /** Behind the fixed header. */
  at: number
  end: number
}

/** Reads packets from chunks. */
export class PacketReader {
  /** MQTT version of what comes; CONNECT states its own, and whoever gets it sets this. */
  version: WireVersion = 4
  readonly #sink: PacketSink
  readonly #packetBytesMax: number
  /** An unfinished packet; as much of it as has come. */
  #buffer: Buffer | null = null
  #length = 0
  /** Size of the unfinished packet with its header, once that is known. */
  #needed = 0

  constructor(sink: PacketSink, packetBytesMax: number) {
    this.#sink = sink
    this.#packetBytesMax = packetBytesMax
  }

  /** Memory that an unfinished packet takes, bytes; 0 when there is none. */
  get openBytes(): number {
    return this.#buffer?.length ?? 0
  }

  /** Takes a chunk and hands on every packet that is whole with it. Packets may be views of the chunk. */
  read(chunk: Buffer): void {
    let at = 0
    if (this.#buffer !== null) {
      at = this.#append(this.#buffer, chunk)
      if (at < 0) return
    }
    while (at < chunk.length) {
      const frame = frameAt(chunk, at, this.version)
      if (frame === 'malformed') return this.#malformed()
      if (frame !== null && frame.end - at > this.#packetBytesMax) return this.#tooLarge()
      if (frame === null || frame.end > chunk.length) return this.#keep(chunk, at, frame)
      if (!this.#hand(chunk, frame)) return
      at = frame.end
    }
  }

  // Adds to the unfinished packet; returns the place in the chunk behind it, or -1 when nothing more is to be read.
  #append(buffer: Buffer, chunk: Buffer): number {
    let at = 0
    while (this.#needed === 0) {
      if (at === chunk.length) return at
      buffer[this.#length++] = chunk[at++] ?? 0
      const frame = frameAt(buffer.subarray(0, this.#length), 0, this.version)
      if (frame === 'malformed') return this.#malformed() ?? -1
      if (frame !== null && frame.end > this.#packetBytesMax) return this.#tooLarge() ?? -1
      if (frame !== null) this.#needed = frame.end
    }
    const taken = Math.min(this.#needed - this.#length, chunk.length - at)
    const whole = this.#reserve(this.#length + taken)
    chunk.copy(whole, this.#length, at, at + taken)
    this.#length += taken
    at += taken
    if (this.#length < this.#needed) return at
    const frame = frameAt(whole, 0, this.version)
    this.#buffer = null
    this.#length = 0
    this.#needed = 0
    if (frame === null || frame === 'malformed')
      throw new Error('a header that was read before is not read again')
    return this.#hand(whole, frame) ? at : -1
  }

  #keep(chunk: Buffer, at: number, frame: Frame | null): void {
    this.#needed = frame === null ? 0 : frame.end - at
    this.#length = chunk.length - at
    this.#buffer = Buffer.allocUnsafeSlow(
      Math.max(this.#length, Math.min(FIRST_BUFFER_BYTES, this.#needed || HEADER_BYTES_MAX))
    )
    chunk.copy(this.#buffer, 0, at)
  }

  // Doubles, so that a large packet is copied at most twice, and never exceeds the packet.
  #reserve(bytes: number): Buffer {
    const buffer = this.#buffer
    if (buffer !== null && buffer.length >= bytes) return buffer
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#needed, Math.max(bytes, 2 * this.#length)))
    buffer?.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
    return larger
  }

  #hand(chunk: Buffer, frame: Frame): boolean {
    const packet = decodePacket(chunk, frame, this.version)
    if (packet.cmd !== 'malformed') return this.#sink.onPacket(packet)
    this.#sink.onMalformed(packet)
    return false
  }

  #malformed(): void {
    const message = 'the remaining length is not encoded as it must be'
    this.#sink.onMalformed({ cmd: 'malformed', code: reason.malformedPacket, message })
  }

  #tooLarge(): void {
    const message = `packets may have ${this.#packetBytesMax} bytes`
    this.#sink.onMalformed({ cmd: 'malformed', code: reason.packetTooLarge, message })
  }
}

// Null when the header is not whole. The remaining length has at most four bytes; MQTT 5 wants no more than it needs
// [MQTT-1.5.5-1].
function frameAt(bytes: Buffer, start: number, version: WireVersion): Frame | 'malformed' | null {
  let at = start + 1
  let remaining = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) return null
    remaining |= (byte & 0x7f) << shift
    if (byte >= 0x80) continue
    if (byte === 0 && shift > 0 && version === 5) return 'malformed'
    return { header: bytes[start] ?? 0, at, end: at + remaining }
  }
  return 'malformed'
}
