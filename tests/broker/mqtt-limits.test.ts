// The limits of MQTT connections: who goes beyond one loses its connection, with the reason, and nobody else notices.
import { describe, expect, test } from '@jest/globals'
import { generate } from 'mqtt-packet'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt } from './mqtt-harness.ts'
import { connectPacket, rawMqtt } from './raw-mqtt.ts'

describe('MQTT limits', () => {
  test('a connection that sends no CONNECT in time is cut off', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { connectTimeoutMs: 200 } })
    const silent = await rawMqtt(mqtt.port)
    await eventually(() => silent.closed)
  })

  test('a packet that is dribbled for too long ends its connection', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { packetTimeoutMs: 500 } })
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('slow', 5))
    await client.next('connack')
    const bytes = generate(
      { cmd: 'publish', topic: 'a', payload: 'x'.repeat(200), qos: 0, retain: false, dup: false },
      { protocolVersion: 5 }
    )
    const dribble = setInterval(() => client.socket.write(bytes.subarray(0, 1)), 50)
    client.socket.write(bytes.subarray(0, 20))
    await eventually(() => client.closed)
    clearInterval(dribble)
    expect((await client.next('disconnect')).reasonCode).toBe(0x80)
  })

  test('unfinished packets of all connections together have a limit', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, openBytesMax: 50_000 })
    const other = await rawMqtt(mqtt.port, 5)
    const client = await rawMqtt(mqtt.port, 5)
    other.send(connectPacket('other', 5))
    client.send(connectPacket('large', 5))
    await other.next('connack')
    await client.next('connack')
    const bytes = generate(
      { cmd: 'publish', topic: 'a', payload: 'x'.repeat(200_000), qos: 0, retain: false, dup: false },
      { protocolVersion: 5 }
    )
    client.socket.write(bytes.subarray(0, 100_000))
    expect((await client.next('disconnect')).reasonCode).toBe(0x97)
    other.send({ cmd: 'pingreq' })
    await other.next('pingresp')
  })

  test('subscriptions of one session have a limit, told per filter', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { subscriptionsMax: 2 } })
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('c', 5))
    await client.next('connack')
    const subscriptions = ['a', 'b', 'c', 'a'].map(topic => ({ topic, qos: 1 }))
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
    expect((await client.next('suback')).granted).toEqual([1, 1, 0x97, 1])
  })

  test('retained messages have a limit; replacing one is still possible', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { retainedMax: 1 } })
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('c', 5))
    await client.next('connack')
    const retain = (topic: string, messageId: number) => ({
      cmd: 'publish',
      topic,
      payload: 'x',
      qos: 1,
      retain: true,
      dup: false,
      messageId
    })
    const codes = []
    for (const [index, topic] of ['one', 'two', 'one'].entries()) {
      client.send(retain(topic, index + 1))
      codes.push((await client.next('puback')).reasonCode ?? 0)
    }
    expect(codes).toEqual([0, 0x97, 0])
  })

  test('durable sessions have a limit', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { sessionsMax: 1 } })
    const durable = { properties: { sessionExpiryInterval: 100 } }
    const codes = []
    for (const id of ['one', 'two']) {
      const client = await rawMqtt(mqtt.port, 5)
      client.send(connectPacket(id, 5, durable))
      codes.push((await client.next('connack')).reasonCode)
    }
    expect(codes).toEqual([0, 0x97])
  })

  test('a longest keep alive is imposed on MQTT 5 clients', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { keepaliveMaxS: 30 } })
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('k', 5, { keepalive: 600 }))
    expect((await client.next('connack')).properties?.serverKeepAlive).toBe(30)
    const modest = await rawMqtt(mqtt.port, 5)
    modest.send(connectPacket('m', 5, { keepalive: 20 }))
    expect((await modest.next('connack')).properties?.serverKeepAlive).toBeUndefined()
  })

  test('connections beyond the limit do not pile up waiting to be told so', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, connectionsMax: 1 })
    const inside = await rawMqtt(mqtt.port)
    inside.send(connectPacket('in'))
    await inside.next('connack')
    const waiting = await Promise.all(Array.from({ length: 1100 }, () => rawMqtt(mqtt.port)))
    await eventually(() => waiting.filter(({ closed }) => closed).length >= 100, {
      what: 'the first of them cut off'
    })
    for (const { socket } of waiting) socket.destroy()
  })

  test('user properties count among the bytes of retained messages', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { retainedBytesMax: 100_000 } })
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('r', 5))
    await client.next('connack')
    const retain = (topic: string, messageId: number) => ({
      cmd: 'publish',
      topic,
      payload: 'x',
      dup: false,
      qos: 1,
      messageId,
      retain: true,
      properties: { userProperties: { text: 'y'.repeat(60_000) } }
    })
    client.send(retain('a', 1))
    expect((await client.next('puback')).reasonCode).toBe(0)
    client.send(retain('b', 2))
    expect((await client.next('puback')).reasonCode).toBe(0x97)
    client.send(retain('a', 3))
    expect((await client.next('puback')).reasonCode).toBe(0)
  })
})
