// MQTT packet by packet: what the server answers, and when, to clients that do unusual things.
import { describe, expect, test } from '@jest/globals'
import { hashToken } from '../../store/credentials.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { body, decodeWhole, properties } from './mqtt-packet-bytes.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'
import { connectBytes, text } from './conformance/wire.ts'

const publish = (topic: string, payload: string, more: object = {}) => ({
  cmd: 'publish',
  topic,
  payload,
  qos: 0,
  retain: false,
  dup: false,
  ...more
})
const subscribe = (topic: string, qos: number, more: object = {}) => ({
  cmd: 'subscribe',
  messageId: 7,
  subscriptions: [{ topic, qos, ...more }]
})

async function connected(
  mqtt: Harness,
  clientId: string,
  version: 4 | 5 = 4,
  more: object = {}
): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, version)
  client.send(connectPacket(clientId, version, more))
  await client.next('connack')
  return client
}

async function payloads(mqtt: Harness): Promise<string[]> {
  const { items } = await mqtt.store.log.read(0, { limit: 1000, filter: { kinds: ['event'] } })
  return items.map(item => (item.kind === 'event' ? Buffer.from(item.payload).toString() : ''))
}

describe('order within a connection', () => {
  test('a subscription does not see what the same client published before it in the same segment', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const client = await connected(mqtt, 'c')
    client.send(
      publish('t', 'before'),
      publish('t', 'also before', { qos: 1, messageId: 1 }),
      subscribe('t', 1),
      publish('t', 'after', { qos: 1, messageId: 2 })
    )
    const received = await client.next('publish')
    expect(received.payload.toString()).toBe('after')
    await client.next('suback')
    expect(client.all('publish')).toHaveLength(1)
  })

  test('everything sent together with CONNECT is handled, in order, after CONNACK', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const client = await rawMqtt(mqtt.port)
    const publishes = Array.from({ length: 300 }, (_, index) =>
      publish('t', String(index), { qos: 1, messageId: index + 1 })
    )
    client.send(connectPacket('eager'), ...publishes)
    await eventually(() => client.all('puback').length === 300)
    expect(client.packets[0]?.cmd).toBe('connack')
    expect(client.all('puback').map(packet => packet.messageId)).toEqual(
      publishes.map((_, index) => index + 1)
    )
    expect(await payloads(mqtt)).toEqual(publishes.map((_, index) => String(index)))
  })
})

describe('QoS 2 in', () => {
  test('a repetition before PUBREL is one event, also after a restart', async () => {
    await using folder = await temporaryFolder()
    const durable = { clean: false }
    const message = publish('t', 'once', { qos: 2, messageId: 9 })
    {
      await using mqtt = await startMqtt({ dir: folder.path })
      const client = await connected(mqtt, 'c', 4, durable)
      client.send(message, { ...message, dup: true })
      await client.next('pubrec')
      await client.next('pubrec')
    }
    await using mqtt = await startMqtt({ dir: folder.path })
    const client = await connected(mqtt, 'c', 4, durable)
    client.send({ ...message, dup: true })
    await client.next('pubrec')
    expect(await payloads(mqtt)).toEqual(['once'])
    client.send({ cmd: 'pubrel', messageId: 9 })
    await client.next('pubcomp')
    client.send(publish('t', 'another', { qos: 2, messageId: 9 }))
    await client.next('pubrec')
    expect(await payloads(mqtt)).toEqual(['once', 'another'])
  })

  test('more open messages than the server’s Receive Maximum end an MQTT 5 connection, and no older one', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { receiveMax: 2 } })
    const messages = [1, 2, 3].map(messageId => publish('t', 'x', { qos: 2, messageId }))
    const told = await connected(mqtt, 'told', 5)
    told.send(...messages)
    expect(await told.next('disconnect')).toMatchObject({ reasonCode: 0x93 })
    const untold = await connected(mqtt, 'untold', 4)
    untold.send(...messages)
    await eventually(() => untold.all('pubrec').length === 3)
  })

  test('PUBREL of an unknown packet id is told so in MQTT 5', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const client = await connected(mqtt, 'c', 5)
    client.send({ cmd: 'pubrel', messageId: 77 })
    expect(await client.next('pubcomp')).toMatchObject({ messageId: 77, reasonCode: 0x92 })
  })
})

