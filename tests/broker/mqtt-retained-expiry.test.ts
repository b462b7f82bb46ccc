// Retained messages that expire: they are gone from memory and store, and nothing else is.
import { describe, expect, test } from '@jest/globals'
import { ExpiryIndex } from '../../broker/mqtt/expiry-index.ts'
import { RetainedMessages } from '../../broker/mqtt/retained-messages.ts'
import type { EventNotification } from '../../store/notification.ts'
import type { RetainedRow } from '../../store/store.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

async function connected(mqtt: Harness, clientId: string): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, 5)
  client.send(connectPacket(clientId, 5))
  await client.next('connack')
  return client
}

/** Retains a message, which expires in `expiryS` if that is given. */
async function retain(client: RawMqtt, topic: string, expiryS?: number): Promise<number> {
  client.send({
    cmd: 'publish',
    topic,
    payload: 'x'.repeat(100),
    qos: 1,
    messageId: 1,
    retain: true,
    dup: false,
    ...(expiryS !== undefined && { properties: { messageExpiryInterval: expiryS } })
  })
  return (await client.next('puback')).reasonCode ?? 0
}

async function stored(mqtt: Harness): Promise<string[]> {
  const rows: RetainedRow[] = []
  await mqtt.store.tables.retained(page => void rows.push(...page))
  return rows.map(({ topic }) => topic).sort()
}

/** The topics whose retained messages answer a SUBSCRIBE. */
async function retained(mqtt: Harness): Promise<string[]> {
  const client = await connected(mqtt, `reader-${Math.random()}`)
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] })
  await client.next('suback')
  client.send({ cmd: 'pingreq' })
  await client.next('pingresp')
  return client
    .all('publish')
    .map(({ topic }) => topic)
    .sort()
}

describe('retained messages that have expired', () => {
  test('are removed, from the store too; others stay', async () => {
    await using folder = await temporaryFolder()
    let offsetMs = 0
    await using mqtt = await startMqtt({ dir: folder.path, now: () => Date.now() + offsetMs })
    const client = await connected(mqtt, 'c')
    await retain(client, 'short', 60)
    await retain(client, 'replaced', 60)
    await retain(client, 'long', 3600)
    await retain(client, 'for-ever')
    await retain(client, 'replaced', 3600)
    expect(await stored(mqtt)).toEqual(['for-ever', 'long', 'replaced', 'short'])
    offsetMs = 61_000
    await eventually(async () => (await stored(mqtt)).length === 3)
    expect(await stored(mqtt)).toEqual(['for-ever', 'long', 'replaced'])
    offsetMs = 3_700_000
    await eventually(async () => (await stored(mqtt)).length === 1)
    expect(await stored(mqtt)).toEqual(['for-ever'])
    expect(await retained(mqtt)).toEqual(['for-ever'])
  })

  test('make room for others', async () => {
    await using folder = await temporaryFolder()
    let offsetMs = 0
    const settings = { retainedMax: 1 }
    await using mqtt = await startMqtt({ dir: folder.path, settings, now: () => Date.now() + offsetMs })
    const client = await connected(mqtt, 'c')
    expect(await retain(client, 'a', 60)).toBe(0)
    expect(await retain(client, 'b')).toBe(0x97)
    offsetMs = 61_000
    await eventually(async () => (await retain(client, 'b')) === 0)
  })

  test('are removed when they expired while the server was down', async () => {
    await using folder = await temporaryFolder()
    {
      await using mqtt = await startMqtt({ dir: folder.path })
      const client = await connected(mqtt, 'c')
      await retain(client, 'short', 60)
      await retain(client, 'long', 3600)
    }
    await using mqtt = await startMqtt({ dir: folder.path, now: () => Date.now() + 61_000 })
    expect(await retained(mqtt)).toEqual(['long'])
    await eventually(async () => (await stored(mqtt)).length === 1)
    expect(await stored(mqtt)).toEqual(['long'])
  })
})

function event(topic: string, expiresAt?: number): EventNotification {
  return {
    kind: 'event',
    seq: 1,
    at: 0,
    device: 'd',
    severity: 'info',
    topic,
    payload: Buffer.from('x'),
    format: 'plain',
    source: 'mqtt',
    mqtt: { qos: 1, retain: true, session: 's', ...(expiresAt !== undefined && { expiresAt }) }
  }
}

test('memory counts what expires out, some at a time', () => {
  const messages = new RetainedMessages()
  for (let number = 0; number < 25; number++) messages.apply(event(`t/${number}`, 5000))
  messages.apply(event('t/3'))
  messages.apply({ ...event('t/4'), payload: Buffer.alloc(0) })
  expect(messages.expire(4999, 10)).toEqual([])
  const rounds = [1, 2, 3, 4].map(() => messages.expire(5000, 10).length)
  expect(rounds).toEqual([10, 10, 3, 0])
  expect([messages.count, messages.expiredCount]).toEqual([1, 23])
  messages.apply({ ...event('t/3'), payload: Buffer.alloc(0) })
  expect([messages.count, messages.bytes]).toEqual([0, 0])
})

describe('ExpiryIndex', () => {
  const second = 1_800_000_000

  test('gives what is due, once, and never before its time', () => {
    const index = new ExpiryIndex()
    index.add('a', second * 1000 + 1)
    index.add('b', second * 1000)
    index.add('c', (second + 5) * 1000)
    expect(index.take(second * 1000 - 1, 10)).toEqual([])
    expect(index.take(second * 1000, 10)).toEqual(['b'])
    expect(index.take((second + 1) * 1000, 10)).toEqual(['a'])
    expect(index.take((second + 4) * 1000, 10)).toEqual([])
    expect(index.take((second + 50_000) * 1000, 10)).toEqual(['c'])
    expect(index.take((second + 50_000) * 1000, 10)).toEqual([])
  })

  test('what is removed or was added anew is not due at its old time', () => {
    const index = new ExpiryIndex()
    index.add('a', second * 1000)
    index.add('b', second * 1000)
    index.remove('a', second * 1000)
    index.remove('b', second * 1000)
    index.add('b', (second + 10) * 1000)
    expect(index.take((second + 5) * 1000, 10)).toEqual([])
    expect(index.take((second + 10) * 1000, 10)).toEqual(['b'])
  })

  test('what is added for a time that has passed is due', () => {
    const index = new ExpiryIndex()
    index.add('later', (second + 100) * 1000)
    expect(index.take(second * 1000, 10)).toEqual([])
    index.add('past', (second - 100) * 1000)
    index.add('long-past', 1000)
    expect(index.take(second * 1000, 10).sort()).toEqual(['long-past', 'past'])
    expect(index.take((second + 100) * 1000, 10)).toEqual(['later'])
  })

  test('leaves what is beyond the number asked for to the next time', () => {
    const index = new ExpiryIndex()
    for (let number = 0; number < 10; number++) index.add(`t/${number}`, (second + (number % 3)) * 1000)
    const taken = [1, 2, 3, 4].flatMap(() => index.take((second + 1000) * 1000, 3))
    expect(taken.length).toBe(10)
    expect(new Set(taken).size).toBe(10)
  })
})
