// Takes the commonest packets, PUBLISH without properties and PUBACK, out of a chunk by hand; everything else, and
// whatever is not whole or not simple, is left to mqtt-packet. Pure.
import { isUtf8 } from 'node:buffer'
import type { Packet } from 'mqtt-packet'

export type Publish = Extract<Packet, { cmd: 'publish' }>
type Puback = Extract<Packet, { cmd: 'puback' }>

/** What was found at a place in a chunk, and where the next packet begins: past the end if this one is not whole. */
export interface Found {
  /** Undefined: a packet for the parser. */
  packet: Publish | Puback | undefined
  next: number
}

const PUBACK = 0x40
const PUBLISH = 0x30

/**
 * Looks at the packet that begins at `start`, which must be inside the chunk. `version`: the connection's MQTT version.
 * `malformed`: a PUBLISH whose topic is not UTF-8 [MQTT-1.5.4-1].
 */
export function findPacket(chunk: Buffer, start: number, version: number): Found | 'malformed' {
  let at = start + 1
  let remaining = 0
  for (let shift = 0; ; shift += 7) {
    const byte = chunk[at++]
    if (byte === undefined || shift > 21) return { packet: undefined, next: chunk.length + 1 }
    remaining |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  const next = at + remaining
  if (next > chunk.length) return { packet: undefined, next }
  const header = chunk[start] ?? 0
  if ((header & 0xf0) === PUBLISH) return publishAt(chunk, { header, at, next, version })
  const bare = remaining === 2 || (version === 5 && remaining === 4 && chunk[at + 3] === 0) // a reason code, no properties
  if (header === PUBACK && bare) {
    return { packet: { cmd: 'puback', messageId: chunk.readUInt16BE(at), length: remaining }, next }
  }
  return { packet: undefined, next }
}

interface Place {
  header: number
  /** Behind the fixed header. */
  at: number
  next: number
  version: number
}

function publishAt(chunk: Buffer, { header, at, next, version }: Place): Found | 'malformed' {
  const qos = (header >> 1) & 3
  const dup = (header & 8) !== 0
  if (qos === 3 || (dup && qos === 0) || next - at < 2) return { packet: undefined, next }
  const topicAt = at + 2
  let payloadAt = topicAt + chunk.readUInt16BE(at)
  const length = next - at
  let messageId = 0
  if (qos > 0) {
    if (payloadAt + 2 > next) return { packet: undefined, next }
    messageId = chunk.readUInt16BE(payloadAt)
    payloadAt += 2
    if (messageId === 0) return { packet: undefined, next }
  }
  if (payloadAt > next) return { packet: undefined, next }
  if (version === 5 && (payloadAt === next || chunk[payloadAt++] !== 0)) return { packet: undefined, next } // properties
  const topicBytes = chunk.subarray(topicAt, topicAt + chunk.readUInt16BE(at))
  if (!isUtf8(topicBytes)) return 'malformed'
  const packet: Publish = {
    cmd: 'publish',
    topic: topicBytes.toString(),
    payload: chunk.subarray(payloadAt, next),
    qos: qos as 0 | 1 | 2,
    retain: (header & 1) !== 0,
    dup,
    length
  }
  if (qos > 0) packet.messageId = messageId
  return { packet, next }
}
