// Chapter 2: fixed headers, packet ids and property lengths.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { rawMqtt } from '../raw-mqtt.ts'
import { connected, endCode, publish, settled, sharedServer, subscribe, subscribed, told } from './suite.ts'
import {
  bytes,
  connectBytes,
  noProperties,
  packet,
  publishBytes,
  subscribeBytes,
  text,
  uint16,
  unsubscribeBytes,
  versions,
  type Version
} from './wire.ts'

const server = sharedServer()

async function endedBy(version: Version, ...sent: Buffer[]): Promise<number | null> {
  const client = await connected(server(), 'sender', version)
  client.sendBytes(...sent)
  return endCode(client)
}

const withHeader = (header: number, whole: Buffer) => Buffer.concat([bytes(header), whole.subarray(1)])

describe('flags of the fixed header', () => {
  test.each(versions)(
    '[MQTT-2.1.3-1] [3.1.1: MQTT-2.2.2-1] [3.1.1: MQTT-2.2.2-2] reserved flags that are set end the connection (level %i)',
    async version => {
      const acknowledgement = (type: number) => packet(type << 4, uint16(1))
      const plain = [acknowledgement(4), acknowledgement(5), acknowledgement(7), packet(0xc0), packet(0xe0)]
      for (const whole of plain) {
        for (const flags of [1, 2, 4, 8]) {
          expect(await endedBy(version, withHeader((whole[0] ?? 0) | flags, whole))).toBe(told(version, 0x81))
        }
      }
    }
  )

  test.each([4, 5] as const)(
    '[MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [3.1.1: MQTT-2.2.2-2] PUBREL, SUBSCRIBE and UNSUBSCRIBE have flags 0010 (level %i)',
    async version => {
      const wholes = [packet(0x62, uint16(1)), subscribeBytes(version, 'f'), unsubscribeBytes(version, 'f')]
      for (const whole of wholes) {
        for (const flags of [0, 1, 3, 6, 10]) {
          const header = ((whole[0] ?? 0) & 0xf0) | flags
          expect(await endedBy(version, withHeader(header, whole))).toBe(told(version, 0x81))
        }
      }
    }
  )

  test('repetitions of these have DUP in MQTT 3.1', async () => {
    const client = await connected(server(), 'repeats', 3)
    client.sendBytes(packet(0x6a, uint16(9)), withHeader(0x8a, subscribeBytes(3, 'f')))
    await client.next('pubcomp')
    await client.next('suback')
    client.sendBytes(withHeader(0xaa, unsubscribeBytes(3, 'f')))
    await client.next('unsuback')
  })

  test.each(versions)('CONNECT has none (level %i)', async version => {
    for (const flags of [1, 2, 4, 8]) {
      const client = await rawMqtt(server().port, version)
      client.sendBytes(connectBytes({ version, header: 0x10 | flags, payload: [text('c')] }))
      expect(await endCode(client)).toBe(told(version, 0x81))
    }
  })

  test.each(versions)(
    'packets that only a server sends, or nobody, end the connection (level %i)',
    async version => {
      const serverSends = [
        bytes(0x20, 2, 0, 0),
        bytes(0x90, 3, 0, 1, 0),
        bytes(0xb0, 2, 0, 1),
        bytes(0xd0, 0)
      ]
      for (const whole of serverSends) expect(await endedBy(version, whole)).toBe(told(version, 0x82))
      expect(await endedBy(version, bytes(0x00, 0))).toBe(told(version, 0x81))
      expect(await endedBy(version, bytes(0xf0, 0))).toBe(told(version, 0x82))
    }
  )

  test.each(versions)(
    'a remaining length other than the contents’ ends the connection (level %i)',
    async version => {
      const none = noProperties(version)
      const malformed = [
        packet(0xc0, bytes(0)), // PINGREQ has no contents
        packet(0x30, bytes(0, 5), Buffer.from('abc')), // the topic name is cut short
        packet(0x32, text('t'), bytes(0)), // the packet id is
        packet(0x40, bytes(1)),
        packet(0x62, bytes()),
        packet(0x82, uint16(1), none, text('f')), // the options byte is missing
        packet(0x82, uint16(1), none, bytes(0, 9), Buffer.from('f')),
        packet(0xa2, uint16(1), none, bytes(0, 9), Buffer.from('f'))
      ]
      if (version < 5) malformed.push(packet(0x40, uint16(1), bytes(0)), packet(0xe0, bytes(0)))
      for (const whole of malformed) expect(await endedBy(version, whole)).toBe(told(version, 0x81))
    }
  )
})

