// Shared subscriptions: how messages are spread, and what becomes of them when members come, go and fail.
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { MqttClient } from 'mqtt'
import type { IPublishPacket } from 'mqtt-packet'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness, type HarnessOptions } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

type Qos = 0 | 1 | 2

const FILTER = '$share/g/t/#'
const neverSaved = { sessionSaveMs: 600_000 }

interface MemberOptions {
  qos?: Qos
  /** Session Expiry Interval, s; 0: the session ends with the connection. */
  expiryS?: number
  filter?: string
  /** For CONNECT. */
  properties?: object
  /** For SUBSCRIBE. */
  subscription?: object
  identifier?: number
}

/** Connects a member of the group that acknowledges nothing by itself. */
async function member(mqtt: Harness, clientId: string, options: MemberOptions = {}): Promise<RawMqtt> {
  const { qos = 1, filter = FILTER, subscription, identifier } = options
  const client = await returning(mqtt, clientId, options)
  client.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: filter, qos, ...subscription }],
    ...(identifier !== undefined && { properties: { subscriptionIdentifier: identifier } })
  })
  expect((await client.next('suback')).granted).toEqual([qos])
  return client
}

/** Connects a session again, without a SUBSCRIBE. */
async function returning(
  mqtt: Harness,
  clientId: string,
  { expiryS = 0, properties }: MemberOptions = {}
): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, 5)
  client.send(
    connectPacket(clientId, 5, {
      clean: false,
      properties: { sessionExpiryInterval: expiryS, ...properties }
    })
  )
  await client.next('connack')
  return client
}

/** Ends a member's connection without a word; resolves when the server has stored its session away, if that lasts. */
async function gone(mqtt: Harness, clientId: string, client: RawMqtt): Promise<void> {
  client.socket.destroy()
  await eventually(() => !mqtt.presence.connected(clientId), { what: 'that the server notices' })
  await written(mqtt)
}

/** Whatever was on its way to the client has come when this resolves. */
async function settled(client: RawMqtt): Promise<RawMqtt> {
  client.send({ cmd: 'pingreq' })
  await client.next('pingresp')
  return client
}

async function publish(mqtt: Harness, texts: string[], qos: Qos = 1, more: object = {}): Promise<void> {
  const publisher = await mqtt.connect({ protocolVersion: 5 })
  for (const text of texts) await publisher.publishAsync('t/x', text, { qos, ...more })
  await publisher.endAsync()
}

const textOf = ({ payload }: IPublishPacket) => payload.toString()
const texts = (client: RawMqtt) => client.all('publish').map(textOf)
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index))
const puback = (messageId: number | undefined, reasonCode = 0) => ({ cmd: 'puback', messageId, reasonCode })
const written = (mqtt: Harness) => new Promise<void>(resolve => mqtt.store.log.write([], () => resolve()))

/** The server as it would be after `kill -9` at this moment: over a copy of what is on disk. */
async function afterCrash(
  mqtt: Harness,
  dir: string,
  settings: HarnessOptions['settings'] = {}
): Promise<Harness> {
  await written(mqtt)
  const copy = join(dir, 'crashed')
  await mkdir(copy)
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.isFile()) await copyFile(join(dir, entry.name), join(copy, entry.name))
  }
  return startMqtt({ dir: copy, settings })
}

interface Counting {
  client: MqttClient
  got: string[]
}

/** A member that acknowledges by itself and counts. */
async function counting(
  mqtt: Harness,
  clientId: string,
  { qos = 1, filter = FILTER }: { qos?: Qos; filter?: string } = {}
): Promise<Counting> {
  const client = await mqtt.connect({ protocolVersion: 5, clientId })
  const got: string[] = []
  client.on('message', (_topic, payload) => got.push(payload.toString().split(' ')[0] ?? ''))
  await client.subscribeAsync(filter, { qos })
  return { client, got }
}

const total = (members: Counting[]) => members.reduce((sum, { got }) => sum + got.length, 0)
const all = (members: Counting[]) =>
  members.flatMap(({ got }) => got).toSorted((a, b) => Number(a) - Number(b))

