// Section 3.3.2.3: the properties of PUBLISH that travel with a message, and Message Expiry.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import type { RawMqtt } from '../raw-mqtt.ts'
import {
  connected,
  endCode,
  publish,
  receivedUntilNow,
  sharedServer,
  subscribe,
  subscribed
} from './suite.ts'
import { bytes, properties, publishBytes, text, userProperty } from './wire.ts'

const server = sharedServer()

/** What came of a PUBLISH with these properties: to a subscriber that was there, and to one that came later. */
async function passedOn(topic: string, ...parts: Buffer[]): Promise<[RawMqtt, RawMqtt]> {
  const early = await subscribed(server(), { clientId: `early ${topic}`, version: 5, filter: topic })
  const publisher = await connected(server(), `publisher ${topic}`, 5)
  publisher.sendBytes(
    publishBytes({
      version: 5,
      topic,
      payload: 'x',
      qos: 1,
      packetId: 1,
      retain: true,
      properties: properties(...parts)
    })
  )
  await early.next('publish')
  const late = await subscribed(server(), { clientId: `late ${topic}`, version: 5, filter: topic })
  await late.next('publish')
  return [early, late]
}

const durable = { clean: false, properties: { sessionExpiryInterval: 60 } }

async function waitMs(ms: number): Promise<void> {
  const until = performance.now() + ms
  await eventually(() => performance.now() >= until)
}

describe('properties that are passed on', () => {
  test('[MQTT-3.3.2-4] the payload format indicator, also 0, and none where there was none', async () => {
    for (const value of [0, 1]) {
      for (const client of await passedOn(`format/${value}`, bytes(0x01, value))) {
        expect(client.all('publish')[0]?.properties).toEqual({ payloadFormatIndicator: value === 1 })
      }
    }
    for (const client of await passedOn('format/none')) {
      expect(client.all('publish')[0]?.properties).toBeUndefined()
    }
  })

  test('a payload is not checked to be what the indicator says', async () => {
    const client = await subscribed(server(), { clientId: 'unchecked', version: 5, filter: 'unchecked' })
    client.send(
      publish('unchecked', '', { payload: bytes(0xff), properties: { payloadFormatIndicator: true } })
    )
    expect((await client.next('publish')).payload).toEqual(bytes(0xff))
  })

  test('[MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-20] response topic, correlation data and content type, also empty ones', async () => {
    const data = bytes(0, 0xff, 0x80)
    const full = [
      bytes(0x08),
      text('answers/é'),
      bytes(0x09),
      text(data),
      bytes(0x03),
      text('text/plain; charset=é')
    ]
    for (const client of await passedOn('request', ...full)) {
      expect(client.all('publish')[0]?.properties).toEqual({
        responseTopic: 'answers/é',
        correlationData: data,
        contentType: 'text/plain; charset=é'
      })
    }
    for (const client of await passedOn('empty', bytes(0x09), text(''), bytes(0x03), text(''))) {
      expect(client.received.includes(Buffer.concat([bytes(0x09), text('')]))).toBe(true)
      expect(client.received.includes(Buffer.concat([bytes(0x03), text('')]))).toBe(true)
    }
  })

  test('[MQTT-3.3.2-17] [MQTT-3.3.2-18] user properties, all of them, in their order', async () => {
    const pairs = [
      userProperty('site', 'paris'),
      userProperty('unit', '°C'),
      userProperty('site', 'lyon'),
      userProperty('', ''),
      userProperty('2', 'b'),
      userProperty('1', 'a'),
      userProperty('__proto__', 'c'),
      userProperty('site', 'paris')
    ]
    for (const client of await passedOn('user', ...pairs)) {
      expect(client.received.includes(Buffer.concat(pairs))).toBe(true)
    }
  })

  test('they reach a durable session that was away', async () => {
    const session = await subscribed(server(), { clientId: 'away', version: 5, filter: 'away' }, durable)
    session.send({ cmd: 'disconnect' })
    await session.end()
    const pairs = Buffer.concat([userProperty('b', '1'), userProperty('a', '2'), userProperty('b', '3')])
    const publisher = await connected(server(), 'away-publisher', 5)
    publisher.sendBytes(
      publishBytes({
        version: 5,
        topic: 'away',
        qos: 2,
        packetId: 1,
        properties: properties(pairs, bytes(0x01, 1))
      })
    )
    await publisher.next('pubrec')
    const back = await connected(server(), 'away', 5, durable)
    expect((await back.next('publish')).properties?.payloadFormatIndicator).toBe(true)
    expect(back.received.includes(pairs)).toBe(true)
  })

  test.each([3, 4] as const)('a subscriber of level %i gets the message without them', async version => {
    const topic = `older/${version}`
    const client = await subscribed(server(), { clientId: topic, version, filter: topic })
    await passedOn(topic, bytes(0x01, 1), userProperty('a', 'b'))
    const whole = publishBytes({ version, topic, payload: 'x', qos: 1, packetId: 1 })
    await client.next('publish')
    expect(client.received.includes(whole.subarray(0, 2 + 2 + topic.length))).toBe(true)
    expect(client.all('publish')[0]?.payload.toString()).toBe('x')
  })

  test.each<[string, Buffer, number]>([
    [
      '[MQTT-3.3.2-13] a response topic that is not UTF-8',
      Buffer.concat([bytes(0x08), text(bytes(0xff))]),
      0x81
    ],
    ['[MQTT-3.3.2-14] a response topic with a wildcard', Buffer.concat([bytes(0x08), text('a/+')]), 0x90],
    ['[MQTT-3.3.2-14] a response topic that is a wildcard', Buffer.concat([bytes(0x08), text('#')]), 0x90],
    [
      '[MQTT-3.3.2-19] a content type that is not UTF-8',
      Buffer.concat([bytes(0x03), text(bytes(0xff))]),
      0x81
    ]
  ])('%s ends the connection', async (_what, property, code) => {
    const client = await connected(server(), 'bad', 5)
    client.sendBytes(publishBytes({ version: 5, topic: 't', properties: properties(property) }))
    expect(await endCode(client)).toBe(code)
  })
})

