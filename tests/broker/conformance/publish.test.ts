// Section 3.3: PUBLISH, its flags, its topic and what answers it.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import {
  connected,
  endCode,
  publish,
  receivedUntilNow,
  settled,
  sharedServer,
  subscribe,
  subscribed,
  told
} from './suite.ts'
import { bytes, packet, publishBytes, text, uint16, versions, type Version } from './wire.ts'

const server = sharedServer({
  settings: { receiveMax: 20, topicLevelsMax: 10 },
  access: [{ devices: ['*'], publish: ['open/#', '/#', '+/+/+', '+/+', '+'], subscribe: ['#'] }]
})

const durable = (version: Version) => ({
  clean: false,
  ...(version === 5 && { properties: { sessionExpiryInterval: 60 } })
})

async function endedBy(version: Version, sent: Buffer): Promise<number | null> {
  const client = await connected(server(), 'sender', version)
  client.sendBytes(sent)
  return endCode(client)
}

describe.each(versions)('PUBLISH at protocol level %i', version => {
  test('[MQTT-3.3.1-1] has DUP when it is sent again, and only then', async () => {
    const topic = `open/dup/${version}`
    const first = await subscribed(server(), { clientId: topic, version, filter: topic }, durable(version))
    const publisher = await connected(server(), `publisher-${version}`, 4)
    publisher.send(
      publish(topic, 'one', { qos: 1, messageId: 1 }),
      publish(topic, 'two', { qos: 2, messageId: 2 })
    )
    const sent = [await first.next('publish'), await first.next('publish')]
    first.socket.resetAndDestroy()
    const second = await connected(server(), topic, version, durable(version))
    const again = [await second.next('publish'), await second.next('publish')]
    expect(sent.map(({ dup }) => dup)).toEqual([false, false])
    expect(again.map(({ dup }) => dup)).toEqual([true, true])
    expect(again.map(({ messageId }) => messageId)).toEqual(sent.map(({ messageId }) => messageId))
  })

  test('[MQTT-3.3.1-2] DUP at QoS 0 ends the connection', async () => {
    const sent = publishBytes({ version, topic: 't', dup: true })
    expect([told(version, 0x81), told(version, 0x82)]).toContain(await endedBy(version, sent))
  })

  test('[MQTT-3.3.1-3] DUP of the publisher is not passed on', async () => {
    const topic = `open/duplicate/${version}`
    const client = await subscribed(server(), { clientId: topic, version, filter: topic })
    client.send(publish(topic, 'x', { qos: 1, messageId: 1, dup: true }))
    expect(await client.next('publish')).toMatchObject({ dup: false, qos: 1 })
    client.send(publish(topic, 'y', { qos: 2, messageId: 2, dup: true }))
    expect(await client.next('publish')).toMatchObject({ dup: false, qos: 2 })
  })

  test('[MQTT-3.3.1-4] QoS 3 ends the connection', async () => {
    for (const header of [0x36, 0x37, 0x3e, 0x3f]) {
      const sent = publishBytes({ version, topic: 't', packetId: 1 })
      expect(await endedBy(version, Buffer.concat([bytes(header), sent.subarray(1)]))).toBe(
        told(version, 0x81)
      )
    }
  })

  test('[MQTT-3.3.2-1] a topic name that is not UTF-8, or not there, ends the connection', async () => {
    expect(await endedBy(version, publishBytes({ version, topic: bytes(0xff) }))).toBe(told(version, 0x81))
    expect(await endedBy(version, packet(0x30))).toBe(told(version, 0x81))
    expect([null, 0x82, 0x90]).toContain(await endedBy(version, publishBytes({ version, topic: '' })))
  })

  test('[MQTT-3.3.2-2] [MQTT-4.7.0-1] a wildcard in a topic name ends the connection', async () => {
    for (const topic of ['#', '+', 'a/#', 'a/+/b', 'a+', 'a#b']) {
      expect(await endedBy(version, publishBytes({ version, topic }))).toBe(told(version, 0x90))
    }
  })

  test('[MQTT-3.3.2-3] comes by the topic it was published to, which a subscription matches', async () => {
    const topics = ['open/a', 'open/', '/', '/open', 'open/a b', 'open/é', 'OPEN', 'open//x']
    const client = await connected(server(), `topics-${version}`, version)
    client.send(subscribe('open/#', 0), subscribe('/#', 0), subscribe('OPEN', 0))
    for (let count = 0; count < 3; count++) await client.next('suback')
    client.send(
      ...topics.map(topic => publish(topic, topic)),
      publish('Open', 'not matched'),
      publish('/end', '/end')
    )
    await eventually(() => client.all('publish').at(-1)?.topic === '/end')
    expect(client.all('publish').map(({ topic }) => topic)).toEqual([...topics, '/end'])
  })

  test('[MQTT-3.3.4-1] is answered as its QoS demands', async () => {
    const client = await connected(server(), `answered-${version}`, version)
    client.send(publish('open', 'x'))
    await settled(client)
    expect(client.packets.map(({ cmd }) => cmd)).toEqual(['connack', 'pingresp'])
    client.send(
      publish('open', 'x', { qos: 1, messageId: 5 }),
      publish('open', 'x', { qos: 2, messageId: 6 })
    )
    expect((await client.next('puback')).messageId).toBe(5)
    expect((await client.next('pubrec')).messageId).toBe(6)
  })

  test('[MQTT-3.3.4-2] [3.1.1: MQTT-3.3.5-1] overlapping subscriptions give the highest QoS of those that match', async () => {
    const topic = `open/over/${version}`
    const client = await connected(server(), topic, version)
    client.send(subscribe('open/over/#', 0), subscribe(topic, 2), subscribe('open/+/+', 1))
    for (let count = 0; count < 3; count++) await client.next('suback')
    client.send(publish(topic, 'x', { qos: 2, messageId: 1 }), publish(topic, 'y', { qos: 1, messageId: 2 }))
    expect((await client.next('publish')).qos).toBe(2)
    expect((await client.next('publish')).qos).toBe(1)
    expect(await receivedUntilNow(server(), client, topic)).toEqual(['x', 'y'])
  })

  test('a payload of no bytes, and one of many, come as they are', async () => {
    const topic = `open/sizes/${version}`
    const client = await subscribed(server(), { clientId: topic, version, filter: topic })
    const payloads = ['', 'x', 'é\u0000\u{1f321}', 'x'.repeat(200_000)]
    client.send(
      ...payloads.map((payload, index) => publish(topic, payload, { qos: 1, messageId: index + 1 }))
    )
    await eventually(() => client.all('publish').length === payloads.length)
    expect(client.all('publish').map(({ payload }) => payload.toString())).toEqual(payloads)
  })
})

