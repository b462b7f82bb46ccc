// The packets that are taken out of a chunk by hand, against what mqtt-packet makes of the same bytes.
import { describe, expect, test } from '@jest/globals'
import { generate, parser, type Packet } from 'mqtt-packet'
import { findPacket } from '../../broker/mqtt/fast-path.ts'

type Version = 4 | 5

const encode = (packet: object, version: Version) => generate(packet as Packet, { protocolVersion: version })

function parsed(bytes: Buffer, version: Version): Packet | undefined {
  let found: Packet | undefined
  const reader = parser({ protocolVersion: version })
  reader.on('packet', (packet: Packet) => (found = packet))
  reader.parse(bytes)
  return found
}

const publishes = [
  { topic: 'a', payload: '', qos: 0, retain: false, dup: false },
  { topic: 'site/1/ü/€', payload: '{"celsius":21.5}', qos: 1, messageId: 1, retain: true, dup: false },
  { topic: 'a/b', payload: 'x'.repeat(200), qos: 2, messageId: 65_535, retain: false, dup: true },
  { topic: 'a/b', payload: 'x'.repeat(20_000), qos: 1, messageId: 513, retain: false, dup: false }
].map(packet => ({ cmd: 'publish', ...packet }))

describe.each([4, 5] as const)('MQTT protocol level %i', version => {
  test.each(publishes)('PUBLISH at QoS $qos is what mqtt-packet reads', packet => {
    const bytes = encode(packet, version)
    const found = findPacket(Buffer.concat([Buffer.of(0), bytes, Buffer.of(0x30)]), 1, version)
    expect(found).not.toBe('malformed')
    const { packet: fast, next } = found as Exclude<typeof found, 'malformed'>
    expect(next).toBe(1 + bytes.length)
    const { cmd, topic, payload, qos, retain, dup, messageId, length } = parsed(bytes, version) as Extract<
      Packet,
      { cmd: 'publish' }
    >
    expect(fast).toEqual({ cmd, topic, payload, qos, retain, dup, length, ...(qos > 0 && { messageId }) })
  })

  test('PUBACK is what mqtt-packet reads', () => {
    const bytes = encode({ cmd: 'puback', messageId: 4711 }, version)
    expect(findPacket(bytes, 0, version)).toMatchObject({
      packet: { cmd: 'puback', messageId: 4711 },
      next: bytes.length
    })
  })

  test('every unfinished packet ends past the chunk', () => {
    for (const packet of publishes.slice(0, 3)) {
      const bytes = encode(packet, version)
      for (let length = 1; length < bytes.length; length++) {
        const found = findPacket(bytes.subarray(0, length), 0, version)
        expect(found).toMatchObject({ packet: undefined })
        expect((found as { next: number }).next).toBeGreaterThan(length)
      }
    }
  })

  test.each([
    [
      'SUBSCRIBE',
      encode({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] }, version)
    ],
    ['packet id 0', Buffer.from([0x32, 6, 0, 1, 0x61, 0, 0, 0])],
    ['QoS 3', Buffer.from([0x36, 6, 0, 1, 0x61, 0, 1, 0])],
    ['DUP at QoS 0', Buffer.from([0x38, 4, 0, 1, 0x61, 0])],
    ['a topic longer than the packet', Buffer.from([0x30, 4, 0, 9, 0x61, 0])],
    ['no room for the packet id', Buffer.from([0x32, 3, 0, 1, 0x61])]
  ])('%s is left to the parser', (_what, bytes) => {
    expect(findPacket(bytes, 0, version)).toEqual({ packet: undefined, next: bytes.length })
  })

  test('a topic that is not UTF-8 is malformed', () => {
    expect(findPacket(Buffer.from([0x30, 5, 0, 2, 0xc3, 0x28, 0]), 0, version)).toBe('malformed')
  })
})

test('MQTT 5 properties are left to the parser', () => {
  const bytes = encode({ ...publishes[0], properties: { contentType: 'text/plain' } }, 5)
  expect(findPacket(bytes, 0, 5)).toEqual({ packet: undefined, next: bytes.length })
})
