// SUBSCRIBE and SUBACK (MQTT 5.0 and 3.1.1 sections 3.8 and 3.9).
import { describe, expect, test } from '@jest/globals'
import { grants, heard, names, published, refused } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, noProperties, packet, properties, text, uint16, variableInteger, versions } from './wire.ts'

const server = sharedServer({
  access: [{ devices: ['*'], publish: ['#'], subscribe: ['open/#', 'marker/#'] }],
  settings: { subscriptionsMax: 5 }
})
const name = names()
const topicName = () => `open/${name('t')}`
const client = (version: 3 | 4 | 5, more: object = {}) => connected(server(), name('c'), version, more)

describe.each(versions)('SUBSCRIBE, protocol level %i', version => {
  test.each([0x80, 0x84, 0x86].concat(version > 3 ? [0x81, 0x83, 0x8a] : []))(
    '[MQTT-3.8.1-1] first byte %i in place of 0x82 ends the connection',
    async header => {
      const subscriber = await client(version)
      subscriber.sendBytes(packet(header, uint16(1), noProperties(version), text('open/a'), bytes(0)))
      await refused(subscriber, version, 0x81)
      expect(subscriber.all('suback')).toEqual([])
    }
  )

  test.each([
    ['bytes that are not UTF-8', Buffer.from('6f70656e2fff', 'hex')],
    ['a surrogate', Buffer.from('6f70656e2feda080', 'hex')],
    ['NUL', Buffer.from('open/\0')]
  ])('[MQTT-3.8.3-1] a topic filter with %s ends the connection', async (_what, filter) => {
    const subscriber = await client(version)
    subscriber.sendBytes(packet(0x82, uint16(1), noProperties(version), text(filter), bytes(0)))
    await refused(subscriber, version, 0x81, 0x8f)
  })

  test('[MQTT-3.8.3-2] [MQTT-3.8.3-3] without a topic filter it ends the connection', async () => {
    const subscriber = await client(version)
    subscriber.sendBytes(packet(0x82, uint16(1), noProperties(version)))
    await refused(subscriber, version, 0x82, 0x81)
  })

  test.each([0x03, 0x07, 0x40, 0x80, 0xc1].concat(version < 5 ? [0x04, 0x08, 0x10, 0x20] : []))(
    '[MQTT-3.8.3-4] [MQTT-3.8.3-5] options %i, QoS 3 or a reserved bit, end the connection',
    async options => {
      const subscriber = await client(version)
      subscriber.sendBytes(
        packet(
          0x82,
          uint16(1),
          noProperties(version),
          text('open/a'),
          bytes(0),
          text('open/b'),
          bytes(options)
        )
      )
      await refused(subscriber, version, 0x81, 0x82)
      expect(subscriber.all('suback')).toEqual([])
    }
  )

  test.each([1, 0x0102, 65_535])(
    '[MQTT-3.8.4-1] [MQTT-3.8.4-2] SUBACK has the packet id %i of its SUBSCRIBE',
    async packetId => {
      const subscriber = await client(version)
      const before = subscriber.received.length
      subscriber.sendBytes(packet(0x82, uint16(packetId), noProperties(version), text('open/a'), bytes(1)))
      await subscriber.next('suback')
      expect(subscriber.received.subarray(before)).toEqual(
        packet(0x90, uint16(packetId), noProperties(version), bytes(1))
      )
    }
  )

  test('[MQTT-3.8.3-2] filters with wildcards are taken', async () => {
    const subscriber = await client(version)
    const topic = topicName()
    expect(await grants(subscriber, [`${topic}/+`, `${topic}/#`], { qos: 1 })).toEqual([1, 1])
    await published(subscriber, `${topic}/x`, 'm')
    expect((await subscriber.next('publish')).topic).toBe(`${topic}/x`)
  })

  test('[MQTT-3.8.4-4] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] many filters get one SUBACK, with a code for each, in their order', async () => {
    const subscriber = await client(version)
    const topic = topicName()
    subscriber.send({
      cmd: 'subscribe',
      messageId: 77,
      subscriptions: [
        { topic: `${topic}/0`, qos: 0 },
        { topic: 'closed/x', qos: 2 },
        { topic: `${topic}/2`, qos: 2 },
        { topic: `${topic}/1`, qos: 1 },
        { topic: 'closed/y', qos: 0 },
        { topic: `${topic}/0`, qos: 2 }
      ]
    })
    const { messageId, granted } = await subscriber.next('suback')
    const failure = version === 5 ? 0x87 : 0x80
    expect([messageId, granted]).toEqual([77, [0, failure, 2, 1, failure, 2]])
    await settled(subscriber)
    expect(subscriber.all('suback')).toHaveLength(1)
    for (const level of [0, 1, 2]) await published(subscriber, `${topic}/${level}`, String(level))
    await published(subscriber, 'closed/x', 'never')
    expect(await heard(server(), subscriber)).toEqual(['0', '1', '2'])
    expect(
      subscriber
        .all('publish')
        .map(({ qos }) => qos)
        .slice(0, 3)
    ).toEqual([1, 1, 1])
  })

  test('[MQTT-3.8.4-7] [MQTT-3.9.3-2] beyond the limit a subscription fails, and the others are kept', async () => {
    const subscriber = await client(version)
    const filters = Array.from({ length: 7 }, (_, index) => `open/${index}`)
    const failure = version === 5 ? 0x97 : 0x80
    expect(await grants(subscriber, filters, { qos: 1 })).toEqual([1, 1, 1, 1, 1, failure, failure])
    expect(await grants(subscriber, 'open/0', { qos: 2 })).toEqual([2])
  })

  test('[MQTT-3.8.4-3] the same filter again replaces the subscription: one copy, at its new QoS', async () => {
    const subscriber = await client(version)
    const topic = topicName()
    for (const qos of [2, 0, 1]) {
      expect(await grants(subscriber, topic, { qos })).toEqual([qos])
      subscriber.send(publish(topic, `at ${qos}`, { qos: 2, messageId: 5 }))
      await subscriber.next('pubrec')
      subscriber.send({ cmd: 'pubrel', messageId: 5 })
      await subscriber.next('pubcomp')
      expect((await subscriber.next('publish')).qos).toBe(qos)
    }
    expect(await heard(server(), subscriber)).toEqual(['at 2', 'at 0', 'at 1'])
  })

  test('[MQTT-3.8.4-3] [MQTT-3.8.4-4] replacing a subscription sends retained messages again and loses nothing', async () => {
    const subscriber = await client(version)
    const publisher = await client(version)
    const topic = topicName()
    await published(publisher, topic, 'kept', { retain: true })
    await grants(subscriber, topic, { qos: 1 })
    const count = 60
    const stream = Array.from({ length: count }, (_, index) =>
      publish(topic, String(index), { qos: 1, messageId: index + 1 })
    )
    for (let at = 0; at < count; at += 6) {
      publisher.send(...stream.slice(at, at + 6))
      await grants(subscriber, topic, { qos: 1 })
      subscriber.send(...subscriber.all('publish').map(({ messageId }) => ({ cmd: 'puback', messageId })))
    }
    const all = await heard(server(), subscriber)
    expect(all.filter(payload => payload !== 'kept')).toEqual(stream.map((_, index) => String(index)))
    expect(all.filter(payload => payload === 'kept')).toHaveLength(1 + count / 6)
    const retained = subscriber.all('publish').filter(({ retain }) => retain)
    expect(retained.every(({ payload }) => payload.toString() === 'kept')).toBe(true)
  })

  test.each([0, 1, 2])(
    '[MQTT-3.8.4-6] [MQTT-3.8.4-8] a subscription at QoS %i gets each message at the lower of the two QoS',
    async granted => {
      const subscriber = await client(version)
      const publisher = await client(version)
      const topic = topicName()
      await grants(subscriber, topic, { qos: granted })
      for (const qos of [0, 1, 2])
        publisher.send(publish(topic, `at ${qos}`, { qos, ...(qos > 0 && { messageId: qos }) }))
      expect(await heard(server(), subscriber)).toEqual(['at 0', 'at 1', 'at 2'])
      const got = subscriber.all('publish').slice(0, 3)
      expect(got.map(({ qos }) => qos)).toEqual([0, 1, 2].map(qos => Math.min(qos, granted)))
    }
  )
})

