// The QoS flows of what the server receives (MQTT 5.0 and 3.1.1 section 4.3).
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { durable, grants, heard, lost, names } from './conversation.ts'
import { connected, publish, sharedServer } from './suite.ts'
import { versions, type Version } from './wire.ts'

const server = sharedServer({ access: [{ devices: ['*'], publish: ['open/#'], subscribe: ['#'] }] })
const name = names()
const topicName = () => `open/${name('t')}`
const client = (version: Version, more: object = {}) => connected(server(), name('c'), version, more)

describe.each(versions)('what the server receives, protocol level %i', version => {
  const listener = async (topic: string) => {
    const listening = await client(version)
    await grants(listening, topic, { qos: 2 })
    return listening
  }

  test('[MQTT-4.3.2-2] [MQTT-4.3.2-4] [MQTT-4.3.2-5] after PUBACK the packet id is that of a new message, DUP or not', async () => {
    const topic = topicName()
    const listening = await listener(topic)
    const publisher = await client(version)
    for (const [payload, dup] of [
      ['one', false],
      ['two', true],
      ['three', true]
    ] as const) {
      publisher.send(publish(topic, payload, { qos: 1, messageId: 9, dup }))
      expect((await publisher.next('puback')).messageId).toBe(9)
    }
    expect(await heard(server(), listening)).toEqual(['one', 'two', 'three'])
  })

  test('[MQTT-4.3.3-2] [MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12] QoS 2: repeated until PUBREL it is one message, afterwards a new one', async () => {
    const topic = topicName()
    const listening = await listener(topic)
    const publisher = await client(version)
    const send = async (payload: string, dup: boolean) => {
      publisher.send(publish(topic, payload, { qos: 2, messageId: 9, dup }))
      expect((await publisher.next('pubrec')).messageId).toBe(9)
    }
    const release = async () => {
      publisher.send({ cmd: 'pubrel', messageId: 9 })
      expect((await publisher.next('pubcomp')).messageId).toBe(9)
    }
    await send('one', false)
    await send('one', true)
    await send('one', true)
    await release()
    await send('two', true)
    await release()
    await release() // again, as after a lost PUBCOMP
    expect(await heard(server(), listening)).toEqual(['one', 'two'])
  })

  test('[MQTT-4.3.3-2] [MQTT-4.3.3-10] QoS 2: repeated on another connection of the session it is still one message', async () => {
    const topic = topicName()
    const listening = await listener(topic)
    const clientId = name('p')
    const first = await connected(server(), clientId, version, durable(version))
    first.send(publish(topic, 'one', { qos: 2, messageId: 9 }))
    await first.next('pubrec')
    await lost(first)
    const second = await connected(server(), clientId, version, durable(version))
    second.send(publish(topic, 'one', { qos: 2, messageId: 9, dup: true }))
    await second.next('pubrec')
    await lost(second)
    const third = await connected(server(), clientId, version, durable(version))
    third.send({ cmd: 'pubrel', messageId: 9 })
    expect((await third.next('pubcomp')).reasonCode ?? 0).toBe(0)
    expect(await heard(server(), listening)).toEqual(['one'])
  })

  test('QoS 2: a session that began anew knows no packet ids', async () => {
    const topic = topicName()
    const listening = await listener(topic)
    const clientId = name('p')
    for (const payload of ['one', 'two']) {
      const publisher = await connected(server(), clientId, version, { ...durable(version), clean: true })
      publisher.send(publish(topic, payload, { qos: 2, messageId: 9 }))
      await publisher.next('pubrec')
      await lost(publisher)
    }
    expect(await heard(server(), listening)).toEqual(['one', 'two'])
  })

  test('packet ids of the two directions are apart', async () => {
    const topic = topicName()
    const both = await client(version)
    await grants(both, topic, { qos: 2 })
    both.send(publish(topic, 'm', { qos: 2, messageId: 1 }))
    expect((await both.next('publish')).messageId).toBe(1)
    both.send({ cmd: 'pubrec', messageId: 1 }, { cmd: 'pubrel', messageId: 1 })
    expect((await both.next('pubrel')).messageId).toBe(1)
    expect((await both.next('pubcomp')).messageId).toBe(1)
    both.send({ cmd: 'pubcomp', messageId: 1 })
    expect(await heard(server(), both)).toEqual(['m'])
  })

  test('[MQTT-4.6.0-2] [MQTT-4.6.0-3] acknowledgements come in the order of the messages', async () => {
    const topic = topicName()
    const publisher = await client(version)
    const order = Array.from({ length: 60 }, (_, index) => 1000 - index)
    publisher.send(...order.map(messageId => publish(topic, 'm', { qos: 1 + (messageId % 2), messageId })))
    await eventually(() => publisher.packets.length === 61)
    const answered = publisher.packets.slice(1).map(({ messageId }) => messageId)
    expect(answered).toEqual(order)
    const second = order.filter(messageId => messageId % 2 === 1)
    publisher.send(...second.map(messageId => ({ cmd: 'pubrel', messageId })))
    await eventually(() => publisher.all('pubcomp').length === second.length)
    expect(publisher.all('pubcomp').map(({ messageId }) => messageId)).toEqual(second)
  })
})

describe('errors and expiry in MQTT 5', () => {
  test('[MQTT-4.3.3-9] after a PUBREC with an error the packet id is that of a new message', async () => {
    const topic = topicName()
    const listening = await client(5)
    await grants(listening, topic, { qos: 2 })
    const publisher = await client(5)
    publisher.send(publish('closed', 'refused', { qos: 2, messageId: 9 }))
    expect((await publisher.next('pubrec')).reasonCode).toBe(0x87)
    publisher.send(publish(topic, 'taken', { qos: 2, messageId: 9 }))
    expect((await publisher.next('pubrec')).reasonCode ?? 0).toBe(0)
    expect(await heard(server(), listening)).toEqual(['taken'])
  })

  test('[MQTT-4.3.3-13] the exchange of a message that has expired goes on to its end', async () => {
    const publisher = await client(5)
    const properties = { messageExpiryInterval: 1 }
    publisher.send(publish(topicName(), 'm', { qos: 2, messageId: 1, properties }))
    await publisher.next('pubrec')
    const at = Date.now()
    await eventually(() => Date.now() > at + 1100)
    publisher.send({ cmd: 'pubrel', messageId: 1 })
    expect((await publisher.next('pubcomp')).reasonCode ?? 0).toBe(0)
  })
})
