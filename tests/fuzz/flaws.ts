// Packets with one thing wrong that every server must end the connection for. Pure.
import {
  bytes,
  noProperties,
  packet,
  properties,
  publishBytes,
  subscribeBytes,
  text,
  uint16,
  unsubscribeBytes,
  type Version
} from '../broker/conformance/wire.ts'

interface Flaw {
  /** The first version in which it is one. */
  since: Version
  make(version: Version): Buffer
}

const nul = Buffer.from('a\0b')
const surrogate = Buffer.from([0x61, 0xed, 0xa0, 0x80])
const overlong = Buffer.from([0xc0, 0x80])
const beyondUnicode = Buffer.from([0xf4, 0x90, 0x80, 0x80])

/** A PUBLISH at QoS 0 with these properties. */
const withProperties = (...parts: Uint8Array[]) =>
  publishBytes({ version: 5, topic: 'flawed', properties: properties(...parts) })
const topicAlias = (alias: number) => Buffer.concat([bytes(0x23), uint16(alias)])
const atQos = (version: Version, qos: number, packetId?: number) =>
  publishBytes({ version, topic: 'flawed', qos, ...(packetId === undefined ? {} : { packetId }) })

/** By name, so that a counterexample says what it is about. */
export const flaws: Readonly<Record<string, Flaw>> = {
  'packet type 0': { since: 3, make: () => packet(0x00) },
  'a CONNACK': { since: 3, make: () => packet(0x20, bytes(0, 0)) },
  'a SUBACK': { since: 3, make: version => packet(0x90, uint16(1), noProperties(version), bytes(0)) },
  'an UNSUBACK': { since: 3, make: version => packet(0xb0, uint16(1), noProperties(version)) },
  'a PINGRESP': { since: 3, make: () => packet(0xd0) },
  'a remaining length of five bytes': { since: 3, make: () => bytes(0x30, 0xff, 0xff, 0xff, 0xff, 0x01) },
  'a declared length that is too large': { since: 3, make: () => bytes(0x30, 0xff, 0xff, 0xff, 0x7f) },
  'SUBSCRIBE with flags 0': { since: 4, make: () => packet(0x80, uint16(1), text('a'), bytes(0)) },
  'UNSUBSCRIBE with flags 0': { since: 4, make: () => packet(0xa0, uint16(1), text('a')) },
  'PUBREL with flags 0': { since: 4, make: () => packet(0x60, uint16(1)) },
  'PUBACK with a flag': { since: 4, make: () => packet(0x41, uint16(1)) },
  'PINGREQ with a flag': { since: 4, make: () => packet(0xc8) },
  'DISCONNECT with a flag': { since: 4, make: () => packet(0xe2) },
  'PINGREQ with contents': { since: 3, make: () => packet(0xc0, bytes(0)) },
  'PUBACK of one byte': { since: 3, make: () => packet(0x40, bytes(1)) },
  'PUBLISH at QoS 3': { since: 3, make: version => atQos(version, 3, 1) },
  'PUBLISH with DUP at QoS 0': {
    since: 4,
    make: version => publishBytes({ version, topic: 'flawed', dup: true })
  },
  'PUBLISH without a packet id': {
    since: 3,
    make: version => packet(0x32, text('x'), noProperties(version))
  },
  'PUBLISH with packet id 0': { since: 3, make: version => atQos(version, 1, 0) },
  'PUBLISH to a wildcard': { since: 3, make: version => publishBytes({ version, topic: 'a/+' }) },
  'PUBLISH to nothing': { since: 3, make: version => publishBytes({ version, topic: '' }) },
  'PUBLISH with NUL': { since: 3, make: version => publishBytes({ version, topic: nul }) },
  'PUBLISH with a surrogate': { since: 3, make: version => publishBytes({ version, topic: surrogate }) },
  'PUBLISH with an overlong character': {
    since: 3,
    make: version => publishBytes({ version, topic: overlong })
  },
  'PUBLISH beyond Unicode': { since: 3, make: version => publishBytes({ version, topic: beyondUnicode }) },
  'PUBLISH with a topic beyond its end': { since: 3, make: () => packet(0x30, uint16(9), Buffer.from('a')) },
  'SUBSCRIBE without filters': { since: 3, make: version => packet(0x82, uint16(1), noProperties(version)) },
  'SUBSCRIBE with packet id 0': { since: 3, make: version => subscribeBytes(version, 'a', 0, 0) },
  'SUBSCRIBE at QoS 3': { since: 3, make: version => subscribeBytes(version, 'a', 3) },
  'SUBSCRIBE with reserved bits': { since: 4, make: version => subscribeBytes(version, 'a', 0xc0) },
  'SUBSCRIBE to a malformed filter': { since: 3, make: version => subscribeBytes(version, 'a/#/b') },
  'SUBSCRIBE to half a wildcard': { since: 3, make: version => subscribeBytes(version, 'a+') },
  'SUBSCRIBE to nothing': { since: 3, make: version => subscribeBytes(version, '') },
  'SUBSCRIBE with NUL': { since: 3, make: version => subscribeBytes(version, nul) },
  'UNSUBSCRIBE without filters': {
    since: 3,
    make: version => packet(0xa2, uint16(1), noProperties(version))
  },
  'UNSUBSCRIBE with packet id 0': { since: 3, make: version => unsubscribeBytes(version, 'a', 0) },
  'UNSUBSCRIBE with a surrogate': { since: 3, make: version => unsubscribeBytes(version, surrogate) },
  'AUTH that was not agreed on': { since: 3, make: () => packet(0xf0, bytes(0x18), properties()) },
  'retain handling 3': { since: 5, make: () => subscribeBytes(5, 'a', 0x30) },
  'no local on a shared subscription': { since: 5, make: () => subscribeBytes(5, '$share/g/a', 0x04) },
  'subscription identifier 0': {
    since: 5,
    make: () => packet(0x82, uint16(1), properties(bytes(0x0b, 0)), text('a'), bytes(0))
  },
  'a subscription identifier in a PUBLISH': { since: 5, make: () => withProperties(bytes(0x0b, 1)) },
  'topic alias 0': { since: 5, make: () => withProperties(topicAlias(0)) },
  'a topic alias that is too large': { since: 5, make: () => withProperties(topicAlias(65_535)) },
  'a topic alias that stands for nothing': {
    since: 5,
    make: () => publishBytes({ version: 5, topic: '', properties: properties(topicAlias(32)) })
  },
  'a property twice': { since: 5, make: () => withProperties(bytes(1, 1), bytes(1, 1)) },
  'an unknown property': { since: 5, make: () => withProperties(bytes(0x7f, 1)) },
  'a property of another packet': { since: 5, make: () => withProperties(bytes(0x17, 1)) },
  'a boolean that is 2': { since: 5, make: () => withProperties(bytes(1, 2)) },
  'a response topic with a wildcard': { since: 5, make: () => withProperties(bytes(8), text('a/#')) },
  'properties beyond the end': { since: 5, make: () => packet(0x30, text('a'), bytes(100)) },
  'a reason code that is none': { since: 5, make: () => packet(0x40, uint16(1), bytes(0x42)) },
  'DISCONNECT with a reason that is none': { since: 5, make: () => packet(0xe0, bytes(0x42)) }
}