describe('what goes out', () => {
  test('never more in flight than the client’s Receive Maximum', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await connected(mqtt, 's', 5, { properties: { receiveMaximum: 2 } })
    subscriber.send(subscribe('t', 1))
    await subscriber.next('suback')
    const publisher = await mqtt.connect()
    for (let index = 0; index < 10; index++) await publisher.publishAsync('t', String(index), { qos: 1 })
    for (let index = 0; index < 10; index += 2) {
      await eventually(() => subscriber.all('publish').length === index + 2)
      const pair = subscriber.all('publish').slice(index)
      expect(pair.map(packet => packet.payload.toString())).toEqual([String(index), String(index + 1)])
      subscriber.send(...pair.map(({ messageId }) => ({ cmd: 'puback', messageId })))
    }
    expect(subscriber.all('publish')).toHaveLength(10)
  })

  test('with a small Receive Maximum, each acknowledgement brings the next message', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await connected(mqtt, 's', 5, { properties: { receiveMaximum: 20 } })
    subscriber.send(subscribe('t', 1))
    await subscriber.next('suback')
    const publisher = await mqtt.connect()
    for (let index = 0; index < 40; index++) await publisher.publishAsync('t', String(index), { qos: 1 })
    await eventually(() => subscriber.all('publish').length === 20)
    for (let count = 20; count < 40; count++) {
      const { messageId } = subscriber.all('publish')[count - 20] ?? {}
      subscriber.send({ cmd: 'puback', messageId })
      await eventually(() => subscriber.all('publish').length === count + 1)
    }
  })

  test('an unacknowledged message is sent again with DUP and its packet id when the session is resumed', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await connected(mqtt, 's', 4, { clean: false })
    first.send({
      cmd: 'subscribe',
      messageId: 7,
      subscriptions: [
        { topic: 'one', qos: 1 },
        { topic: 'two', qos: 2 }
      ]
    })
    await first.next('suback')
    const publisher = await mqtt.connect()
    await publisher.publishAsync('one', 'a', { qos: 1 })
    await publisher.publishAsync('two', 'b', { qos: 2 })
    await eventually(() => first.all('publish').length === 2)
    const ids = first.all('publish').map(({ messageId }) => messageId)
    expect(first.all('publish').map(({ dup }) => dup)).toEqual([false, false])
    first.socket.resetAndDestroy()
    const second = await connected(mqtt, 's', 4, { clean: false })
    await eventually(() => second.all('publish').length === 2)
    expect(second.all('publish').map(({ messageId, dup }) => [messageId, dup])).toEqual(
      ids.map(id => [id, true])
    )
    second.send({ cmd: 'pubrec', messageId: ids[1] })
    await second.next('pubrel')
    second.socket.resetAndDestroy()
    const third = await connected(mqtt, 's', 4, { clean: false })
    expect(await third.next('pubrel')).toMatchObject({ messageId: ids[1] })
    expect((await third.next('publish')).messageId).toBe(ids[0])
    third.send(
      { cmd: 'pubcomp', messageId: ids[1] },
      { cmd: 'puback', messageId: ids[0] },
      { cmd: 'pingreq' }
    )
    await third.next('pingresp')
    expect(third.all('publish')).toHaveLength(1)
  })

  test('carries the properties, the identifiers of all matching subscriptions and the remaining expiry', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await connected(mqtt, 's', 5)
    subscriber.send({ ...subscribe('a/+', 1), properties: { subscriptionIdentifier: 11 } })
    subscriber.send({ ...subscribe('a/#', 0), properties: { subscriptionIdentifier: 22 } })
    await subscriber.next('suback')
    await subscriber.next('suback')
    const publisher = await connected(mqtt, 'p', 5)
    const properties = {
      contentType: 'text/plain',
      responseTopic: 'answers/p',
      correlationData: Buffer.from('42'),
      userProperties: { site: ['north', 'south'] },
      payloadFormatIndicator: true
    }
    publisher.send(
      publish('a/b', 'x', {
        qos: 1,
        messageId: 1,
        properties: { ...properties, messageExpiryInterval: 100, topicAlias: 3 }
      })
    )
    const received = await subscriber.next('publish')
    expect(received.qos).toBe(1)
    expect(received.properties).toMatchObject(properties)
    expect(received.properties?.topicAlias).toBeUndefined()
    expect([received.properties?.subscriptionIdentifier].flat().toSorted()).toEqual([11, 22])
    expect(received.properties?.messageExpiryInterval).toBeGreaterThan(90)
    publisher.send(publish('', 'by alias', { properties: { topicAlias: 3 } }))
    expect((await subscriber.next('publish')).topic).toBe('a/b')
  })

  test('user properties reach subscribers in their order, repeated names included', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await connected(mqtt, 's', 5)
    subscriber.send(subscribe('t', 0))
    await subscriber.next('suback')
    const chunks: Buffer[] = []
    subscriber.socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    const userProperties = [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['__proto__', '4'],
      ['1', '5']
    ] as const
    const publisher = await connected(mqtt, 'p', 5)
    const sent = body('t', properties(...userProperties.map(([name, value]) => body(0x26, name, value))))
    publisher.socket.write(Buffer.concat([Buffer.of(0x30, sent.length), sent]))
    await subscriber.next('publish')
    expect(decodeWhole(Buffer.concat(chunks), 5)).toMatchObject({ properties: { userProperties } })
  })

  test('what came over raw TCP as MessagePack is JSON for MQTT', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await connected(mqtt, 's')
    subscriber.send(subscribe('t', 1))
    await subscriber.next('suback')
    const payload = Buffer.from('81a163cb4035800000000000', 'hex') // {c: 21.5}
    mqtt.store.log.append(
      { kind: 'event', device: 'd', severity: 'info', topic: 't', payload, format: 'msgpack', source: 'tcp' },
      null
    )
    expect((await subscriber.next('publish')).payload.toString()).toBe('{"c":21.5}')
  })
})