describe('a shared subscription', () => {
  test('spreads messages over its members, each to one of them', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const members = await Promise.all(['a', 'b', 'c'].map(id => counting(mqtt, id)))
    await publish(mqtt, numbers(1, 60))
    await eventually(() => total(members) >= 60)
    expect(members.map(({ got }) => got.length)).toEqual([20, 20, 20])
    expect(all(members)).toEqual(numbers(1, 60))
  })

  test.each([3, 4] as const)('is there for MQTT protocol level %i too', async version => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const members = await Promise.all(
      ['a', 'b'].map(async clientId => {
        const client = await rawMqtt(mqtt.port, version)
        client.send(connectPacket(clientId, version))
        await client.next('connack')
        client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: FILTER, qos: 1 }] })
        expect((await client.next('suback')).granted).toEqual([1])
        return client
      })
    )
    await publish(mqtt, numbers(1, 4))
    await eventually(() => members.flatMap(texts).length === 4)
    expect(members.map(client => texts(client).length)).toEqual([2, 2])
  })

  test('gives each member messages at its own QoS, with its own identifier and RETAIN as it asked', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const plain = await member(mqtt, 'plain', { qos: 0, identifier: 7 })
    const keen = await member(mqtt, 'keen', { qos: 2, identifier: 9, subscription: { rap: true } })
    await publish(mqtt, numbers(1, 4), 1, { retain: true })
    await eventually(() => texts(plain).length + texts(keen).length === 4)
    const seen = (client: RawMqtt) =>
      client
        .all('publish')
        .map(({ qos, retain, properties }) => [qos, retain, properties?.subscriptionIdentifier])
    expect(seen(plain)).toEqual([
      [0, false, 7],
      [0, false, 7]
    ])
    expect(seen(keen)).toEqual([
      [1, true, 9],
      [1, true, 9]
    ])
  })

  test('is not announced as unavailable', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('a', 5))
    expect((await client.next('connack')).properties).not.toHaveProperty('sharedSubscriptionAvailable', false)
  })

  test('is answered with no retained messages', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    await publish(mqtt, ['retained'], 1, { retain: true })
    const client = await member(mqtt, 'a')
    await publish(mqtt, ['live'])
    expect(textOf(await client.next('publish'))).toBe('live')
    expect(texts(await settled(client))).toEqual(['live'])
  })

  test('is one for each share name, and beside a subscription of one’s own', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const own = await member(mqtt, 'own', { filter: 't/+', identifier: 1 })
    own.send({
      cmd: 'subscribe',
      messageId: 2,
      subscriptions: [{ topic: FILTER, qos: 1 }],
      properties: { subscriptionIdentifier: 2 }
    })
    await own.next('suback')
    const other = await member(mqtt, 'other', { filter: '$share/h/t/#' })
    const narrow = await member(mqtt, 'narrow', { filter: '$share/h/t/x' })
    await publish(mqtt, numbers(1, 3))
    await eventually(() => [own, other, narrow].flatMap(texts).length === 12)
    const ofIdentifier = (id: number) =>
      own
        .all('publish')
        .filter(({ properties }) => (properties?.subscriptionIdentifier as unknown) === id)
        .map(textOf)
    expect(ofIdentifier(1)).toEqual(numbers(1, 3))
    expect(ofIdentifier(2)).toEqual(numbers(1, 3))
    expect(texts(other)).toEqual(numbers(1, 3))
    expect(texts(narrow)).toEqual(numbers(1, 3))
  })

  test('needs access to its inner filter, a name and a filter; nothing of $ is shared', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({
      dir: folder.path,
      access: [{ devices: ['*'], publish: ['#'], subscribe: ['mine/#', '$SYS/#'] }]
    })
    const client = await returning(mqtt, 'a')
    const topics = [
      '$share/g/mine/x',
      '$share/g/other/x',
      '$share/g/#',
      '$share/g/$SYS/#',
      '$share/g/$share/h/mine/x'
    ]
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map(topic => ({ topic, qos: 1 })) })
    expect((await client.next('suback')).granted).toEqual([1, 0x87, 0x87, 0x87, 0x87])
    for (const topic of [
      '$share/g',
      '$share//mine/x',
      '$share/g/',
      '$share/+/mine/x',
      '$share/g#/mine/x',
      '$share/g/a#'
    ]) {
      const wrong = await returning(mqtt, 'wrong')
      wrong.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] })
      expect((await wrong.next('disconnect')).reasonCode).toBe(0x8f)
    }
    const choosy = await returning(mqtt, 'choosy')
    choosy.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: '$share/g/mine/x', qos: 1, nl: true }]
    })
    expect((await choosy.next('disconnect')).reasonCode).toBe(0x82)
  })

  test('counts as a subscription, and ends by its whole filter', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { subscriptionsMax: 2 } })
    const client = await returning(mqtt, 'a', { expiryS: 100 })
    const topics = ['$share/g/t', '$share/h/t', 't', '$share/g/t']
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map(topic => ({ topic, qos: 1 })) })
    expect((await client.next('suback')).granted).toEqual([1, 1, 0x97, 1])
    expect((await mqtt.store.tables.shares()).map(({ key }) => key)).toEqual(['$share/g/t', '$share/h/t'])
    client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['t', '$share/g/t', '$share/i/t'] })
    expect((await client.next('unsuback')).granted).toEqual([0x11, 0, 0x11])
    expect((await mqtt.store.tables.shares()).map(({ key }) => key)).toEqual(['$share/h/t'])
    expect((await mqtt.store.tables.sharedSubscriptions()).map(({ row }) => row.filter)).toEqual([
      '$share/h/t'
    ])
  })

  test('ends with its last member, and keeps nothing for those who come later', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await member(mqtt, 'first', { expiryS: 100 })
    first.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [FILTER] })
    await first.next('unsuback')
    await publish(mqtt, ['to nobody'])
    const second = await member(mqtt, 'second')
    await publish(mqtt, ['new'])
    expect(textOf(await second.next('publish'))).toBe('new')
    await gone(mqtt, 'second', second)
    await publish(mqtt, ['to nobody either'])
    const third = await member(mqtt, 'third')
    await publish(mqtt, ['newer'])
    expect(textOf(await third.next('publish'))).toBe('newer')
    expect(texts(await settled(first))).toEqual([])
    expect(await mqtt.store.tables.shares()).toEqual([])
  })
})

