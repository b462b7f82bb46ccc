// UNSUBSCRIBE, UNSUBACK, PINGREQ and PINGRESP (MQTT 5.0 and 3.1.1 sections 3.10 to 3.13).
import { describe, expect, test } from '@jest/globals'
import type { RawMqtt } from '../raw-mqtt.ts'
import { durable, grants, heard, lost, names, published, refused } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, noProperties, packet, text, uint16, versions } from './wire.ts'

const server = sharedServer()
const name = names()
const client = (version: 3 | 4 | 5, more: object = {}) => connected(server(), name('c'), version, more)

async function unsubscribed(subscriber: RawMqtt, unsubscriptions: string[]): Promise<unknown> {
  subscriber.send({ cmd: 'unsubscribe', messageId: 99, unsubscriptions })
  const { messageId, granted } = await subscriber.next('unsuback')
  expect(messageId).toBe(99)
  return granted
}

describe.each(versions)('UNSUBSCRIBE, protocol level %i', version => {
  // UNSUBACK of the older versions has no codes.
  const codes = (...expected: number[]) => (version === 5 ? expected : undefined)

  test.each([0xa0, 0xa4, 0xa6].concat(version > 3 ? [0xa1, 0xa3, 0xaa] : []))(
    '[MQTT-3.10.1-1] first byte %i in place of 0xa2 ends the connection',
    async header => {
      const subscriber = await client(version)
      subscriber.sendBytes(packet(header, uint16(1), noProperties(version), text('a')))
      await refused(subscriber, version, 0x81)
      expect(subscriber.all('unsuback')).toEqual([])
    }
  )

  test.each([
    ['bytes that are not UTF-8', Buffer.from('61fe', 'hex')],
    ['NUL', Buffer.from('a\0')]
  ])('[MQTT-3.10.3-1] a topic filter with %s ends the connection', async (_what, filter) => {
    const subscriber = await client(version)
    subscriber.sendBytes(packet(0xa2, uint16(1), noProperties(version), text('a'), text(filter)))
    await refused(subscriber, version, 0x81, 0x8f)
  })

  test('[MQTT-3.10.3-2] without a topic filter it ends the connection', async () => {
    const subscriber = await client(version)
    subscriber.sendBytes(packet(0xa2, uint16(1), noProperties(version)))
    await refused(subscriber, version, 0x82, 0x81)
  })

  test('[MQTT-3.10.4-1] only the very same filter is removed, wildcards or not', async () => {
    const subscriber = await client(version)
    const base = name('exact')
    const kept = [`${base}/a`, `${base}/+`, `${base}/#`]
    await grants(subscriber, [...kept, `${base}/gone`, `${base}/é`], { qos: 1 })
    const others = [`${base}/A`, `${base}/a/`, `+/a`, '#', `${base}/e\u0301`, `${base}`]
    expect(await unsubscribed(subscriber, others)).toEqual(codes(...others.map(() => 0x11)))
    expect(await unsubscribed(subscriber, [`${base}/gone`, `${base}/é`])).toEqual(codes(0, 0))
    for (const filter of kept) {
      await published(subscriber, `${base}/a`, filter)
      await subscriber.next('publish')
      expect(await unsubscribed(subscriber, [filter])).toEqual(codes(0))
    }
    await published(subscriber, `${base}/a`, 'unheard')
    await published(subscriber, `${base}/gone`, 'unheard')
    expect(await heard(server(), subscriber)).toEqual(kept.slice(0, 3))
  })

  test('[MQTT-3.10.4-2] after UNSUBACK nothing that is published arrives', async () => {
    const subscriber = await client(version)
    const topic = name('t')
    await grants(subscriber, topic, { qos: 2 })
    await published(subscriber, topic, 'before')
    await unsubscribed(subscriber, [topic])
    for (const qos of [0, 1, 2])
      subscriber.send(publish(topic, 'after', { qos, ...(qos > 0 && { messageId: qos }) }))
    expect(await heard(server(), subscriber)).toEqual(['before'])
  })

  test('[MQTT-3.10.4-3] what was in flight is completed, also over a reconnection', async () => {
    const clientId = name('c')
    const first = await connected(server(), clientId, version, durable(version))
    const topic = name('t')
    await grants(first, topic, { qos: 2 })
    const publisher = await client(version)
    publisher.send(
      publish(topic, 'one', { qos: 1, messageId: 1 }),
      publish(topic, 'two', { qos: 2, messageId: 2 })
    )
    const one = await first.next('publish')
    const two = await first.next('publish')
    await unsubscribed(first, [topic])
    first.send({ cmd: 'pubrec', messageId: two.messageId })
    expect((await first.next('pubrel')).messageId).toBe(two.messageId)
    await lost(first)
    const second = await connected(server(), clientId, version, durable(version))
    const again = await second.next('publish')
    expect([again.payload.toString(), again.messageId, again.dup]).toEqual(['one', one.messageId, true])
    expect((await second.next('pubrel')).messageId).toBe(two.messageId)
  })

  test.each([1, 0x0201, 65_535])(
    '[MQTT-3.10.4-4] [MQTT-3.10.4-5] UNSUBACK has the packet id %i of its UNSUBSCRIBE, also when nothing is deleted',
    async packetId => {
      const subscriber = await client(version)
      const before = subscriber.received.length
      subscriber.sendBytes(packet(0xa2, uint16(packetId), noProperties(version), text(name('never'))))
      await subscriber.next('unsuback')
      const payload = version === 5 ? bytes(0x11) : Buffer.alloc(0)
      expect(subscriber.received.subarray(before)).toEqual(
        packet(0xb0, uint16(packetId), noProperties(version), payload)
      )
    }
  )

  test('[MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] many filters get one UNSUBACK, with codes in their order', async () => {
    const subscriber = await client(version)
    const [a, b, c] = [name('a'), name('b'), name('c')]
    await grants(subscriber, [a, b, c], { qos: 1 })
    expect(await unsubscribed(subscriber, [c, 'never', a, a])).toEqual(codes(0, 0x11, 0, 0x11))
    await settled(subscriber)
    expect(subscriber.all('unsuback')).toHaveLength(1)
    for (const topic of [a, b, c]) await published(subscriber, topic, topic)
    expect(await heard(server(), subscriber)).toEqual([b])
  })

  test('a removed subscription stays removed when the session is resumed', async () => {
    const clientId = name('c')
    const topic = name('t')
    const first = await connected(server(), clientId, version, durable(version))
    await grants(first, [topic, `${topic}/kept`], { qos: 1 })
    await unsubscribed(first, [topic])
    await lost(first)
    const second = await connected(server(), clientId, version, durable(version))
    await published(second, topic, 'unheard')
    await published(second, `${topic}/kept`, 'heard')
    expect(await heard(server(), second)).toEqual(['heard'])
  })
})