describe('subscription options and identifiers of MQTT 5', () => {
  test('[MQTT-3.8.3-3] with No Local a client does not get what it published, and others do', async () => {
    const [own, other] = [await client(5), await client(5)]
    const topic = topicName()
    await grants(own, topic, { qos: 1, nl: true })
    await grants(other, topic, { qos: 1, nl: true })
    await published(own, topic, 'mine')
    await published(other, topic, 'theirs')
    expect(await heard(server(), own)).toEqual(['theirs'])
    expect(await heard(server(), other)).toEqual(['mine'])
  })

  test('[MQTT-3.8.3-3] No Local is a subscription’s own: another one that matches brings the message', async () => {
    const own = await client(5)
    const topic = topicName()
    await grants(own, topic, { qos: 2, nl: true, properties: { subscriptionIdentifier: 1 } })
    await grants(own, `${topic}/#`, { qos: 1, properties: { subscriptionIdentifier: 2 } })
    await published(own, topic, 'mine')
    const got = await own.next('publish')
    expect([got.qos, got.properties?.subscriptionIdentifier]).toEqual([1, 2])
    expect(await heard(server(), own)).toEqual(['mine'])
  })

  test('[MQTT-3.8.3-4] No Local on a shared subscription ends the connection', async () => {
    const subscriber = await client(5)
    subscriber.sendBytes(packet(0x82, uint16(1), bytes(0), text('$share/g/open/a'), bytes(0x04)))
    await refused(subscriber, 5, 0x82)
  })

  test('[MQTT-3.8.3-5] Retain Handling 3 ends the connection', async () => {
    const subscriber = await client(5)
    subscriber.sendBytes(packet(0x82, uint16(1), bytes(0), text('open/a'), bytes(0x30)))
    await refused(subscriber, 5, 0x82)
  })

  test.each([
    ['0 always', 0, ['kept', 'kept']],
    ['1 for a new subscription only', 1, ['kept']],
    ['2 never', 2, []]
  ])('[MQTT-3.8.4-4] retained messages are sent at Retain Handling %s', async (_when, rh, expected) => {
    const subscriber = await client(5)
    const topic = topicName()
    await published(subscriber, topic, 'kept', { retain: true })
    await grants(subscriber, topic, { rh })
    await grants(subscriber, topic, { rh })
    expect(await heard(server(), subscriber)).toEqual(expected)
    subscriber.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [topic] })
    await subscriber.next('unsuback')
    await grants(subscriber, topic, { rh })
    expect(await heard(server(), subscriber)).toEqual([...expected, ...(rh < 2 ? ['kept'] : [])])
  })

  test('[MQTT-3.8.4-3] replacing a subscription replaces identifier, No Local and Retain As Published too', async () => {
    const subscriber = await client(5)
    const topic = topicName()
    const seen = async () => {
      await published(subscriber, topic, 'm', { retain: true })
      const { retain, properties: got } = await subscriber.next('publish')
      return [retain, got?.subscriptionIdentifier]
    }
    await grants(subscriber, topic, { rh: 2, rap: true, properties: { subscriptionIdentifier: 268_435_455 } })
    expect(await seen()).toEqual([true, 268_435_455])
    await grants(subscriber, topic, { rh: 2, properties: { subscriptionIdentifier: 7 } })
    expect(await seen()).toEqual([false, 7])
    await grants(subscriber, topic, { rh: 2, rap: true })
    expect(await seen()).toEqual([true, undefined])
    await grants(subscriber, topic, { rh: 2, nl: true })
    await published(subscriber, topic, 'unheard')
    expect(await heard(server(), subscriber)).toEqual(['m', 'm', 'm'])
  })

  test('a subscription identifier of 0, and two of them, end the connection', async () => {
    for (const list of [[0], [1, 2]]) {
      const subscriber = await client(5)
      const identifiers = list.map(value => Buffer.concat([bytes(0x0b), variableInteger(value)]))
      subscriber.sendBytes(packet(0x82, uint16(1), properties(...identifiers), text('open/a'), bytes(0)))
      await refused(subscriber, 5, 0x82)
    }
  })

  test('[MQTT-3.9.2-1] [MQTT-3.9.2-2] SUBACK has no properties, so it fits into any Maximum Packet Size', async () => {
    const subscriber = await client(5, { properties: { maximumPacketSize: 8 } })
    const before = subscriber.received.length
    expect(await grants(subscriber, ['closed/x', 'open/x'])).toEqual([0x87, 0])
    expect(subscriber.received.subarray(before)).toEqual(packet(0x90, uint16(1234), bytes(0), bytes(0x87, 0)))
  })
})
