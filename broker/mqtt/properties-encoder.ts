// Encodes the MQTT 5 properties of a PUBLISH to a subscriber: those that its publisher gave, user properties in their
// order [MQTT-3.3.2-18], and those that belong to this delivery. Pure.
import type { MqttProperties } from '../../store/notification.ts'
import {
  textBytes,
  variableIntegerBytes,
  writeBinary,
  writeText,
  writeVariableInteger
} from './wire-writer.ts'

const UINT32_MAX = 0xffff_ffff

/** Which properties a PUBLISH has. */
export interface OutgoingProperties {
  properties?: MqttProperties
  /** Remaining Message Expiry Interval, seconds. */
  expiryS?: number
  /** Subscription Identifiers of all matching subscriptions [MQTT-3.3.4-3]. */
  identifiers?: readonly number[]
}

/** How many bytes the properties take, without the property length in front of them. */
export function propertiesBytes({ properties, expiryS, identifiers }: OutgoingProperties): number {
  let bytes = expiryS === undefined ? 0 : 5
  if (identifiers !== undefined) {
    for (const identifier of identifiers) bytes += 1 + variableIntegerBytes(identifier)
  }
  if (properties === undefined) return bytes
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties
  if (payloadFormatIndicator !== undefined) bytes += 2
  if (contentType !== undefined) bytes += 1 + textBytes(contentType)
  if (responseTopic !== undefined) bytes += 1 + textBytes(responseTopic)
  if (correlationData !== undefined) bytes += 3 + correlationData.length
  if (userProperties !== undefined) {
    for (const [name, value] of userProperties) bytes += 1 + textBytes(name) + textBytes(value)
  }
  return bytes
}

/** Writes the properties, without the property length. Returns where what comes next begins. */
export function writeProperties(bytes: Buffer, message: OutgoingProperties, start: number): number {
  const { properties, expiryS, identifiers } = message
  let at = start
  if (properties !== undefined) at = writeGiven(bytes, properties, at)
  if (expiryS !== undefined) {
    bytes[at] = 0x02
    at = bytes.writeUInt32BE(Math.min(expiryS, UINT32_MAX), at + 1) // more when the clock was set back
  }
  if (identifiers !== undefined) {
    for (const identifier of identifiers) {
      bytes[at] = 0x0b
      at = writeVariableInteger(bytes, identifier, at + 1)
    }
  }
  return at
}

function writeGiven(bytes: Buffer, properties: MqttProperties, start: number): number {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties
  let at = start
  if (payloadFormatIndicator !== undefined) {
    bytes[at] = 0x01
    bytes[at + 1] = payloadFormatIndicator ? 1 : 0
    at += 2
  }
  if (contentType !== undefined) {
    bytes[at] = 0x03
    at = writeText(bytes, contentType, at + 1)
  }
  if (responseTopic !== undefined) {
    bytes[at] = 0x08
    at = writeText(bytes, responseTopic, at + 1)
  }
  if (correlationData !== undefined) {
    bytes[at] = 0x09
    at = writeBinary(bytes, correlationData, at + 1)
  }
  if (userProperties !== undefined) {
    for (const [name, value] of userProperties) {
      bytes[at] = 0x26
      at = writeText(bytes, value, writeText(bytes, name, at + 1))
    }
  }
  return at
}
