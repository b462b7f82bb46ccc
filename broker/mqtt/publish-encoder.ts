// Encodes the PUBLISH packets that go to subscribers. Pure. What many subscribers share is encoded once; what differs,
// the packet id, is patched into a copy.
import { generate } from 'mqtt-packet'
import type { MqttProperties } from '../../store/notification.ts'
import type { WireVersion } from './client-packets.ts'

export type { WireVersion }

/** A PUBLISH as a subscriber shall see it. */
export interface OutgoingPublish {
  topic: string
  payload: Uint8Array
  qos: 0 | 1 | 2
  retain: boolean
  properties?: MqttProperties
  /** Remaining Message Expiry Interval, seconds. */
  expiryS?: number
  /** Subscription Identifiers of all matching subscriptions [MQTT-3.3.4-3]. */
  identifiers?: readonly number[]
}

/** An encoded PUBLISH; for QoS above 0 the packet id is at `packetIdAt` and must be set in a copy. */
export interface EncodedPublish {
  bytes: Buffer
  packetIdAt: number
}

/** Encodes for MQTT 3.1 and 3.1.1 (3, 4: without properties) or 5. DUP is not set; the packet id is 0. */
export function encodePublish(message: OutgoingPublish, version: WireVersion): EncodedPublish {
  const { topic, payload, qos, retain } = message
  const properties = version === 5 ? encodeProperties(message) : null
  const topicBytes = Buffer.byteLength(topic)
  const propertiesBytes = properties?.length ?? 0
  const remaining = 2 + topicBytes + (qos > 0 ? 2 : 0) + propertiesBytes + payload.length
  const lengthBytes = remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4
  const bytes = Buffer.allocUnsafe(1 + lengthBytes + remaining)
  bytes[0] = 0x30 | (qos << 1) | (retain ? 1 : 0)
  let at = writeVariableInteger(bytes, remaining, 1)
  at = bytes.writeUInt16BE(topicBytes, at)
  at += bytes.write(topic, at)
  const packetIdAt = qos > 0 ? at : -1
  if (qos > 0) at = bytes.writeUInt16BE(0, at)
  if (properties !== null) {
    bytes.set(properties, at)
    at += properties.length
  }
  bytes.set(payload, at)
  return { bytes, packetIdAt }
}

/** A copy of a QoS 1 or 2 PUBLISH with its packet id, and DUP set when it is sent again [MQTT-3.3.1-1]. */
export function withPacketId(encoded: EncodedPublish, packetId: number, dup: boolean): Buffer {
  const bytes = Buffer.allocUnsafe(encoded.bytes.length)
  encoded.bytes.copy(bytes)
  bytes.writeUInt16BE(packetId, encoded.packetIdAt)
  if (dup) bytes[0] = (bytes[0] ?? 0) | 0x08
  return bytes
}

const NO_PROPERTIES = Buffer.of(0)

// The property length and properties of a PUBLISH. Messages with properties are rare enough to be encoded by
// mqtt-packet: a PUBLISH with an empty topic and payload, of which only the properties are kept.
function encodeProperties(message: OutgoingPublish): Buffer {
  const { properties, expiryS, identifiers } = message
  if (properties === undefined && expiryS === undefined && identifiers === undefined) return NO_PROPERTIES
  const packet = generate(
    {
      cmd: 'publish',
      topic: 'x',
      payload: '',
      qos: 0,
      retain: false,
      dup: false,
      properties: {
        ...(properties as object),
        ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
        ...(identifiers === undefined || identifiers.length === 0
          ? {}
          : { subscriptionIdentifier: [...identifiers] })
      }
    },
    { protocolVersion: 5 }
  )
  let at = 1
  while (((packet[at] ?? 0) & 0x80) !== 0) at++ // the remaining length's bytes
  return packet.subarray(at + 1 + 3) // then the topic `x`
}

function writeVariableInteger(bytes: Buffer, value: number, start: number): number {
  let at = start
  let rest = value
  do {
    const low = rest & 0x7f
    rest >>>= 7
    bytes[at++] = rest > 0 ? low | 0x80 : low
  } while (rest > 0)
  return at
}