describe('members with too little room', () => {
  test('that do not read leave the rest to the others, and what they hold when they are gone', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { inflightMax: 8 } })
    const frozen = await member(mqtt, 'frozen')
    frozen.socket.pause()
    const others = await Promise.all(['b', 'c'].map(id => counting(mqtt, id)))
    await publish(mqtt, numbers(1, 100))
    await eventually(() => total(others) >= 92)
    await gone(mqtt, 'frozen', frozen)
    await eventually(() => total(others) >= 100)
    expect(all(others)).toEqual(numbers(1, 100))
  })

  test('that do not read are passed over also at QoS 0, and get their part when they do', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { unsentBytesMax: 65_536 } })
    const members = await Promise.all(['a', 'b'].map(id => counting(mqtt, id, { qos: 0 })))
    const [frozen, reader] = members as [Counting, Counting]
    frozen.client.stream.pause()
    const count = 3000
    const padding = 'x'.repeat(5000)
    const publisher = await mqtt.connect()
    for (const text of numbers(1, count))
      await publisher.publishAsync('t/x', `${text} ${padding}`, { qos: 1 })
    await eventually(() => reader.got.at(-1) === String(count))
    expect(reader.got.length).toBeGreaterThan(count / 2 + 100)
    frozen.client.stream.resume()
    await eventually(() => total(members) >= count)
    expect(all(members)).toEqual(numbers(1, count))
  })

  test('keep everything in the log until one of them has room', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { inflightMax: 2 } })
    const members = await Promise.all([member(mqtt, 'a'), member(mqtt, 'b')])
    await publish(mqtt, numbers(1, 20))
    await Promise.all(members.map(settled))
    expect(members.map(client => texts(client).length)).toEqual([2, 2])
    const [a] = members
    let acknowledged = 0
    await eventually(() => {
      const packets = a.all('publish')
      for (const { messageId } of packets.slice(acknowledged)) a.send(puback(messageId))
      acknowledged = packets.length
      return acknowledged === 18
    })
    expect(members.flatMap(texts).toSorted((x, y) => Number(x) - Number(y))).toEqual(numbers(1, 20))
  })

  test('leave what is too large for them to those who take it', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const small = await member(mqtt, 'small', { properties: { maximumPacketSize: 200 } })
    const large = await member(mqtt, 'large')
    const long = 'x'.repeat(500)
    await publish(mqtt, [long, long, 'short', 'short'])
    await eventually(() => texts(small).length + texts(large).length === 4)
    expect(texts(small).every(text => text === 'short')).toBe(true)
    expect(texts(large).filter(text => text === long)).toHaveLength(2)
  })
})