describe('a PUBLISH that is not allowed', () => {
  test.each([3, 4] as const)('[3.1.1: MQTT-3.3.5-2] ends the connection (level %i)', async version => {
    for (const qos of [0, 1, 2]) {
      const client = await connected(server(), `forbidden-${version}`, version)
      client.send(publish('no/such/right/here', 'x', { qos, messageId: 1 }))
      await client.end()
      expect(client.packets.map(({ cmd }) => cmd)).toEqual(['connack'])
    }
  })

  test('is told in PUBACK and PUBREC of MQTT 5, and the connection goes on', async () => {
    const client = await connected(server(), 'forbidden-5', 5)
    const forbidden = [0, 1, 2].map(qos => publish('no/such/right/here', 'x', { qos, messageId: qos }))
    client.send(...forbidden)
    expect((await client.next('puback')).reasonCode).toBe(0x87)
    expect((await client.next('pubrec')).reasonCode).toBe(0x87)
    client.send(publish('open', 'x', { qos: 2, messageId: 2 }))
    expect((await client.next('pubrec')).reasonCode ?? 0).toBe(0)
  })
})

describe('flow control of MQTT 5', () => {
  test('[MQTT-3.3.4-7] more than the server’s receive maximum of QoS 2 ends the connection', async () => {
    const client = await connected(server(), 'too-many', 5)
    for (let id = 1; id <= 20; id++) client.send(publish('open', 'x', { qos: 2, messageId: id }))
    await eventually(() => client.all('pubrec').length === 20)
    client.send({ cmd: 'pubrel', messageId: 1 })
    await client.next('pubcomp')
    client.send(publish('open', 'x', { qos: 2, messageId: 21 }))
    await eventually(() => client.all('pubrec').length === 21)
    client.send(publish('open', 'x', { qos: 2, messageId: 22 }))
    expect(await endCode(client)).toBe(0x93)
  })

  test('[MQTT-3.3.4-9] [MQTT-3.3.4-10] the client’s receive maximum holds back PUBLISH alone', async () => {
    const limits = { properties: { receiveMaximum: 2 } }
    const client = await subscribed(server(), { clientId: 'few', version: 5, filter: 'open/few' }, limits)
    const publisher = await connected(server(), 'few-publisher', 5)
    for (let id = 1; id <= 6; id++)
      publisher.send(publish('open/few', String(id), { qos: 1 + (id % 2), messageId: id }))
    await eventually(() => publisher.all('puback').length + publisher.all('pubrec').length === 6)
    const [two, one] = [await client.next('publish'), await client.next('publish')]
    expect([two.qos, one.qos]).toEqual([2, 1])
    client.send({ cmd: 'pubrec', messageId: two.messageId }, subscribe('open/other', 0))
    await client.next('pubrel')
    await client.next('suback')
    client.send(publish('open/elsewhere', 'x', { qos: 1, messageId: 1 }))
    await client.next('puback')
    expect(client.all('publish')).toHaveLength(2) // PUBREC is not yet the end of a message
    client.send({ cmd: 'pubcomp', messageId: two.messageId })
    expect((await client.next('publish')).payload.toString()).toBe('3')
    client.sendBytes(packet(0x40, uint16(one.messageId ?? 0), bytes(0x80)))
    const four = await client.next('publish')
    expect(four.payload.toString()).toBe('4')
    await settled(client)
    expect(client.all('publish')).toHaveLength(4)
    client.sendBytes(packet(0x50, uint16(client.all('publish')[2]?.messageId ?? 0), bytes(0x97)))
    expect((await client.next('publish')).payload.toString()).toBe('5')
  })

  test('[MQTT-3.3.4-8] acknowledgements are taken while a client may publish no more', async () => {
    const client = await subscribed(server(), { clientId: 'busy', version: 5, filter: 'open/busy' })
    for (let id = 1; id <= 20; id++) client.send(publish('open/busy', 'x', { qos: 2, messageId: id }))
    await eventually(() => client.all('pubrec').length === 20)
    await settled(client)
    client.send(subscribe('open/x', 0), publish('open/busy', 'zero'))
    await client.next('suback')
    await eventually(() => client.all('publish').some(({ payload }) => payload.toString() === 'zero'))
  })

  test('[MQTT-3.3.4-6] a subscription identifier from a client ends the connection', async () => {
    const withIdentifier = packet(0x30, text('open'), bytes(2, 0x0b, 1))
    expect(await endedBy(5, withIdentifier)).toBe(0x82)
  })

  test('[MQTT-3.3.4-3] [MQTT-3.3.4-4] one copy has the identifiers of all subscriptions that match', async () => {
    const client = await connected(server(), 'identified', 5)
    const identified = (filter: string, subscriptionIdentifier: number) => ({
      ...subscribe(filter, 1),
      properties: { subscriptionIdentifier }
    })
    client.send(
      identified('open/id/+', 1),
      identified('open/id/a', 268_435_455),
      identified('open/other', 3),
      subscribe('open/#', 2)
    )
    for (let count = 0; count < 4; count++) await client.next('suback')
    client.send(publish('open/id/a', 'x', { qos: 2, messageId: 1 }), publish('open/none', 'y'))
    const first = await client.next('publish')
    expect(first.qos).toBe(2)
    expect([first.properties?.subscriptionIdentifier].flat().toSorted()).toEqual([1, 268_435_455])
    const second = await client.next('publish')
    expect([second.payload.toString(), second.properties?.subscriptionIdentifier]).toEqual(['y', undefined])
  })
})