test('[MQTT-3.11.2-1] [MQTT-3.11.2-2] UNSUBACK has no properties, so it fits into any Maximum Packet Size', async () => {
  const subscriber = await client(5, { properties: { maximumPacketSize: 8 } })
  const before = subscriber.received.length
  await unsubscribed(subscriber, ['never', 'ever'])
  expect(subscriber.received.subarray(before)).toEqual(packet(0xb0, uint16(99), bytes(0), bytes(0x11, 0x11)))
})

describe.each(versions)('PINGREQ, protocol level %i', version => {
  test('[MQTT-3.12.4-1] each is answered by PINGRESP', async () => {
    const pinger = await client(version)
    const before = pinger.received.length
    pinger.sendBytes(bytes(0xc0, 0))
    await pinger.next('pingresp')
    pinger.sendBytes(bytes(0xc0, 0, 0xc0, 0), bytes(0xc0, 0))
    for (let index = 0; index < 3; index++) await pinger.next('pingresp')
    expect(pinger.received.subarray(before)).toEqual(Buffer.from('d000d000d000d000', 'hex'))
  })

  test.each([
    ['a flag', [0xc1, 0]],
    ['contents', [0xc0, 1, 0]]
  ])('with %s it is malformed and ends the connection', async (_what, ping) => {
    const pinger = await client(version)
    pinger.sendBytes(bytes(...ping))
    await refused(pinger, version, 0x81)
    expect(pinger.all('pingresp')).toEqual([])
  })
})