describe('a member that is gone', () => {
  test('leaves what it had not acknowledged to the others, as if it were new', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const dying = await member(mqtt, 'dying', { expiryS: 100 })
    await publish(mqtt, numbers(1, 4))
    await eventually(() => texts(dying).length === 4)
    dying.send(puback(dying.all('publish')[1]?.messageId))
    await settled(dying)
    const heir = await member(mqtt, 'heir')
    await publish(mqtt, ['5', '6'])
    await eventually(() => texts(heir).length === 1)
    await gone(mqtt, 'dying', dying)
    await eventually(() => texts(heir).length === 5)
    const packets = heir.all('publish')
    expect(packets.slice(1).map(textOf).slice(0, 3)).toEqual(['1', '3', '4'])
    expect(packets.every(({ dup }) => !dup)).toBe(true)
    expect(new Set(packets.map(({ messageId }) => messageId)).size).toBe(5)
    const again = await returning(mqtt, 'dying', { expiryS: 100 })
    expect(texts(await settled(again))).toEqual([])
  })

  test('gets what it had not acknowledged again when it returns alone, with DUP and the same packet ids', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await member(mqtt, 'a', { expiryS: 100 })
    await publish(mqtt, numbers(1, 3))
    await eventually(() => texts(first).length === 3)
    const ids = first.all('publish').map(({ messageId }) => messageId)
    await gone(mqtt, 'a', first)
    await publish(mqtt, ['4'])
    const second = await returning(mqtt, 'a', { expiryS: 100 })
    await eventually(() => texts(second).length === 4)
    const packets = second.all('publish')
    expect(packets.map(textOf)).toEqual(numbers(1, 4))
    expect(packets.map(({ dup }) => dup)).toEqual([true, true, true, false])
    expect(packets.slice(0, 3).map(({ messageId }) => messageId)).toEqual(ids)
    for (const { messageId } of packets) second.send(puback(messageId))
    await settled(second)
    const other = await member(mqtt, 'b')
    await gone(mqtt, 'a', second)
    await publish(mqtt, ['5'])
    expect(textOf(await other.next('publish'))).toBe('5')
  })

  test('has its messages taken over by whoever comes while it is stored away', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await member(mqtt, 'a', { expiryS: 100 })
    await publish(mqtt, numbers(1, 3))
    await eventually(() => texts(first).length === 3)
    await gone(mqtt, 'a', first)
    expect((await mqtt.store.tables.session('a'))?.inflight).toHaveLength(3)
    const second = await member(mqtt, 'b', { expiryS: 100 })
    await eventually(() => texts(second).length === 3)
    expect(second.all('publish').map(packet => [textOf(packet), packet.dup])).toEqual([
      ['1', false],
      ['2', false],
      ['3', false]
    ])
    await eventually(async () => (await mqtt.store.tables.session('a'))?.inflight.length === 0)
    const again = await returning(mqtt, 'a', { expiryS: 100 })
    await publish(mqtt, ['4', '5'])
    await eventually(() => texts(again).length + texts(second).length === 5)
    expect(texts(await settled(again))).toHaveLength(1)
  })

  test('keeps its QoS 2 messages, which are completed when it returns and go to nobody else', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await member(mqtt, 'a', { qos: 2, expiryS: 100 })
    await publish(mqtt, ['received', 'lost'], 2)
    await eventually(() => texts(first).length === 2)
    const [received, lost] = first.all('publish')
    first.send({ cmd: 'pubrec', messageId: received?.messageId })
    await first.next('pubrel')
    const other = await member(mqtt, 'b', { qos: 2 })
    await gone(mqtt, 'a', first)
    await publish(mqtt, ['next'], 2)
    expect(textOf(await other.next('publish'))).toBe('next')
    const again = await returning(mqtt, 'a', { expiryS: 100 })
    expect((await again.next('pubrel')).messageId).toBe(received?.messageId)
    const repeated = await again.next('publish')
    expect([textOf(repeated), repeated.dup, repeated.messageId]).toEqual(['lost', true, lost?.messageId])
    expect(texts(await settled(other))).toEqual(['next'])
    await gone(mqtt, 'a', again)
    const anew = await rawMqtt(mqtt.port, 5)
    anew.send(connectPacket('a', 5))
    await anew.next('connack')
    await publish(mqtt, ['last'], 2)
    expect(textOf(await other.next('publish'))).toBe('last')
    expect(texts(await settled(other))).toEqual(['next', 'last'])
  })

  test('whose session ends gives its QoS 1 messages back, also when nobody is there', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const sleeper = await member(mqtt, 'sleeper', { expiryS: 100 })
    await gone(mqtt, 'sleeper', sleeper)
    const brief = await member(mqtt, 'brief', { qos: 2 })
    await publish(mqtt, ['one'], 1)
    await publish(mqtt, ['two'], 2)
    await eventually(() => texts(brief).length === 2)
    await gone(mqtt, 'brief', brief)
    await publish(mqtt, ['three'])
    const again = await returning(mqtt, 'sleeper', { expiryS: 100 })
    await eventually(() => texts(again).length === 2)
    expect(texts(await settled(again))).toEqual(['one', 'three'])
  })

  test('that has unsubscribed keeps what is in flight to it', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await member(mqtt, 'a', { expiryS: 100 })
    await publish(mqtt, ['held'])
    const { messageId } = await first.next('publish')
    const other = await member(mqtt, 'b')
    first.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [FILTER] })
    await first.next('unsuback')
    await using crashed = await afterCrash(mqtt, folder.path, neverSaved)
    await gone(mqtt, 'a', first)
    await publish(mqtt, ['next'])
    expect(textOf(await other.next('publish'))).toBe('next')
    for (const server of [mqtt, crashed]) {
      const again = await returning(server, 'a', { expiryS: 100 })
      const repeated = await again.next('publish')
      expect([textOf(repeated), repeated.dup, repeated.messageId]).toEqual(['held', true, messageId])
      again.send(puback(messageId))
      await settled(again)
      await gone(server, 'a', again)
      expect((await server.store.tables.session('a'))?.inflight).toEqual([])
    }
    expect(texts(await settled(other))).toEqual(['next'])
  })
})