describe('message expiry', () => {
  const expiring = (topic: string, payload: string, messageExpiryInterval: number, more: object = {}) =>
    publish(topic, payload, { qos: 1, messageId: 1, properties: { messageExpiryInterval }, ...more })

  test('[MQTT-3.3.2-6] what is passed on at once has its whole interval, the largest there is as well', async () => {
    const client = await subscribed(server(), { clientId: 'at-once', version: 5, filter: 'at-once' })
    for (const interval of [100, 0xffffffff]) {
      client.send(expiring('at-once', 'x', interval))
      const { properties: received } = await client.next('publish')
      expect(received?.messageExpiryInterval).toBeGreaterThanOrEqual(interval - 5)
      expect(received?.messageExpiryInterval).toBeLessThanOrEqual(interval)
    }
  })

  test('[MQTT-3.3.2-5] [MQTT-3.3.2-6] what waits for a session or a subscriber loses time, and is gone in the end', async () => {
    const session = await subscribed(
      server(),
      { clientId: 'waits', version: 5, filter: 'waits/session' },
      durable
    )
    session.send({ cmd: 'disconnect' })
    await session.end()
    const publisher = await connected(server(), 'waits-publisher', 5)
    publisher.send(
      expiring('waits/session', 'brief', 1),
      expiring('waits/session', 'long', 100, { qos: 2, messageId: 2 }),
      expiring('waits/retained', 'long', 100, { retain: true }),
      expiring('waits/gone', 'brief', 1, { retain: true })
    )
    for (let count = 0; count < 3; count++) await publisher.next('puback')
    await waitMs(2100)
    const back = await connected(server(), 'waits', 5, durable)
    const late = await subscribed(server(), { clientId: 'waits-late', version: 5, filter: 'waits/retained' })
    for (const client of [back, late]) {
      const { payload, properties: received } = await client.next('publish')
      expect(payload.toString()).toBe('long')
      expect(received?.messageExpiryInterval).toBeGreaterThan(50)
      expect(received?.messageExpiryInterval).toBeLessThanOrEqual(98)
    }
    const none = await subscribed(server(), { clientId: 'waits-none', version: 5, filter: 'waits/gone' })
    expect(await receivedUntilNow(server(), none, 'waits/gone')).toEqual([])
    expect(await receivedUntilNow(server(), back, 'waits/session')).toEqual(['long'])
  })

  test('[MQTT-3.3.2-5] what waits for room in the window is gone when its time is over', async () => {
    const limits = { properties: { receiveMaximum: 1 } }
    const client = await subscribed(server(), { clientId: 'window', version: 5, filter: 'window' }, limits)
    client.send(
      expiring('window', 'first', 100),
      expiring('window', 'brief', 1),
      expiring('window', 'last', 100)
    )
    const { messageId } = await client.next('publish')
    for (let count = 0; count < 3; count++) await client.next('puback')
    await waitMs(1100)
    client.send({ cmd: 'puback', messageId })
    expect((await client.next('publish')).payload.toString()).toBe('last')
  })

  test('an interval of 0 has passed at once', async () => {
    const client = await subscribed(server(), { clientId: 'zero', version: 5, filter: 'zero' })
    client.send(expiring('zero', 'x', 0))
    await client.next('puback')
    expect(await receivedUntilNow(server(), client, 'zero')).toEqual([])
  })

  test('one that has expired replaces what was retained before it, and is none itself', async () => {
    const publisher = await connected(server(), 'replaced', 5)
    publisher.send(
      expiring('replaced', 'kept', 100, { retain: true }),
      expiring('replaced', 'x', 1, { retain: true })
    )
    await publisher.next('puback')
    await publisher.next('puback')
    await waitMs(1100)
    publisher.send(subscribe('replaced', 0))
    expect(await receivedUntilNow(server(), publisher, 'replaced')).toEqual([])
  })
})
