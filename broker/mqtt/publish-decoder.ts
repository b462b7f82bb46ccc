// Decodes PUBLISH and the acknowledgements PUBACK, PUBREC, PUBREL and PUBCOMP. Pure. This runs for every message.
import type { AcknowledgementPacket, PublishPacket, WireVersion } from './client-packets.ts'
import { place, readProperties } from './properties-decoder.ts'
import { reason } from './reason-codes.ts'
import { protocolError, WireError, type WireReader } from './wire-reader.ts'

/** Reads a PUBLISH; `flags` are those of its fixed header. */
export function decodePublish(reader: WireReader, flags: number, version: WireVersion): PublishPacket {
  const qos = (flags >> 1) & 3
  const dup = (flags & 8) !== 0
  if (qos === 3) throw new WireError('the QoS is 3') // [MQTT-3.3.1-4]
  if (dup && qos === 0) throw protocolError('DUP is set at QoS 0') // [MQTT-3.3.1-2]
  const topic = reader.text('the topic name')
  // [MQTT-3.3.2-2]
  if (topic.includes('+') || topic.includes('#')) {
    throw new WireError('the topic name has a wildcard', reason.topicNameInvalid)
  }
  const messageId = qos > 0 ? readPacketId(reader) : undefined
  const properties = version === 5 ? readProperties(reader, place.publish) : undefined
  if (topic === '' && properties?.topicAlias === undefined) {
    throw version === 5
      ? protocolError('there is neither a topic name nor a topic alias')
      : new WireError('the topic name is empty', reason.topicNameInvalid) // [MQTT-4.7.3-1]
  }
  return {
    cmd: 'publish',
    topic,
    payload: reader.rest(),
    qos: qos as 0 | 1 | 2,
    retain: (flags & 1) !== 0,
    dup,
    messageId,
    properties
  }
}

/** A packet id, which is never 0 [MQTT-2.2.1-3, -4]. */
export function readPacketId(reader: WireReader): number {
  const packetId = reader.uint16('the packet id')
  if (packetId === 0) throw protocolError('the packet id is 0')
  return packetId
}

// Tables 3-4 and 3-5, 3-6 and 3-7.
const ofPublish = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
const ofRelease = new Set([0x00, 0x92])

/** Reads an acknowledgement. Its reason code can be left out for success, its property length for no properties. */
export function decodeAcknowledgement(
  reader: WireReader,
  cmd: AcknowledgementPacket['cmd'],
  version: WireVersion
): AcknowledgementPacket {
  const messageId = readPacketId(reader)
  let reasonCode = 0
  let properties: AcknowledgementPacket['properties']
  if (version === 5 && reader.at < reader.end) {
    reasonCode = reader.byte('the reason code')
    const codes = cmd === 'puback' || cmd === 'pubrec' ? ofPublish : ofRelease
    if (!codes.has(reasonCode)) throw protocolError(`reason code ${reasonCode} is none of this packet's`)
    if (reader.at < reader.end) properties = readProperties(reader, place.acknowledgement)
  }
  reader.finish()
  return { cmd, messageId, reasonCode, properties }
}