test('a message that a member refuses goes to nobody else', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path })
  const refusing = await member(mqtt, 'refusing', { qos: 2, expiryS: 100 })
  await publish(mqtt, ['one'], 1)
  await publish(mqtt, ['two'], 2)
  refusing.send(puback((await refusing.next('publish')).messageId, 0x80))
  refusing.send({ cmd: 'pubrec', messageId: (await refusing.next('publish')).messageId, reasonCode: 0x97 })
  await settled(refusing)
  const other = await member(mqtt, 'other', { qos: 2 })
  await gone(mqtt, 'refusing', refusing)
  await publish(mqtt, ['three'])
  expect(textOf(await other.next('publish'))).toBe('three')
  const again = await returning(mqtt, 'refusing', { expiryS: 100 })
  expect((await settled(again)).packets.filter(({ cmd }) => cmd === 'publish' || cmd === 'pubrel')).toEqual(
    []
  )
  expect(texts(await settled(other))).toEqual(['three'])
})

describe('a group that is away', () => {
  test('finds what it missed when any of its members returns, also over a restart', async () => {
    await using folder = await temporaryFolder()
    {
      await using mqtt = await startMqtt({ dir: folder.path })
      for (const id of ['a', 'b']) {
        const client = await member(mqtt, id, { qos: 2, expiryS: 100 })
        await gone(mqtt, id, client)
      }
      await publish(mqtt, ['none'], 0)
      await publish(mqtt, ['one'], 1)
      await publish(mqtt, ['two'], 2)
    }
    await using mqtt = await startMqtt({ dir: folder.path })
    await publish(mqtt, ['after'], 1)
    const first = await returning(mqtt, 'b', { expiryS: 100 })
    await eventually(() => texts(first).length === 3)
    expect(new Map(first.all('publish').map(packet => [textOf(packet), packet.qos]))).toEqual(
      new Map([
        ['one', 1],
        ['two', 2],
        ['after', 1]
      ])
    )
    const second = await returning(mqtt, 'a', { expiryS: 100 })
    await publish(mqtt, ['x', 'y'], 0)
    await eventually(() => texts(first).length + texts(second).length === 5)
    expect(texts(second)).toHaveLength(1)
  })

  test('that subscribed at QoS 0 finds nothing', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    await gone(mqtt, 'a', await member(mqtt, 'a', { qos: 0, expiryS: 100 }))
    await publish(mqtt, ['missed'], 2)
    const again = await returning(mqtt, 'a', { expiryS: 100 })
    await publish(mqtt, ['live'], 2)
    expect(textOf(await again.next('publish'))).toBe('live')
  })

  test('does not find what has expired', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    await gone(mqtt, 'a', await member(mqtt, 'a', { expiryS: 100 }))
    await publish(mqtt, ['short-lived'], 1, { properties: { messageExpiryInterval: 1 } })
    await publish(mqtt, ['lasting'], 1, { properties: { messageExpiryInterval: 1000 } })
    const publishedAt = Date.now()
    await eventually(() => Date.now() > publishedAt + 2000)
    const again = await returning(mqtt, 'a', { expiryS: 100 })
    const { payload, properties } = await again.next('publish')
    expect(payload.toString()).toBe('lasting')
    expect(properties?.messageExpiryInterval).toBeLessThan(1000)
  })
})

