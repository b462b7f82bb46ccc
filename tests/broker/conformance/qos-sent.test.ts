// The QoS flows of what the server sends, redelivery and order (MQTT 5.0 and 3.1.1 sections 4.3 to 4.6).
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import type { RawMqtt } from '../raw-mqtt.ts'
import { durable, grants, heard, lost, names, payloads, published } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, packet, uint16, versions, type Version } from './wire.ts'

const server = sharedServer()
const name = names()
const client = (version: Version, more: object = {}) => connected(server(), name('c'), version, more)

/** A durable subscriber to a topic of its own, and a publisher. */
async function pair(version: Version, qos: number) {
  const topic = name('t')
  const clientId = name('s')
  const subscriber = await connected(server(), clientId, version, durable(version))
  await grants(subscriber, topic, { qos })
  const publisher = await client(version)
  const back = () => connected(server(), clientId, version, durable(version))
  return { topic, subscriber, publisher, back }
}

const count = (listener: RawMqtt, expected: number) =>
  eventually(() => payloads(listener).length === expected)

describe.each(versions)('what the server sends, protocol level %i', version => {
  test('[MQTT-4.3.1-1] QoS 0: DUP 0, no packet id, once', async () => {
    const { topic, subscriber, publisher, back } = await pair(version, 0)
    await published(publisher, topic, 'm')
    const { qos, dup, messageId } = await subscriber.next('publish')
    expect([qos, dup, messageId]).toEqual([0, false, undefined])
    await lost(subscriber)
    expect(await heard(server(), await back())).toEqual([])
  })

  test.each([1, 2] as const)(
    '[MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.3-1] [MQTT-4.3.3-2] QoS %i: first with DUP 0, each with a packet id of its own',
    async qos => {
      const { topic, subscriber, publisher } = await pair(version, qos)
      for (let index = 0; index < 20; index++)
        publisher.send(publish(topic, String(index), { qos, messageId: index + 1 }))
      await count(subscriber, 20)
      const got = subscriber.all('publish')
      expect(got.every(message => message.qos === qos && !message.dup)).toBe(true)
      expect(new Set(got.map(({ messageId }) => messageId)).size).toBe(20)
    }
  )

  test('[MQTT-4.3.2-1] [MQTT-4.3.2-3] QoS 1: the packet id is not used again before PUBACK, and may be after it', async () => {
    const { topic, subscriber, publisher } = await pair(version, 1)
    await published(publisher, topic, 'held')
    const held = await subscriber.next('publish')
    for (let index = 0; index < 5; index++) {
      await published(publisher, topic, String(index))
      const { messageId } = await subscriber.next('publish')
      expect(messageId).not.toBe(held.messageId)
      subscriber.send({ cmd: 'puback', messageId })
    }
    await settled(subscriber)
    expect(payloads(subscriber)).toEqual(['held', '0', '1', '2', '3', '4'])
  })

  test('[MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.4.0-1] unacknowledged it is sent again on the next connection, and never on the same', async () => {
    const { topic, subscriber, publisher, back } = await pair(version, 2)
    publisher.send(
      publish(topic, 'one', { qos: 1, messageId: 1 }),
      publish(topic, 'two', { qos: 2, messageId: 2 })
    )
    await count(subscriber, 2)
    const first = subscriber.all('publish')
    await published(publisher, topic, 'three')
    await settled(subscriber)
    expect(await heard(server(), subscriber)).toEqual(['one', 'two', 'three'])
    await lost(subscriber)
    const again = await back()
    expect(await heard(server(), again)).toEqual(['one', 'two', 'three'])
    const second = again.all('publish')
    expect(second.slice(0, 2).map(({ messageId, dup, qos }) => [messageId, dup, qos])).toEqual(
      first.slice(0, 2).map(({ messageId, qos }) => [messageId, true, qos])
    )
  })

  test('[MQTT-4.3.3-1] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1] QoS 2: from PUBREC on only PUBREL is repeated, until PUBCOMP', async () => {
    const { topic, subscriber, publisher, back } = await pair(version, 2)
    publisher.send(publish(topic, 'm', { qos: 2, messageId: 1 }))
    const { messageId } = await subscriber.next('publish')
    subscriber.send({ cmd: 'pubrec', messageId })
    expect((await subscriber.next('pubrel')).messageId).toBe(messageId)
    subscriber.send({ cmd: 'pubrec', messageId }) // again, as after a lost PUBREL
    expect((await subscriber.next('pubrel')).messageId).toBe(messageId)
    await lost(subscriber)
    const second = await back()
    expect((await second.next('pubrel')).messageId).toBe(messageId)
    await lost(second)
    const third = await back()
    expect((await third.next('pubrel')).messageId).toBe(messageId)
    third.send({ cmd: 'pubcomp', messageId })
    await settled(third)
    await lost(third)
    const fourth = await back()
    expect(await heard(server(), fourth)).toEqual([])
    expect([...second.all('publish'), ...third.all('publish'), ...fourth.all('pubrel')]).toEqual([])
  })

  test('[MQTT-4.5.0-1] each session with a matching subscription gets the message, connected or not', async () => {
    const topic = name('t')
    const listeners = [await client(version), await client(version)]
    for (const listener of listeners) await grants(listener, topic, { qos: 1 })
    const clientId = name('away')
    const away = await connected(server(), clientId, version, durable(version))
    await grants(away, topic, { qos: 1 })
    await lost(away)
    await published(await client(version), topic, 'm')
    listeners.push(await connected(server(), clientId, version, durable(version)))
    for (const listener of listeners) expect(await heard(server(), listener)).toEqual(['m'])
  })

  test.each([1, 2] as const)(
    '[MQTT-4.6.0-1] [MQTT-4.6.0-5] [MQTT-4.6.0-6] at QoS %i messages come in the order of their publishing, also when sent again',
    async qos => {
      const { topic, subscriber, publisher, back } = await pair(version, qos)
      const expected = Array.from({ length: 40 }, (_, index) => String(index))
      publisher.send(
        ...expected.map((payload, index) => publish(topic, payload, { qos, messageId: index + 1 }))
      )
      await count(subscriber, 40)
      expect(payloads(subscriber)).toEqual(expected)
      const finished = subscriber.all('publish').filter((_, index) => index % 4 === 0)
      if (qos === 2) {
        subscriber.send(...finished.map(({ messageId }) => ({ cmd: 'pubrec', messageId })))
        await eventually(() => subscriber.all('pubrel').length === finished.length)
      }
      const last = qos === 1 ? 'puback' : 'pubcomp'
      subscriber.send(...finished.map(({ messageId }) => ({ cmd: last, messageId })))
      await settled(subscriber)
      await lost(subscriber)
      publisher.send(publish(topic, 'newer', { qos, messageId: 41 }))
      const again = await back()
      await eventually(() => payloads(again).includes('newer'))
      expect(payloads(again)).toEqual([...expected.filter((_, index) => index % 4 !== 0), 'newer'])
    }
  )

  test('[MQTT-4.6.0-5] [MQTT-4.6.0-6] QoS 0 keeps its order among QoS 1 and 2', async () => {
    const topic = name('t')
    const subscriber = await client(version)
    await grants(subscriber, topic, { qos: 2 })
    const publisher = await client(version)
    const expected = Array.from({ length: 30 }, (_, index) => String(index))
    publisher.send(
      ...expected.map((payload, index) =>
        publish(topic, payload, { qos: index % 3, ...(index % 3 && { messageId: index }) })
      )
    )
    expect(await heard(server(), subscriber)).toEqual(expected)
  })

  test('[MQTT-4.6.0-4] PUBREL comes in the order of PUBREC', async () => {
    const { topic, subscriber, publisher } = await pair(version, 2)
    for (let index = 1; index <= 10; index++)
      publisher.send(publish(topic, String(index), { qos: 2, messageId: index }))
    await count(subscriber, 10)
    const order = subscriber
      .all('publish')
      .map(({ messageId }) => messageId ?? 0)
      .toReversed()
    subscriber.send(...order.map(messageId => ({ cmd: 'pubrec', messageId })))
    await eventually(() => subscriber.all('pubrel').length === 10)
    expect(subscriber.all('pubrel').map(({ messageId }) => messageId)).toEqual(order)
  })
})

