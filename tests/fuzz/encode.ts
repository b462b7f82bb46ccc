// The packets of moves, as bytes. Pure.
import {
  bytes,
  connectBytes,
  noProperties,
  packet,
  properties,
  publishBytes,
  text,
  uint16,
  uint32,
  variableInteger,
  type Version
} from '../broker/conformance/wire.ts'
import type { ConnectMove, PublishMove, SubscribeMove } from './moves.ts'

const nothing = Buffer.alloc(0)

export function encodeConnect(
  { version, clean, lasting, receiveMaximum, will }: Omit<ConnectMove, 'move' | 'slot' | 'id' | 'hasty'>,
  { clientId, willPayload }: { clientId: string; willPayload: string }
): Buffer {
  const willFlags = will === null ? 0 : 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0)
  const willParts = will === null ? [] : [noProperties(version), text('wills'), text(willPayload)]
  const wanted = properties(
    lasting ? Buffer.concat([bytes(0x11), uint32(3600)]) : nothing,
    receiveMaximum === null ? nothing : Buffer.concat([bytes(0x21), uint16(receiveMaximum)])
  )
  return connectBytes({
    version,
    flags: (clean ? 2 : 0) | willFlags,
    ...(version === 5 ? { properties: wanted } : {}),
    payload: [text(clientId), ...willParts]
  })
}

export function encodePublish(
  version: Version,
  { topic, qos, packetId, retain }: Pick<PublishMove, 'topic' | 'qos' | 'packetId' | 'retain'>,
  { payload, dup, alias }: { payload: string; dup: boolean; alias: number | null }
): Buffer {
  return publishBytes({
    version,
    topic,
    payload,
    qos,
    retain,
    dup,
    ...(qos === 0 ? {} : { packetId }),
    ...(alias === null ? {} : { properties: properties(Buffer.concat([bytes(0x23), uint16(alias)])) })
  })
}

export function encodeSubscribe(version: Version, { requests, identifier, packetId }: SubscribeMove): Buffer {
  const own = identifier === null ? nothing : Buffer.concat([bytes(0x0b), variableInteger(identifier)])
  const entries = requests.flatMap(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => {
    const options =
      (noLocal && !filter.startsWith('$share/') ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4)
    return [text(filter), bytes(version === 5 ? qos | options : qos)]
  })
  return packet(0x82, uint16(packetId), version === 5 ? properties(own) : nothing, ...entries)
}

export function encodeUnsubscribe(version: Version, filters: readonly string[], packetId: number): Buffer {
  return packet(0xa2, uint16(packetId), noProperties(version), ...filters.map(filter => text(filter)))
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP by its first byte. */
export function encodeAcknowledgement(header: number, packetId: number): Buffer {
  return packet(header, uint16(packetId))
}

export const PINGREQ = packet(0xc0)
export const DISCONNECT = packet(0xe0)
/** MQTT 5: and publish my will. */
export const DISCONNECT_WITH_WILL = packet(0xe0, bytes(4))