describe('a crash', () => {
  test('loses nothing that a group of durable sessions has not acknowledged', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: neverSaved })
    const a = await member(mqtt, 'a', { expiryS: 100 })
    const b = await member(mqtt, 'b', { expiryS: 100 })
    await publish(mqtt, numbers(1, 10))
    await eventually(() => texts(a).length + texts(b).length === 10)
    await gone(mqtt, 'b', b) // what it had is a's now
    await eventually(() => texts(a).length === 10)
    await gone(mqtt, 'a', a)
    await publish(mqtt, ['11'])
    await using crashed = await afterCrash(mqtt, folder.path)
    const again = await returning(crashed, 'b', { expiryS: 100 })
    await eventually(() => texts(again).length === 11)
    expect(texts(again).toSorted((x, y) => Number(x) - Number(y))).toEqual(numbers(1, 11))
  })

  test.each([100, 600_000])(
    'with members connected has unacknowledged messages sent to any of them (places saved every %i ms)',
    async sessionSaveMs => {
      await using folder = await temporaryFolder()
      await using mqtt = await startMqtt({ dir: folder.path, settings: { sessionSaveMs } })
      const brief = await member(mqtt, 'brief')
      const lasting = await member(mqtt, 'lasting', { expiryS: 100 })
      const before = mqtt.store.log.bounds().last
      await publish(mqtt, numbers(1, 6))
      await eventually(() => texts(brief).length + texts(lasting).length === 6)
      for (const client of [brief, lasting]) {
        const [first] = client.all('publish')
        client.send(puback(first?.messageId))
        await settled(client)
      }
      const acknowledged = [brief, lasting].map(client => texts(client)[0])
      if (sessionSaveMs < 1000)
        await eventually(async () => (await mqtt.store.tables.shares())[0]?.due.length === 4)
      else expect((await mqtt.store.tables.shares())[0]?.cursor).toBeLessThanOrEqual(before)
      await using crashed = await afterCrash(mqtt, folder.path)
      const again = await returning(crashed, 'lasting', { expiryS: 100 })
      const expected =
        sessionSaveMs < 1000 ? numbers(1, 6).filter(text => !acknowledged.includes(text)) : numbers(1, 6)
      await eventually(() => texts(again).length >= expected.length)
      await publish(crashed, ['new'])
      await eventually(() => texts(again).includes('new'))
      expect(texts(again)).toEqual([...expected, 'new'])
    }
  )

  test('has no QoS 2 message sent twice, finished or not', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: neverSaved })
    const brief = await member(mqtt, 'brief', { qos: 2 })
    const a = await member(mqtt, 'a', { qos: 2, expiryS: 100 })
    const b = await member(mqtt, 'b', { qos: 2, expiryS: 100 })
    await publish(mqtt, numbers(1, 9), 2)
    await eventually(() => [brief, a, b].flatMap(texts).length === 9)
    const [finished, released] = a.all('publish')
    a.send({ cmd: 'pubrec', messageId: finished?.messageId })
    await a.next('pubrel')
    a.send({ cmd: 'pubcomp', messageId: finished?.messageId })
    a.send({ cmd: 'pubrec', messageId: released?.messageId })
    await a.next('pubrel')
    await using crashed = await afterCrash(mqtt, folder.path, neverSaved)
    const again = await returning(crashed, 'b', { expiryS: 100 })
    await publish(crashed, ['new'], 2)
    await eventually(() => texts(again).length >= 4)
    expect(again.all('publish').map(packet => [textOf(packet), packet.dup])).toEqual([
      ...texts(b).map(text => [text, true]),
      ['new', false]
    ])
    const itself = await returning(crashed, 'a', { expiryS: 100 })
    await eventually(() => itself.all('pubrel').length === 2 && texts(itself).length === 1)
    expect(texts(itself)).toEqual([texts(a)[2]])
  })

  test('does not bring back what the session of a finished QoS 2 message took along', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: neverSaved })
    const a = await member(mqtt, 'a', { qos: 2, expiryS: 100 })
    await publish(mqtt, ['finished', 'open'], 2)
    await eventually(() => texts(a).length === 2)
    await gone(mqtt, 'b', await member(mqtt, 'b', { qos: 2, expiryS: 100 }))
    const [finished] = a.all('publish')
    a.send({ cmd: 'pubrec', messageId: finished?.messageId })
    await a.next('pubrel')
    a.send({ cmd: 'pubcomp', messageId: finished?.messageId })
    await settled(a)
    const anew = await rawMqtt(mqtt.port, 5)
    anew.send(connectPacket('a', 5))
    await anew.next('connack')
    await using crashed = await afterCrash(mqtt, folder.path)
    const again = await returning(crashed, 'b', { expiryS: 100 })
    await publish(crashed, ['new'], 2)
    expect(textOf(await again.next('publish'))).toBe('new')
    expect(texts(await settled(again))).toEqual(['new'])
  })
})

