// What wills may take of memory, while their clients are connected and while they wait for their delay.
import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

const settings = { willsBytesMax: 1000 }

/** Connects with a will of this many bytes of payload. */
async function withWill(
  mqtt: Harness,
  clientId: string,
  payloadBytes: number,
  { version = 5, more = {} }: { version?: 4 | 5; more?: object } = {}
): Promise<{ client: RawMqtt; code: number | undefined }> {
  const client = await rawMqtt(mqtt.port, version)
  const will = { topic: 'will', payload: Buffer.alloc(payloadBytes, 'x'), qos: 1, retain: false }
  client.send(connectPacket(clientId, version, { will, ...more }))
  const { reasonCode, returnCode } = await client.next('connack')
  return { client, code: version === 5 ? reasonCode : returnCode }
}

test('a CONNECT whose will goes beyond the limit is refused; without one it is not', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path, settings })
  expect((await withWill(mqtt, 'a', 600)).code).toBe(0)
  expect((await withWill(mqtt, 'b', 600)).code).toBe(0x97)
  expect((await withWill(mqtt, 'b', 600, { version: 4 })).code).toBe(3)
  expect((await withWill(mqtt, 'c', 300)).code).toBe(0)
  const plain = await rawMqtt(mqtt.port, 5)
  plain.send(connectPacket('b', 5))
  expect((await plain.next('connack')).reasonCode).toBe(0)
})

test('the room of a will is free again after a goodbye, and when it was published', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path, settings })
  const { client } = await withWill(mqtt, 'a', 600)
  client.send({ cmd: 'disconnect', reasonCode: 0 })
  await eventually(() => client.closed)
  const second = await withWill(mqtt, 'b', 600)
  expect(second.code).toBe(0)
  second.client.socket.destroy()
  await eventually(async () => (await withWill(mqtt, 'c', 600)).code === 0)
})

test('a client that comes back brings its will in place of its earlier one', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path, settings })
  const first = await withWill(mqtt, 'a', 600)
  expect((await withWill(mqtt, 'a', 700)).code).toBe(0)
  await eventually(() => first.client.closed)
  expect((await withWill(mqtt, 'a', 2000)).code).toBe(0x97)
})

test('a client whose will finds no room does not take over from its own connection', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path, settings })
  const { client } = await withWill(mqtt, 'a', 600)
  expect((await withWill(mqtt, 'a', 2000)).code).toBe(0x97)
  client.send({ cmd: 'pingreq' })
  await client.next('pingresp')
})

test('wills that wait for their delay count, also after a restart', async () => {
  await using folder = await temporaryFolder()
  const waits = {
    will: {
      topic: 'will',
      payload: Buffer.alloc(600, 'x'),
      qos: 1,
      retain: false,
      properties: { willDelayInterval: 1000 }
    },
    properties: { sessionExpiryInterval: 1000 }
  }
  {
    await using mqtt = await startMqtt({ dir: folder.path, settings })
    const { client, code } = await withWill(mqtt, 'a', 0, { more: waits })
    expect(code).toBe(0)
    client.socket.destroy()
    await eventually(async () => (await mqtt.store.tables.wills()).some(({ dueAt }) => dueAt !== null))
    expect((await withWill(mqtt, 'b', 600)).code).toBe(0x97)
  }
  await using mqtt = await startMqtt({ dir: folder.path, settings })
  expect((await withWill(mqtt, 'b', 600)).code).toBe(0x97)
  expect((await withWill(mqtt, 'a', 0, { more: waits })).code).toBe(0)
})

test('of many that come in the same moment only as many get in as have room', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path, settings })
  const attempts = await Promise.all(
    Array.from({ length: 20 }, (_, index) => withWill(mqtt, `c${index}`, 200))
  )
  const codes = attempts.map(({ code }) => code)
  expect(codes.filter(code => code === 0).length).toBe(4)
  expect(codes.filter(code => code === 0x97).length).toBe(16)
})

test('a will that no room is left to retain is published, and not retained', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path, settings: { retainedMax: 1 } })
  const publish = { cmd: 'publish', payload: 'x', qos: 1, messageId: 1, retain: false, dup: false }
  const client = await rawMqtt(mqtt.port)
  client.send(connectPacket('c'), { ...publish, topic: 'kept', retain: true })
  await client.next('puback')
  client.send({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 'gone', qos: 1 }] })
  await client.next('suback')
  const dying = await rawMqtt(mqtt.port)
  const will = { topic: 'gone', payload: Buffer.from('x'), qos: 1, retain: true }
  dying.send(connectPacket('d', 4, { will }))
  await dying.next('connack')
  dying.socket.destroy()
  expect((await client.next('publish')).topic).toBe('gone')
  const late = await rawMqtt(mqtt.port)
  late.send(connectPacket('late'), {
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: '#', qos: 0 }]
  })
  await late.next('suback')
  client.send({ ...publish, topic: 'end', messageId: 3 })
  await eventually(() => late.all('publish').some(({ topic }) => topic === 'end'))
  expect(late.all('publish').map(({ topic }) => topic)).toEqual(['kept', 'end'])
})
