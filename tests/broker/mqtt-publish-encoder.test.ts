// The bytes of a PUBLISH to a subscriber, and of its properties.
import { expect, test } from '@jest/globals'
import { parser, type Packet } from 'mqtt-packet'
import { encodePublish, withPacketId, type OutgoingPublish } from '../../broker/mqtt/publish-encoder.ts'
import { body, counted, decodeWhole, properties, uint32, type Version } from './mqtt-packet-bytes.ts'

const plain: OutgoingPublish = { topic: 'a/ü', payload: Buffer.from('x'), qos: 0, retain: false }

/** What another implementation reads. */
function parsed(bytes: Buffer): Extract<Packet, { cmd: 'publish' }> {
  const found: Packet[] = []
  const reader = parser({ protocolVersion: 5 })
  reader.on('packet', (packet: Packet) => found.push(packet))
  reader.parse(bytes)
  expect(found).toHaveLength(1)
  return found[0] as Extract<Packet, { cmd: 'publish' }>
}

test.each([
  [3, plain, [0x30, 7], body('a/ü', [0x78])],
  [4, { ...plain, retain: true }, [0x31, 7], body('a/ü', [0x78])],
  [5, plain, [0x30, 8], body('a/ü', 0, [0x78])],
  [5, { ...plain, qos: 1 }, [0x32, 10], body('a/ü', [0, 0, 0, 0x78])],
  [
    4,
    { ...plain, properties: { contentType: 'none of 3.1.1' }, expiryS: 1, identifiers: [1] },
    [0x30, 7],
    body('a/ü', [0x78])
  ]
] as [Version, OutgoingPublish, number[], Buffer][])('level %i: %j', (version, message, header, rest) => {
  expect(encodePublish(message, version).bytes).toEqual(Buffer.concat([Buffer.from(header), rest]))
})

test('the properties are those given, then those of the delivery, user properties in order', () => {
  const { bytes } = encodePublish(
    {
      ...plain,
      payload: Buffer.of(),
      properties: {
        payloadFormatIndicator: false,
        contentType: '',
        responseTopic: 'ä',
        correlationData: Buffer.of(0, 255),
        userProperties: [
          ['b', '1'],
          ['__proto__', '2'],
          ['10', '3'],
          ['b', '€'],
          ['2', ''],
          ['', '']
        ]
      },
      expiryS: 4_294_967_295,
      identifiers: [1, 268_435_455]
    },
    5
  )
  const expected = body(
    'a/ü',
    properties(
      [0x01, 0],
      body(0x03, '', 0x08, 'ä', 0x09, counted(0, 255)),
      body(
        0x26,
        'b',
        '1',
        0x26,
        '__proto__',
        '2',
        0x26,
        '10',
        '3',
        0x26,
        'b',
        '€',
        0x26,
        '2',
        '',
        0x26,
        '',
        ''
      ),
      [0x02, ...uint32(4_294_967_295)],
      [0x0b, 1, 0x0b, 0xff, 0xff, 0xff, 0x7f]
    )
  )
  expect(bytes).toEqual(Buffer.concat([Buffer.of(0x30, expected.length), expected]))
})

test('an expiry beyond what the field holds is the longest there is', () => {
  const { bytes } = encodePublish({ ...plain, expiryS: 4_294_967_296 }, 5)
  expect(decodeWhole(bytes, 5)).toMatchObject({ properties: { messageExpiryInterval: 4_294_967_295 } })
})

// Where the remaining length takes one byte more.
test.each([0, 1, 118, 119, 120, 16_374, 16_375, 16_376, 2_097_143, 2_097_144])(
  'a payload of %i bytes is read as it was written, with the packet id',
  length => {
    const payload = Buffer.alloc(length, 7)
    for (const version of [3, 4, 5] as const) {
      const bytes = withPacketId(encodePublish({ ...plain, qos: 2, payload }, version), 513, true)
      const packet = decodeWhole(bytes, version)
      expect(packet.cmd === 'publish' && payload.equals(packet.payload)).toBe(true)
      expect(packet).toMatchObject({ topic: 'a/ü', qos: 2, dup: true, messageId: 513 })
    }
  }
)

// Where the property length takes one byte more.
test.each([0, 124, 125, 16_380, 16_381, 65_535])(
  'a content type of %i bytes is read as it was written',
  length => {
    const message = { ...plain, properties: { contentType: 'c'.repeat(length) } }
    expect(decodeWhole(encodePublish(message, 5).bytes, 5)).toEqual({
      cmd: 'publish',
      dup: false,
      ...message
    })
  }
)

test('another implementation reads the same', () => {
  const given = {
    payloadFormatIndicator: true,
    contentType: 'ü',
    responseTopic: 'r',
    correlationData: Buffer.of(1)
  }
  const userProperties = [
    ['a', '1'],
    ['b', '2'],
    ['a', '3']
  ] as const
  const message = {
    ...plain,
    properties: { ...given, userProperties },
    expiryS: 300,
    identifiers: [5, 16_384]
  }
  expect(parsed(encodePublish(message, 5).bytes)).toMatchObject({
    topic: 'a/ü',
    payload: Buffer.from('x'),
    properties: {
      ...given,
      userProperties: { a: ['1', '3'], b: '2' },
      messageExpiryInterval: 300,
      subscriptionIdentifier: [5, 16_384]
    }
  })
})
