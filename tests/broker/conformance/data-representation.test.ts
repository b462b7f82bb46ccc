// Chapter 1: strings and integers as they may, and may not, stand on the wire.
import { describe, expect, test } from '@jest/globals'
import { rawMqtt } from '../raw-mqtt.ts'
import { connected, endCode, receivedUntilNow, sharedServer, told } from './suite.ts'
import {
  bytes,
  connectBytes,
  noProperties,
  packet,
  properties,
  publishBytes,
  subscribeBytes,
  text,
  uint16,
  unsubscribeBytes,
  versions,
  type Version
} from './wire.ts'

const server = sharedServer()

/** Where a string of MQTT 3.1 and 3.1.1 stands: packets with it, sent after a CONNECT, or as one. */
const places: Record<string, (version: Version, value: Buffer) => Buffer> = {
  'client id': (version, value) => connectBytes({ version, payload: [text(value)] }),
  'will topic': (version, value) =>
    connectBytes({
      version,
      flags: 0x06,
      payload: [text('c'), noProperties(version), text(value), text('gone')]
    }),
  'user name': (version, value) =>
    connectBytes({ version, flags: 0x82, payload: [text('utf-user'), text(value)] }),
  'topic name': (version, value) => publishBytes({ version, topic: value }),
  'filter to subscribe': (version, value) => subscribeBytes(version, value),
  'filter to unsubscribe': (version, value) => unsubscribeBytes(version, value)
}

/** Where MQTT 5 has more of them. */
const newPlaces: Record<string, (value: Buffer) => Buffer> = {
  'content type': value =>
    publishBytes({ version: 5, topic: 't', properties: properties(bytes(0x03), text(value)) }),
  'response topic': value =>
    publishBytes({ version: 5, topic: 't', properties: properties(bytes(0x08), text(value)) }),
  'user property of CONNECT': value =>
    connectBytes({
      version: 5,
      properties: properties(bytes(0x26), text('name'), text(value)),
      payload: [text('c')]
    }),
  'content type of a will': value =>
    connectBytes({
      version: 5,
      flags: 0x06,
      payload: [text('c'), properties(bytes(0x03), text(value)), text('w'), text('gone')]
    }),
  'reason string of PUBACK': value => packet(0x40, uint16(1), bytes(0), properties(bytes(0x1f), text(value))),
  'reason string of DISCONNECT': value => packet(0xe0, bytes(0), properties(bytes(0x1f), text(value))),
  'user property of SUBSCRIBE': value =>
    packet(0x82, uint16(1), properties(bytes(0x26), text(value), text('x')), text('f'), bytes(0))
}

const illFormed: Record<string, Buffer> = {
  'a byte that is never part of UTF-8': bytes(0x61, 0xff),
  'a continuation without a start': bytes(0x61, 0x80),
  'a start without a continuation': bytes(0xc3, 0x28),
  'an end in the midst of a character': bytes(0x61, 0xe2, 0x82),
  'an overlong encoding': bytes(0xc1, 0xa1),
  'a surrogate': bytes(0xed, 0xa0, 0x80),
  'a pair of surrogates': bytes(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80),
  'beyond U+10FFFF': bytes(0xf4, 0x90, 0x80, 0x80)
}

const nulls: Record<string, Buffer> = {
  alone: bytes(0),
  'at the end': bytes(0x61, 0),
  'in the midst': bytes(0x61, 0, 0x62)
}

// Sends one packet on a connection of its own: after a CONNECT, unless it is one.
async function endedBy(version: Version, sent: Buffer): Promise<number | null> {
  const isConnect = (sent[0] ?? 0) >> 4 === 1
  const client = isConnect
    ? await rawMqtt(server().port, version)
    : await connected(server(), 'sender', version)
  client.sendBytes(sent)
  return endCode(client)
}

