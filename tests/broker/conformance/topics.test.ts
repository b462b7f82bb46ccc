// Topic names and topic filters, each way a message can find its subscribers: live, read from the log, and retained
// (MQTT 5.0 and 3.1.1 section 4.7).
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { durable, grants, heard, lost, names, payloads, published, refused } from './conversation.ts'
import { connected, settled, sharedServer } from './suite.ts'
import { bytes, noProperties, packet, text, uint16, versions, type Version } from './wire.ts'

const server = sharedServer({ settings: { topicLevelsMax: 200 } })
const name = names()
const client = (version: Version, more: object = {}) => connected(server(), name('c'), version, more)

// The examples of section 4.7 and their neighbours. `$internal` cannot be published by clients.
const topics = [
  'sport',
  'sport/',
  'sport/tennis/player1',
  'sport/tennis/player1/ranking',
  'sport/tennis/player1/score/wimbledon',
  'sport/tennis/player2',
  'Sport/tennis/player1',
  '/finance',
  'finance',
  '/',
  '//',
  'a//b',
  'a/ /b',
  'Accounts payable',
  'caf\u00e9',
  'cafe\u0301',
  '\ufeffbom',
  'bom'
]
const internal = ['$internal', '$internal/x', '$internal/tennis/player1']

const filters: [string, string[]][] = [
  [
    'sport/tennis/player1/#',
    ['sport/tennis/player1', 'sport/tennis/player1/ranking', 'sport/tennis/player1/score/wimbledon']
  ],
  ['sport/tennis/player1', ['sport/tennis/player1']],
  ['sport/#', topics.filter(topic => topic === 'sport' || topic.startsWith('sport/'))],
  ['sport/+', ['sport/']],
  ['sport/tennis/+', ['sport/tennis/player1', 'sport/tennis/player2']],
  ['+/tennis/#', topics.filter(topic => /^[^/]*\/tennis(\/|$)/.test(topic))],
  ['sport/+/player1', ['sport/tennis/player1']],
  ['sport/+/+/#', topics.filter(topic => topic.startsWith('sport/tennis/'))],
  ['+', topics.filter(topic => !topic.includes('/'))],
  ['+/+', ['sport/', '/finance', '/']],
  ['/+', ['/finance', '/']],
  ['+/', ['sport/', '/']],
  ['/#', ['/finance', '/', '//']],
  ['+/+/+', ['sport/tennis/player1', 'sport/tennis/player2', 'Sport/tennis/player1', '//', 'a//b', 'a/ /b']],
  ['a//b', ['a//b']],
  ['a/+/b', ['a//b', 'a/ /b']],
  ['Accounts payable', ['Accounts payable']],
  ['ACCOUNTS PAYABLE', []],
  ['caf\u00e9', ['caf\u00e9']],
  ['\ufeffbom', ['\ufeffbom']],
  ['#', topics],
  ['$internal/#', []] // not allowed
]

/** Publishes every topic of the list, its name as payload; those of the server itself go into its log. */
async function publishAll(retain: boolean): Promise<void> {
  const publisher = await client(4)
  for (const topic of topics) await published(publisher, topic, topic, { retain })
  for (const topic of internal) {
    await new Promise<void>(resolve =>
      server().store.log.append(
        {
          kind: 'event',
          device: 'server',
          severity: 'info',
          topic,
          payload: Buffer.from(topic),
          format: 'plain',
          source: 'mqtt',
          mqtt: { qos: 1, retain, session: 'server' }
        },
        () => resolve()
      )
    )
  }
}

const sorted = (list: readonly string[]) => list.toSorted()