describe('who may come in', () => {
  test.each([4, 5] as const)('a registered device needs its token (level %i)', async version => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    await mqtt.store.devices.put({ id: 'pump-1', tokenHash: hashToken('secret'), createdAt: 0 })
    const attempts = [
      { clientId: 'x', username: 'pump-1', password: Buffer.from('wrong') },
      { clientId: 'pump-1' },
      { clientId: 'x', username: 'pump-1', password: Buffer.from('secret') }
    ]
    const codes = []
    for (const { clientId, ...more } of attempts) {
      const client = await rawMqtt(mqtt.port, version)
      client.send(connectPacket(clientId, version, more))
      const connack = await client.next('connack')
      codes.push(version === 5 ? connack.reasonCode : connack.returnCode)
      if (codes.length < 3) await eventually(() => client.closed)
    }
    expect(codes).toEqual(version === 5 ? [0x86, 0x86, 0] : [4, 4, 0])
  })

  test('a device with a token can’t take the session of another by its client id', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    for (const id of ['a', 'b']) await mqtt.store.devices.put({ id, tokenHash: hashToken(id), createdAt: 0 })
    const a = await connected(mqtt, 'shared', 4, { username: 'a', password: Buffer.from('a') })
    const b = await connected(mqtt, 'shared', 4, { username: 'b', password: Buffer.from('b') })
    a.send({ cmd: 'pingreq' })
    b.send({ cmd: 'pingreq' })
    await a.next('pingresp')
    await b.next('pingresp')
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    '%s is an ordinary id, topic and filter',
    async name => {
      await using folder = await temporaryFolder()
      await using mqtt = await startMqtt({ dir: folder.path })
      const client = await connected(mqtt, name, 4, { clean: false })
      client.send({
        cmd: 'subscribe',
        messageId: 1,
        subscriptions: [
          { topic: name, qos: 1 },
          { topic: 'other', qos: 0 }
        ]
      })
      expect((await client.next('suback')).granted).toEqual([1, 0])
      client.send(publish(name, 'x', { qos: 1, messageId: 2, retain: true }))
      expect((await client.next('publish')).topic).toBe(name)
    }
  )

  test.each([4, 5] as const)('beyond the limit a connection is told so (level %i)', async version => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, connectionsMax: 1 })
    await connected(mqtt, 'first')
    const second = await rawMqtt(mqtt.port, version)
    second.send(connectPacket('second', version))
    const connack = await second.next('connack')
    expect(version === 5 ? connack.reasonCode : connack.returnCode).toBe(version === 5 ? 0x97 : 3)
    await eventually(() => second.closed)
  })
})

