// Flow control by Receive Maximum (MQTT 5.0 section 4.9), and the server's own limits where older versions have none.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import type { RawMqtt } from '../raw-mqtt.ts'
import { durable, grants, lost, names, payloads } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, packet, uint16 } from './wire.ts'

const server = sharedServer({ settings: { receiveMax: 10, inflightMax: 5 } })
const name = names()

async function publishNumbers(publisher: RawMqtt, topic: string, count: number, qos = 1): Promise<void> {
  for (let index = 0; index < count; index++) {
    publisher.send(publish(topic, String(index), { qos, messageId: index + 1 }))
    if (qos === 1) await publisher.next('puback')
    else {
      await publisher.next('pubrec')
      publisher.send({ cmd: 'pubrel', messageId: index + 1 })
      await publisher.next('pubcomp')
    }
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))

async function subscriberOf(receiveMaximum: number | null, qos: number) {
  const topic = name('t')
  const clientId = name('s')
  const options = {
    clean: false,
    properties: { sessionExpiryInterval: 1000, ...(receiveMaximum !== null && { receiveMaximum }) }
  }
  const subscriber = await connected(server(), clientId, 5, options)
  await grants(subscriber, topic, { qos })
  const publisher = await connected(server(), name('p'), 5)
  return { topic, clientId, subscriber, publisher }
}

describe('messages to a client', () => {
  test.each([
    [1, 1],
    [1, 2],
    [3, 1],
    [3, 2]
  ])(
    '[MQTT-4.9.0-1] [MQTT-4.9.0-2] at most its Receive Maximum of %i are unfinished, QoS %i',
    async (max, qos) => {
      const { topic, subscriber, publisher } = await subscriberOf(max, qos)
      await publishNumbers(publisher, topic, 8, qos)
      const unfinished = () => subscriber.all('publish').length - finished
      let finished = 0
      while (finished < 8) {
        await eventually(() => unfinished() > 0)
        await settled(subscriber)
        expect(unfinished()).toBeLessThanOrEqual(max)
        const { messageId } = await subscriber.next('publish')
        if (qos === 2) {
          subscriber.send({ cmd: 'pubrec', messageId })
          await subscriber.next('pubrel')
          await settled(subscriber)
          expect(unfinished()).toBeLessThanOrEqual(max) // PUBREC frees no place, PUBCOMP does
        }
        finished++
        subscriber.send({ cmd: qos === 1 ? 'puback' : 'pubcomp', messageId })
      }
      expect(payloads(subscriber)).toEqual(numbers(8))
    }
  )

  test('[MQTT-4.9.0-2] a PUBREC with an error frees a place, an acknowledgement of something else none', async () => {
    const { topic, subscriber, publisher } = await subscriberOf(1, 2)
    await publishNumbers(publisher, topic, 3, 2)
    const first = await subscriber.next('publish')
    subscriber.sendBytes(packet(0x40, uint16(999)), packet(0x70, uint16(998)))
    await settled(subscriber)
    await settled(subscriber)
    expect(payloads(subscriber)).toEqual(['0'])
    subscriber.sendBytes(packet(0x50, uint16(first.messageId ?? 0), bytes(0x80)))
    await subscriber.next('publish')
    expect(payloads(subscriber)).toEqual(['0', '1'])
  })

  test('[MQTT-4.9.0-3] with nothing left of it everything else is answered', async () => {
    const { topic, subscriber, publisher } = await subscriberOf(1, 1)
    await publishNumbers(publisher, topic, 2)
    await subscriber.next('publish')
    await settled(subscriber)
    expect(await grants(subscriber, name('other'), { qos: 0 })).toEqual([0])
    subscriber.send({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['never'] })
    await subscriber.next('unsuback')
    subscriber.send(
      publish(name('x'), 'm', { qos: 1, messageId: 6 }),
      publish(name('x'), 'm', { qos: 2, messageId: 7 })
    )
    await subscriber.next('puback')
    await subscriber.next('pubrec')
    subscriber.send({ cmd: 'pubrel', messageId: 7 })
    await subscriber.next('pubcomp')
    expect(payloads(subscriber)).toEqual(['0'])
  })

  test('[MQTT-4.9.0-1] what is sent again counts, and the Receive Maximum is that of the connection', async () => {
    const { topic, clientId, subscriber, publisher } = await subscriberOf(4, 1)
    await publishNumbers(publisher, topic, 6)
    await eventually(() => payloads(subscriber).length === 4)
    await lost(subscriber)
    const narrow = { clean: false, properties: { sessionExpiryInterval: 1000, receiveMaximum: 2 } }
    const again = await connected(server(), clientId, 5, narrow)
    for (let index = 0; index < 6; index++) {
      const { messageId } = await again.next('publish')
      await settled(again)
      expect(again.all('publish').length - index).toBeLessThanOrEqual(2)
      again.send({ cmd: 'puback', messageId })
    }
    expect(payloads(again)).toEqual(numbers(6))
  })

  test.each([4, 5] as const)(
    'without one there are at most `mqtt.inflightMax`, protocol level %i',
    async version => {
      const topic = name('t')
      const subscriber = await connected(server(), name('s'), version, durable(version))
      await grants(subscriber, topic, { qos: 1 })
      const publisher = await connected(server(), name('p'), 5)
      await publishNumbers(publisher, topic, 8)
      await eventually(() => payloads(subscriber).length === 5)
      await settled(subscriber)
      expect(payloads(subscriber)).toEqual(numbers(5))
      subscriber.send(...subscriber.all('publish').map(({ messageId }) => ({ cmd: 'puback', messageId })))
      await eventually(() => payloads(subscriber).length === 8)
      expect(payloads(subscriber)).toEqual(numbers(8))
    }
  )
})

describe('messages from a client', () => {
  test('[MQTT-4.9.0-1] CONNACK tells the server’s Receive Maximum', async () => {
    const publisher = await connected(server(), name('p'), 5)
    expect(publisher.all('connack')[0]?.properties?.receiveMaximum).toBe(10)
  })

  test('as many as that at QoS 2 are taken, one more ends the connection', async () => {
    const publisher = await connected(server(), name('p'), 5)
    const topic = name('t')
    publisher.send(
      ...numbers(10).map((payload, index) => publish(topic, payload, { qos: 2, messageId: index + 1 }))
    )
    await eventually(() => publisher.all('pubrec').length === 10)
    publisher.send({ cmd: 'pubrel', messageId: 3 })
    await publisher.next('pubcomp')
    publisher.send(publish(topic, 'in its place', { qos: 2, messageId: 3 }))
    await eventually(() => publisher.all('pubrec').length === 11)
    publisher.send(publish(topic, 'too much', { qos: 2, messageId: 11 }))
    expect((await publisher.next('disconnect')).reasonCode).toBe(0x93)
    await publisher.end()
  })

  test('QoS 1 beyond it waits, and is answered in its turn', async () => {
    const publisher = await connected(server(), name('p'), 5)
    const topic = name('t')
    publisher.send(
      ...numbers(100).map((payload, index) => publish(topic, payload, { qos: 1, messageId: index + 1 }))
    )
    await eventually(() => publisher.all('puback').length === 100)
    expect(publisher.all('puback').map(({ messageId }) => messageId)).toEqual(
      numbers(100).map(text => Number(text) + 1)
    )
  })
})