describe.each(versions)('strings at protocol level %i', version => {
  test.each(Object.entries(places))(
    '[MQTT-1.5.4-1] [3.1.1: MQTT-1.5.3-1] ill-formed UTF-8 ends the connection: %s',
    async (_place, make) => {
      for (const value of Object.values(illFormed)) {
        expect(await endedBy(version, make(version, value))).toBe(told(version, 0x81))
      }
    }
  )

  test.each(Object.entries(places))(
    '[MQTT-1.5.4-2] [3.1.1: MQTT-1.5.3-2] U+0000 ends the connection: %s',
    async (_place, make) => {
      for (const value of Object.values(nulls)) {
        expect(await endedBy(version, make(version, value))).toBe(told(version, 0x81))
      }
    }
  )

  test('[MQTT-1.5.4-3] [3.1.1: MQTT-1.5.3-3] U+FEFF stays where it is, also in front', async () => {
    const client = await connected(server(), `bom-${version}`, version)
    const bom = bytes(0xef, 0xbb, 0xbf)
    const marked = Buffer.concat([bom, Buffer.from(`marked/${version}/`), bom])
    client.sendBytes(subscribeBytes(version, marked))
    await client.next('suback')
    client.sendBytes(publishBytes({ version, topic: marked }))
    await client.next('publish')
    expect(client.received.includes(publishBytes({ version, topic: marked }))).toBe(true)
    client.sendBytes(publishBytes({ version, topic: `marked/${version}/` }), subscribeBytes(version, 'x'))
    await client.next('suback')
    expect(await receivedUntilNow(server(), client, marked.toString())).toEqual([''])
  })

  test('[MQTT-1.5.4-1] characters of every length and unassigned ones are well-formed', async () => {
    const client = await connected(server(), `wide-${version}`, version)
    const topic = `${version}/é/\u{20ac}/\u{1f321}/\u{10ffff}/\u{ffff}/\u{1}`
    client.sendBytes(subscribeBytes(version, topic), publishBytes({ version, topic, payload: 'x' }))
    expect((await client.next('publish')).topic).toBe(topic)
  })
})

describe('strings that MQTT 5 added', () => {
  test.each(Object.entries(newPlaces))(
    '[MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] ill-formed UTF-8 and U+0000 end the connection: %s',
    async (_place, make) => {
      for (const value of [...Object.values(illFormed), ...Object.values(nulls)]) {
        expect(await endedBy(5, make(value))).toBe(0x81)
      }
    }
  )
})

describe('variable byte integers', () => {
  test('[MQTT-1.5.5-1] one with more bytes than it needs, or than four, ends the connection', async () => {
    const connect = (length: Buffer) => packet(0x10, text('MQTT'), bytes(5, 2, 0, 0), length, text('c'))
    const publish = (length: Buffer) => packet(0x30, text('t'), length)
    const identifier = (value: Buffer) =>
      packet(0x82, uint16(1), properties(bytes(0x0b), value), text('f'), bytes(0))
    for (const value of [bytes(0x80, 0), bytes(0x80, 0x80, 0), bytes(0x80, 0x80, 0x80, 0x80, 0)]) {
      expect(await endedBy(5, connect(value))).toBe(0x81)
      expect(await endedBy(5, publish(value))).toBe(0x81)
    }
    for (const value of [bytes(0x81, 0), bytes(0xff, 0x80, 0), bytes(0xff, 0xff, 0xff, 0xff, 0x7f)]) {
      expect(await endedBy(5, identifier(value))).toBe(0x81)
    }
  })

  test('[MQTT-1.5.5-1] a remaining length with more bytes than it needs ends the connection', async () => {
    expect(await endedBy(5, bytes(0xc0, 0x80, 0))).toBe(0x81)
  })

  test.each(versions)(
    'a remaining length of more than four bytes ends the connection (level %i)',
    async version => {
      expect(await endedBy(version, bytes(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f))).toBe(told(version, 0x81))
    }
  )

  test.each([120, 121, 127, 128, 16_376, 16_377, 16_384, 70_000])(
    '[MQTT-1.5.5-1] the server needs no byte too many for a payload of %i bytes',
    async size => {
      const client = await connected(server(), `size-${size}`, 5)
      const message = publishBytes({ version: 5, topic: 'size', payload: 'x'.repeat(size) })
      client.sendBytes(subscribeBytes(5, 'size'), message)
      await client.next('publish')
      expect(client.received.includes(message)).toBe(true)
    }
  )
})