describe.each(versions)('packet ids at protocol level %i', version => {
  test('[MQTT-2.2.1-3] [3.1.1: MQTT-2.3.1-1] a packet id of 0 ends the connection', async () => {
    const sent = [
      publishBytes({ version, topic: 't', qos: 1, packetId: 0 }),
      publishBytes({ version, topic: 't', qos: 2, packetId: 0 }),
      subscribeBytes(version, 'f', 0, 0),
      unsubscribeBytes(version, 'f', 0),
      packet(0x40, uint16(0)),
      packet(0x62, uint16(0))
    ]
    for (const whole of sent) expect(await endedBy(version, whole)).toBe(told(version, 0x82))
  })

  test('[MQTT-2.2.1-2] [3.1.1: MQTT-2.3.1-5] PUBLISH has no packet id at QoS 0, in either direction', async () => {
    const message = publishBytes({ version, topic: `none/${version}`, payload: 'ab' })
    const client = await subscribed(server(), {
      clientId: `none-${version}`,
      version,
      filter: `none/${version}`
    })
    client.sendBytes(message)
    await client.next('publish')
    expect(client.received.includes(message)).toBe(true)
  })

  test('[MQTT-2.2.1-4] [3.1.1: MQTT-2.3.1-4] what the server has in flight has packet ids of its own, none 0', async () => {
    const topic = `own/${version}`
    const client = await subscribed(server(), { clientId: `own-${version}`, version, filter: topic })
    const publisher = await connected(server(), `own-publisher-${version}`, 4)
    for (let id = 1; id <= 200; id++) publisher.send(publish(topic, '', { qos: 1 + (id % 2), messageId: id }))
    await eventually(() => client.all('publish').length === 200)
    const ids = client.all('publish').map(({ messageId }) => messageId ?? 0)
    expect(new Set(ids).size).toBe(200)
    expect(Math.min(...ids)).toBeGreaterThan(0)
  })

  test('[MQTT-2.2.1-5] [3.1.1: MQTT-2.3.1-6] acknowledgements have the packet id of what they acknowledge', async () => {
    const topic = `acknowledged/${version}`
    const client = await subscribed(server(), { clientId: topic, version, filter: topic })
    client.send(publish(topic, 'one', { qos: 1, messageId: 0x1234 }))
    expect((await client.next('puback')).messageId).toBe(0x1234)
    client.send(publish(topic, 'two', { qos: 2, messageId: 0xbeef }))
    expect((await client.next('pubrec')).messageId).toBe(0xbeef)
    client.send({ cmd: 'pubrel', messageId: 0xbeef })
    expect((await client.next('pubcomp')).messageId).toBe(0xbeef)
    await client.next('publish')
    const { messageId } = await client.next('publish')
    client.send({ cmd: 'pubrec', messageId })
    expect((await client.next('pubrel')).messageId).toBe(messageId)
  })

  test('[MQTT-2.2.1-6] [3.1.1: MQTT-2.3.1-7] SUBACK and UNSUBACK have the packet id of their request', async () => {
    const client = await connected(server(), `asks-${version}`, version)
    client.send({ ...subscribe('f', 0), messageId: 0xfffe })
    expect((await client.next('suback')).messageId).toBe(0xfffe)
    client.send({ cmd: 'unsubscribe', unsubscriptions: ['f'], messageId: 0xffff })
    expect((await client.next('unsuback')).messageId).toBe(0xffff)
  })

  test('the two directions have packet ids of their own', async () => {
    const topic = `both/${version}`
    const client = await subscribed(server(), { clientId: topic, version, filter: topic })
    client.send(publish(topic, 'first', { qos: 2, messageId: 1 }))
    const { messageId } = await client.next('publish')
    client.send(publish(topic, 'second', { qos: 2, messageId: 2 }), { cmd: 'pubrel', messageId: 1 })
    await client.next('pubcomp')
    client.send({ cmd: 'pubrec', messageId })
    expect((await client.next('pubrel')).messageId).toBe(messageId)
    expect((await client.next('publish')).messageId).not.toBe(messageId)
  })
})

describe('property length', () => {
  test('[MQTT-2.2.2-1] packets without properties have a property length of 0', async () => {
    const client = await connected(server(), 'lengths', 5)
    client.sendBytes(subscribeBytes(5, 'lengths', 1, 0x0102), unsubscribeBytes(5, 'other', 0x0103))
    await client.next('suback')
    await client.next('unsuback')
    expect(client.received.includes(bytes(0x90, 4, 1, 2, 0, 1))).toBe(true)
    expect(client.received.includes(bytes(0xb0, 4, 1, 3, 0, 0x11))).toBe(true)
    client.sendBytes(publishBytes({ version: 5, topic: 'lengths', payload: 'x' }))
    await client.next('publish')
    expect(client.received.includes(publishBytes({ version: 5, topic: 'lengths', payload: 'x' }))).toBe(true)
  })

  test('[MQTT-2.2.2-1] one that is missing, or goes beyond the packet, ends the connection', async () => {
    expect(await endedBy(5, packet(0x30, text('t')))).toBe(0x81)
    expect(await endedBy(5, packet(0x32, text('t'), uint16(1)))).toBe(0x81)
    expect(await endedBy(5, packet(0x30, text('t'), bytes(5, 0x01, 0)))).toBe(0x81)
    expect(await endedBy(5, packet(0x82, uint16(1), bytes(0x7f), text('f'), bytes(0)))).toBe(0x81)
  })

  test('acknowledgements may leave out reason code and property length', async () => {
    const client = await subscribed(server(), { clientId: 'short', version: 5, filter: 'short' })
    for (const parts of [[], [bytes(0)], [bytes(0), bytes(0)]]) {
      client.send(publish('short', 'x', { qos: 1, messageId: 1 }))
      const { messageId } = await client.next('publish')
      client.sendBytes(packet(0x40, uint16(messageId ?? 0), ...parts))
    }
    await settled(client)
  })

  test('a property of another packet, or twice one that stands once, ends the connection', async () => {
    const publishing = (...parts: number[]) => packet(0x30, text('t'), bytes(parts.length, ...parts))
    expect(await endedBy(5, publishing(0x11, 0, 0, 0, 1))).toBe(0x81) // session expiry interval
    expect(await endedBy(5, publishing(0x7e, 0))).toBe(0x81) // none at all
    expect(await endedBy(5, publishing(0x01, 0, 0x01, 0))).toBe(0x82)
    expect(await endedBy(5, publishing(0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1))).toBe(0x82)
    expect(await endedBy(5, publishing(0x01, 2))).toBe(0x82) // a payload format that is neither
  })
})
