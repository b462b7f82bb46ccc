// PUBACK, PUBREC, PUBREL and PUBCOMP byte by byte, in both directions (MQTT 5.0 and 3.1.1 sections 3.4 to 3.7).
import { describe, expect, test } from '@jest/globals'
import type { RawMqtt } from '../raw-mqtt.ts'
import { grants, names, published, refused } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, packet, uint16, userProperty, text, properties, versions, type Version } from './wire.ts'

const server = sharedServer({ access: [{ devices: ['*'], publish: ['open/#'], subscribe: ['#'] }] })
const name = names()

/** What came since the first `before` bytes. */
const since = (client: RawMqtt, before: number) => client.received.subarray(before)

/** A subscriber that was sent a message and has not answered; gives the packet id. */
async function subscriberWithMessage(version: Version, qos: 1 | 2) {
  const topic = `open/${name('t')}`
  const subscriber = await connected(server(), name('s'), version)
  await grants(subscriber, topic, { qos })
  const publisher = await connected(server(), name('p'), version)
  publisher.send(publish(topic, 'm', { qos, messageId: 1 }))
  const { messageId = 0 } = await subscriber.next('publish')
  return { subscriber, publisher, topic, messageId }
}

describe.each(versions)('acknowledgements, protocol level %i', version => {
  test('[MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.7.2-1] success is said by the short form, in every version', async () => {
    const client = await connected(server(), name('c'), version)
    const before = client.received.length
    client.send(publish('open/a', 'm', { qos: 1, messageId: 0x1234 }))
    await client.next('puback')
    client.send(publish('open/a', 'm', { qos: 2, messageId: 0x5678 }))
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 0x5678 })
    await client.next('pubcomp')
    expect(since(client, before).toString('hex')).toBe('40021234' + '50025678' + '70025678')
  })

  test('[MQTT-3.6.2-1] PUBREL to a subscriber has the packet id, flags 0010, and says success', async () => {
    const { subscriber, messageId } = await subscriberWithMessage(version, 2)
    const before = subscriber.received.length
    subscriber.sendBytes(packet(0x50, uint16(messageId)))
    await subscriber.next('pubrel')
    expect(since(subscriber, before)).toEqual(packet(0x62, uint16(messageId)))
  })

  test.each([0x60, 0x64, 0x66].concat(version > 3 ? [0x61, 0x63, 0x6a] : []))(
    '[MQTT-3.6.1-1] PUBREL with first byte %i ends the connection',
    async header => {
      const client = await connected(server(), name('c'), version)
      client.send(publish('open/a', 'm', { qos: 2, messageId: 1 }))
      await client.next('pubrec')
      client.sendBytes(packet(header, uint16(1)))
      await refused(client, version, 0x81)
      expect(client.all('pubcomp')).toEqual([])
    }
  )

  test.each([0x40, 0x50, 0x62, 0x70])(
    'an acknowledgement (first byte %i) of a packet id that is not in use is no reason to end the connection',
    async header => {
      const client = await connected(server(), name('c'), version)
      client.sendBytes(packet(header, uint16(999)))
      await settled(client)
    }
  )
})