describe('how the server says goodbye in MQTT 5', () => {
  test('session taken over, and shutting down', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await connected(mqtt, 'c', 5)
    const second = await connected(mqtt, 'c', 5)
    expect(await first.next('disconnect')).toMatchObject({ reasonCode: 0x8e })
    await eventually(() => first.closed)
    second.send(publish('t', 'last words', { qos: 1, messageId: 1 }))
    const stopped = mqtt.stop()
    expect(await second.next('disconnect')).toMatchObject({ reasonCode: 0x8b })
    await stopped
  })

  test.each([
    ['a packet that is too large', publish('t', 'x'.repeat(2000)), 0x95],
    ['an unknown topic alias', publish('', 'x', { properties: { topicAlias: 5 } }), 0x94],
    ['a malformed topic filter', subscribe('a/#/b', 0), 0x8f],
    ['a wildcard in a topic', publish('a/+', 'x'), 0x90],
    [
      'a subscription identifier in a PUBLISH',
      publish('a', 'x', { properties: { subscriptionIdentifier: 1 } }),
      0x82
    ]
  ] as const)('%s', async (_what, packet, reasonCode) => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { packetBytesMax: 1000 } })
    const client = await connected(mqtt, 'c', 5)
    client.send(packet)
    expect(await client.next('disconnect')).toMatchObject({ reasonCode })
    await eventually(() => client.closed)
  })
})

describe('a second CONNECT', () => {
  test.each([
    ['with flags', { header: 0x12 }],
    ['of an unknown protocol', { protocolName: 'AMQP' }],
    ['of an unknown version', { level: 6 }]
  ])('%s ends the connection with a reason that a DISCONNECT can have', async (_, parts) => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const client = await connected(mqtt, 'c', 5)
    client.sendBytes(connectBytes({ version: 5, ...parts, payload: [text('c')] }))
    expect([0x81, 0x82]).toContain((await client.next('disconnect')).reasonCode)
    await eventually(() => client.closed)
  })
})

describe('what outlives a connection', () => {
  test('a session ends when its expiry has passed', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const resume = { clean: false, properties: { sessionExpiryInterval: 1 } }
    const first = await connected(mqtt, 'c', 5, resume)
    await eventually(async () => (await mqtt.store.tables.sessions()).length === 1)
    first.send({ cmd: 'disconnect', reasonCode: 0 })
    await eventually(() => first.closed)
    await new Promise(resolve => mqtt.store.log.write([], resolve)) // the session is stored by now
    await eventually(async () => (await mqtt.store.tables.sessions()).length === 0)
    const second = await rawMqtt(mqtt.port, 5)
    second.send(connectPacket('c', 5, resume))
    expect((await second.next('connack')).sessionPresent).toBe(false)
  })

  test('a delayed will is published after its delay, and not when the client is back before', async () => {
    await using folder = await temporaryFolder()
    let offsetMs = 0
    await using mqtt = await startMqtt({ dir: folder.path, now: () => Date.now() + offsetMs })
    const willOf = (id: string) => ({
      clean: false,
      properties: { sessionExpiryInterval: 3600 },
      will: {
        topic: `wills/${id}`,
        payload: Buffer.from(id),
        qos: 1,
        retain: false,
        properties: { willDelayInterval: 60 }
      }
    })
    const back = await connected(mqtt, 'back', 5, willOf('back'))
    const gone = await connected(mqtt, 'gone', 5, willOf('gone'))
    back.socket.resetAndDestroy()
    await connected(mqtt, 'back', 5, willOf('back'))
    gone.socket.resetAndDestroy()
    await eventually(async () =>
      (await mqtt.store.tables.wills()).some(({ session, dueAt }) => session === 'gone' && dueAt !== null)
    )
    expect(await payloads(mqtt)).toEqual([])
    offsetMs = 61_000
    await eventually(async () => (await payloads(mqtt)).length > 0)
    expect(await payloads(mqtt)).toEqual(['gone'])
  })

  test('the will of a client that was connected when the server ended is published after the restart', async () => {
    await using folder = await temporaryFolder()
    {
      await using mqtt = await startMqtt({ dir: folder.path })
      await connected(mqtt, 'c', 4, {
        will: { topic: 'wills/c', payload: Buffer.from('lost'), qos: 1, retain: false }
      })
    }
    await using mqtt = await startMqtt({ dir: folder.path })
    await eventually(async () => (await payloads(mqtt)).includes('lost'))
    expect(await mqtt.store.tables.wills()).toEqual([])
  })
})
