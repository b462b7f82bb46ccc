// Encodes the PUBLISH packets that go to subscribers. Pure. What many subscribers share is encoded once; what differs,
// the packet id, is patched into a copy.
import type { WireVersion } from './client-packets.ts'
import { propertiesBytes, writeProperties, type OutgoingProperties } from './properties-encoder.ts'
import { variableIntegerBytes, writeText, writeVariableInteger } from './wire-writer.ts'

export type { WireVersion }

/** A PUBLISH as a subscriber shall see it; its properties are for MQTT 5 alone. */
export interface OutgoingPublish extends OutgoingProperties {
  topic: string
  payload: Uint8Array
  qos: 0 | 1 | 2
  retain: boolean
}

/** An encoded PUBLISH; for QoS above 0 the packet id is at `packetIdAt` and must be set in a copy. */
export interface EncodedPublish {
  bytes: Buffer
  packetIdAt: number
  payloadBytes: number
}

/** Encodes for MQTT 3.1 and 3.1.1 (3, 4: without properties) or 5. DUP is not set; the packet id is 0. */
export function encodePublish(message: OutgoingPublish, version: WireVersion): EncodedPublish {
  const { topic, payload, qos, retain } = message
  const ofProperties = version === 5 ? propertiesBytes(message) : -1 // none, not even a length
  const ofPropertyLength = ofProperties < 0 ? 0 : variableIntegerBytes(ofProperties)
  const fixed = 2 + (qos > 0 ? 2 : 0) + ofPropertyLength + Math.max(0, ofProperties)
  const remaining = fixed + Buffer.byteLength(topic) + payload.length
  const bytes = Buffer.allocUnsafe(1 + variableIntegerBytes(remaining) + remaining)
  bytes[0] = 0x30 | (qos << 1) | (retain ? 1 : 0)
  let at = writeText(bytes, topic, writeVariableInteger(bytes, remaining, 1))
  const packetIdAt = qos > 0 ? at : -1
  if (qos > 0) at = bytes.writeUInt16BE(0, at)
  if (ofProperties >= 0) {
    at = writeVariableInteger(bytes, ofProperties, at)
    if (ofProperties > 0) at = writeProperties(bytes, message, at)
  }
  bytes.set(payload, at)
  return { bytes, packetIdAt, payloadBytes: payload.length }
}

/** A copy of a QoS 1 or 2 PUBLISH with its packet id, and DUP set when it is sent again [MQTT-3.3.1-1]. */
export function withPacketId(encoded: EncodedPublish, packetId: number, dup: boolean): Buffer {
  const bytes = Buffer.allocUnsafe(encoded.bytes.length)
  encoded.bytes.copy(bytes)
  bytes.writeUInt16BE(packetId, encoded.packetIdAt)
  if (dup) bytes[0] = (bytes[0] ?? 0) | 0x08
  return bytes
}