describe.each(versions)('which topics a filter matches, protocol level %i', version => {
  test('[MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1] [MQTT-4.7.3-4] of live messages', async () => {
    const subscribers = await Promise.all(
      filters.map(async ([filter]) => {
        const subscriber = await client(version)
        await grants(subscriber, filter, { qos: 1 })
        return subscriber
      })
    )
    await publishAll(false)
    for (const [index, subscriber] of subscribers.entries()) {
      const [filter, expected] = filters[index] ?? ['', []]
      expect([filter, await heard(server(), subscriber)]).toEqual([filter, expected])
      subscriber.socket.destroy()
    }
  })

  test('[MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1] [MQTT-4.7.3-4] of messages that waited for a session', async () => {
    const ids = filters.map(() => name('away'))
    for (const [index, [filter]] of filters.entries()) {
      const subscriber = await connected(server(), ids[index] ?? '', version, durable(version))
      await grants(subscriber, filter, { qos: 1 })
      await lost(subscriber)
    }
    await publishAll(false)
    for (const [index, [filter, expected]] of filters.entries()) {
      const subscriber = await connected(server(), ids[index] ?? '', version, durable(version))
      await eventually(() => payloads(subscriber).length >= expected.length, { what: filter })
      expect([filter, await heard(server(), subscriber)]).toEqual([filter, expected])
      subscriber.socket.destroy()
    }
  })

  test('[MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1] [MQTT-4.7.3-4] of retained messages', async () => {
    await publishAll(true)
    for (const [filter, expected] of filters) {
      const subscriber = await client(version)
      await grants(subscriber, filter, { qos: 1 })
      const got = await heard(server(), subscriber)
      expect([filter, sorted(got)]).toEqual([filter, sorted(expected)])
      expect(subscriber.all('publish').filter(({ retain }) => retain)).toHaveLength(expected.length)
      subscriber.socket.destroy()
    }
    const publisher = await client(4)
    for (const topic of topics) await published(publisher, topic, '', { retain: true })
  })
})

describe.each(versions)('malformed topics, protocol level %i', version => {
  test.each([
    'sport/tennis#',
    'sport/#/ranking',
    '#/',
    '##',
    'sport+',
    '+sport',
    'sport/+x/y',
    'a/++',
    '+#',
    ''
  ])(
    '[MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1] the topic filter “%s” ends the connection, in SUBSCRIBE and UNSUBSCRIBE',
    async filter => {
      const subscriber = await client(version)
      subscriber.sendBytes(packet(0x82, uint16(1), noProperties(version), text(filter), bytes(0)))
      await refused(subscriber, version, 0x8f)
      const unsubscriber = await client(version)
      unsubscriber.sendBytes(packet(0xa2, uint16(1), noProperties(version), text(filter)))
      await refused(unsubscriber, version, 0x8f)
    }
  )

  test.each(['sport/#', 'sport/+', '+', '#', 'a+b', 'a#'])(
    '[MQTT-4.7.0-1] [MQTT-4.7.1-1] the topic name “%s” ends the connection',
    async topic => {
      const publisher = await client(version)
      publisher.sendBytes(packet(0x32, text(topic), uint16(1), noProperties(version)))
      await refused(publisher, version, 0x90, 0x81, 0x82)
      expect(publisher.all('puback')).toEqual([])
    }
  )

  test('[MQTT-4.7.3-1] an empty topic name ends the connection', async () => {
    const publisher = await client(version)
    publisher.sendBytes(packet(0x30, text(''), noProperties(version), Buffer.from('m')))
    await refused(publisher, version, 0x90, 0x81, 0x82)
  })

  test('[MQTT-4.7.3-2] NUL in a topic name or filter ends the connection', async () => {
    const publisher = await client(version)
    publisher.sendBytes(packet(0x30, text('a\0b'), noProperties(version)))
    await refused(publisher, version, 0x81, 0x90)
    const subscriber = await client(version)
    subscriber.sendBytes(packet(0x82, uint16(1), noProperties(version), text('\0'), bytes(0)))
    await refused(subscriber, version, 0x81, 0x8f)
  })

  test('[MQTT-4.7.3-3] a topic of 65,535 bytes is one like any other', async () => {
    const both = await client(version)
    const topic = 'é'.repeat(32_767) + 'x'
    expect(Buffer.byteLength(topic)).toBe(65_535)
    await grants(both, topic, { qos: 1 })
    await published(both, topic, 'm')
    expect((await both.next('publish')).topic).toBe(topic)
    both.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [topic] })
    await both.next('unsuback')
  })

  test('beyond `mqtt.topicLevelsMax` a filter fails and a topic is refused', async () => {
    const both = await client(version)
    const deep = Array.from({ length: 201 }, () => 'x').join('/')
    expect(await grants(both, [deep, deep.slice(2)])).toEqual([version === 5 ? 0x97 : 0x80, 0])
    await settled(both)
  })
})