describe('acknowledgements from MQTT 5 clients', () => {
  const forms: [string, Uint8Array[]][] = [
    ['without reason code', []],
    ['with a reason code', [bytes(0)]],
    ['with a reason code and no properties', [bytes(0, 0)]],
    [
      'with a reason string and user properties',
      [bytes(0), properties(bytes(0x1f), text('fine'), userProperty('a', '1'), userProperty('a', '2'))]
    ]
  ]

  test.each(forms)('PUBACK %s completes QoS 1', async (_form, parts) => {
    const { subscriber, messageId } = await subscriberWithMessage(5, 1)
    subscriber.sendBytes(packet(0x40, uint16(messageId), ...parts))
    await settled(subscriber)
    subscriber.sendBytes(packet(0x50, uint16(messageId)))
    expect((await subscriber.next('pubrel')).reasonCode).toBe(0x92) // it is not in flight any more
  })

  test.each(forms)('PUBREC and PUBCOMP %s complete QoS 2', async (_form, parts) => {
    const { subscriber, messageId } = await subscriberWithMessage(5, 2)
    subscriber.sendBytes(packet(0x50, uint16(messageId), ...parts))
    expect((await subscriber.next('pubrel')).reasonCode ?? 0).toBe(0)
    subscriber.sendBytes(packet(0x70, uint16(messageId), ...parts))
    subscriber.sendBytes(packet(0x50, uint16(messageId)))
    expect((await subscriber.next('pubrel')).reasonCode).toBe(0x92)
  })

  test.each(forms)('PUBREL %s completes QoS 2', async (_form, parts) => {
    const client = await connected(server(), name('c'), 5)
    client.send(publish('open/a', 'm', { qos: 2, messageId: 3 }))
    await client.next('pubrec')
    client.sendBytes(packet(0x62, uint16(3), ...parts))
    expect((await client.next('pubcomp')).reasonCode ?? 0).toBe(0)
  })

  test.each([
    ['PUBACK', 0x40, 0x92],
    ['PUBREC', 0x50, 0x01],
    ['PUBREL', 0x62, 0x80],
    ['PUBCOMP', 0x70, 0x10]
  ])(
    '[MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] %s (first byte %i) with reason code %i, which it does not have, ends the connection',
    async (_kind, header, code) => {
      const client = await connected(server(), name('c'), 5)
      client.sendBytes(packet(header, uint16(1), bytes(code)))
      await refused(client, 5, 0x82, 0x81)
    }
  )
})

describe('acknowledgements to MQTT 5 clients', () => {
  test('[MQTT-3.4.2-1] [MQTT-3.4.2-3] [MQTT-3.5.2-1] [MQTT-3.5.2-3] a refusal has a code of its packet, a reason, and no user properties', async () => {
    const client = await connected(server(), name('c'), 5)
    client.send(publish('closed', 'm', { qos: 1, messageId: 1 }))
    const puback = await client.next('puback')
    client.send(publish('closed', 'm', { qos: 2, messageId: 2 }))
    const pubrec = await client.next('pubrec')
    expect([puback, pubrec]).toMatchObject([
      { messageId: 1, reasonCode: 0x87 },
      { messageId: 2, reasonCode: 0x87 }
    ])
    expect(puback.properties?.reasonString).toBeTruthy()
    expect(pubrec.properties?.reasonString).toBeTruthy()
    expect([puback.properties?.userProperties, pubrec.properties?.userProperties]).toEqual([
      undefined,
      undefined
    ])
  })

  test('[MQTT-3.4.2-2] [MQTT-3.5.2-2] a reason that the client’s Maximum Packet Size has no room for is left out', async () => {
    const client = await connected(server(), name('c'), 5, { properties: { maximumPacketSize: 24 } })
    client.send(publish('closed', 'm', { qos: 1, messageId: 1 }))
    const puback = await client.next('puback')
    client.send(publish('closed', 'm', { qos: 2, messageId: 2 }))
    const pubrec = await client.next('pubrec')
    expect([puback.reasonCode, pubrec.reasonCode]).toEqual([0x87, 0x87])
    expect([puback.properties?.reasonString, pubrec.properties?.reasonString]).toEqual([undefined, undefined])
  })

  test('[MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] PUBREL and PUBCOMP never have properties, whatever they say', async () => {
    const client = await connected(server(), name('c'), 5, { properties: { maximumPacketSize: 8 } })
    const before = client.received.length
    client.sendBytes(packet(0x50, uint16(7)), packet(0x62, uint16(8)))
    expect((await client.next('pubrel')).reasonCode).toBe(0x92)
    expect((await client.next('pubcomp')).reasonCode).toBe(0x92)
    const came = since(client, before)
    const [pubrel, pubcomp] = [came.subarray(0, 2 + (came[1] ?? 0)), came.subarray(2 + (came[1] ?? 0))]
    expect([pubrel[0], pubcomp[0]]).toEqual([0x62, 0x70])
    for (const answer of [pubrel, pubcomp]) expect(answer.length).toBeLessThanOrEqual(6)
  })

  test('a client that acknowledged one message with an error is sent the next', async () => {
    const { subscriber, publisher, topic, messageId } = await subscriberWithMessage(5, 1)
    subscriber.sendBytes(packet(0x40, uint16(messageId), bytes(0x83)))
    await published(publisher, topic, 'next')
    expect((await subscriber.next('publish')).payload.toString()).toBe('next')
  })
})
