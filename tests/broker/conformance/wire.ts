// MQTT packets byte by byte, so that tests can send what no library would. Pure.

export type Version = 3 | 4 | 5

/** The protocol levels of MQTT 3.1, 3.1.1 and 5.0. */
export const versions: readonly Version[] = [3, 4, 5]

/** Bytes from numbers. */
export function bytes(...values: number[]): Buffer {
  return Buffer.from(values)
}

export function uint16(value: number): Buffer {
  return bytes(value >> 8, value & 0xff)
}

export function uint32(value: number): Buffer {
  const made = Buffer.alloc(4)
  made.writeUInt32BE(value)
  return made
}

/** A string, or binary data, with its length in front. */
export function text(value: string | Uint8Array): Buffer {
  const content = Buffer.from(value as string)
  return Buffer.concat([uint16(content.length), content])
}

export function variableInteger(value: number): Buffer {
  const made: number[] = []
  let rest = value
  do {
    made.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return Buffer.from(made)
}

/** A whole packet: its first byte, then the parts behind a matching remaining length. */
export function packet(header: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([bytes(header), variableInteger(body.length), body])
}

/** The properties of a packet with their length in front. */
export function properties(...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([variableInteger(body.length), body])
}

/** What stands where MQTT 5 has properties, when there are none. */
export function noProperties(version: Version): Buffer {
  return version === 5 ? bytes(0) : Buffer.alloc(0)
}

export function userProperty(name: string, value: string): Buffer {
  return Buffer.concat([bytes(0x26), text(name), text(value)])
}

export interface ConnectParts {
  version: Version
  /** First byte of the packet. */
  header?: number
  protocolName?: string
  level?: number
  /** Connect flags; Clean Session is 2. */
  flags?: number
  keepAliveS?: number
  /** With their length; MQTT 5 only. */
  properties?: Buffer
  payload: Uint8Array[]
}

export function connectBytes(parts: ConnectParts): Buffer {
  const { version, header = 0x10, flags = 2, keepAliveS = 0, payload } = parts
  const protocolName = parts.protocolName ?? (version === 3 ? 'MQIsdp' : 'MQTT')
  const head = [text(protocolName), bytes(parts.level ?? version, flags), uint16(keepAliveS)]
  return packet(header, ...head, parts.properties ?? noProperties(version), ...payload)
}

export interface PublishParts {
  version: Version
  topic: string | Uint8Array
  payload?: string
  qos?: number
  retain?: boolean
  dup?: boolean
  /** Present for QoS above 0. */
  packetId?: number
  /** With their length; MQTT 5 only. */
  properties?: Buffer
}

export function publishBytes(parts: PublishParts): Buffer {
  const { version, topic, payload = '', qos = 0, retain = false, dup = false, packetId } = parts
  return packet(
    0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0),
    text(topic),
    packetId === undefined ? Buffer.alloc(0) : uint16(packetId),
    parts.properties ?? noProperties(version),
    Buffer.from(payload)
  )
}

/** SUBSCRIBE for one filter, with its options byte. */
export function subscribeBytes(version: Version, filter: string | Uint8Array, options = 0, packetId = 1) {
  return packet(0x82, uint16(packetId), noProperties(version), text(filter), bytes(options))
}

export function unsubscribeBytes(version: Version, filter: string | Uint8Array, packetId = 1) {
  return packet(0xa2, uint16(packetId), noProperties(version), text(filter))
}