test('every message comes once while members come and go under load', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path, settings: { inflightMax: 16 } })
  const members = await Promise.all(['a', 'b'].map(id => counting(mqtt, id)))
  const [leaving] = members as [Counting]
  const publisher = await mqtt.connect()
  const publishNumber = (text: string) => publisher.publishAsync('t/x', text, { qos: 1 })
  let published = 0
  const enough = new AbortController()
  // Always more of it than the members have room for.
  const load = (async () => {
    for (; !enough.signal.aborted; published += 500)
      await Promise.all(numbers(published + 1, published + 500).map(publishNumber))
  })()
  const reached = (count: number) => eventually(() => total(members) > count)
  await reached(300)
  members.push(await counting(mqtt, 'c'))
  await reached(900)
  await leaving.client.unsubscribeAsync(FILTER)
  await reached(1500)
  await leaving.client.subscribeAsync(FILTER, { qos: 1 })
  members.push(await counting(mqtt, 'd', { qos: 2 }))
  await reached(2100)
  await members[1]?.client.unsubscribeAsync(FILTER)
  await eventually(() => members.every(({ got }) => got.length > 0), { what: 'some for each of them' })
  enough.abort()
  await load
  await eventually(() => total(members) >= published)
  expect(all(members)).toEqual(numbers(1, published))
})