describe('errors and expiry in the QoS flows of MQTT 5', () => {
  test.each([
    ['PUBACK', 1, 0x40],
    ['PUBREC', 2, 0x50]
  ])(
    '[MQTT-4.4.0-2] [MQTT-4.3.3-4] %s with an error ends the message: not sent again, no PUBREL',
    async (_kind, qos, header) => {
      const { topic, subscriber, publisher, back } = await pair(5, qos)
      publisher.send(publish(topic, 'm', { qos, messageId: 1 }))
      const { messageId = 0 } = await subscriber.next('publish')
      subscriber.sendBytes(packet(header, uint16(messageId), bytes(0x83)))
      await settled(subscriber)
      await lost(subscriber)
      const again = await back()
      expect(await heard(server(), again)).toEqual([])
      expect([...subscriber.all('pubrel'), ...again.all('pubrel')]).toEqual([])
    }
  )

  test('[MQTT-4.3.3-7] a QoS 2 message that was sent once is sent again although it has expired since', async () => {
    const { topic, subscriber, publisher, back } = await pair(5, 2)
    publisher.send(publish(topic, 'm', { qos: 2, messageId: 1, properties: { messageExpiryInterval: 3 } }))
    const { messageId } = await subscriber.next('publish')
    const at = Date.now()
    await lost(subscriber)
    await eventually(() => Date.now() > at + 3100)
    const again = await (await back()).next('publish')
    expect([again.messageId, again.dup, again.payload.toString()]).toEqual([messageId, true, 'm'])
  })

  test('[MQTT-4.3.3-13] the exchange of a message that has expired goes on to its end', async () => {
    const { topic, subscriber, publisher } = await pair(5, 2)
    publisher.send(publish(topic, 'm', { qos: 2, messageId: 1, properties: { messageExpiryInterval: 3 } }))
    const { messageId } = await subscriber.next('publish')
    const at = Date.now()
    await eventually(() => Date.now() > at + 3100)
    subscriber.send({ cmd: 'pubrec', messageId })
    expect((await subscriber.next('pubrel')).reasonCode ?? 0).toBe(0)
  })
})

describe('an acknowledgement of the wrong kind', () => {
  test.each([
    { qos: 1, cmd: 'pubcomp' },
    { qos: 2, cmd: 'puback' }
  ] as const)('$cmd does not end a message of QoS $qos', async ({ qos, cmd }) => {
    const clientId = name('c')
    const topic = name('t')
    const first = await connected(server(), clientId, 4, { clean: false })
    await grants(first, topic, { qos })
    const publisher = await connected(server(), name('p'), 4)
    publisher.send(publish(topic, 'm', { qos, messageId: 1 }))
    const { messageId } = await first.next('publish')
    first.send({ cmd, messageId })
    await settled(first)
    first.socket.resetAndDestroy()
    const second = await connected(server(), clientId, 4, { clean: false })
    expect(await second.next('publish')).toMatchObject({ messageId, dup: true })
  })
})
