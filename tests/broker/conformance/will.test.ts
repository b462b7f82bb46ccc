// Wills: sections 3.1.2.5 to 3.1.2.7, 3.1.3.2 and 3.14.4.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { connectPacket, rawMqtt, type RawMqtt } from '../raw-mqtt.ts'
import {
  connackCode,
  connected,
  endCode,
  publish,
  receivedUntilNow,
  sharedServer,
  subscribe,
  subscribed
} from './suite.ts'
import {
  bytes,
  connectBytes,
  packet,
  properties,
  text,
  uint32,
  userProperty,
  versions,
  type Version
} from './wire.ts'

const server = sharedServer({ access: [{ devices: ['*'], publish: ['w/#'], subscribe: ['#'] }] })

const willFor = (topic: string, more: object = {}) => ({
  will: { topic, payload: Buffer.from('gone'), qos: 1, retain: false, ...more }
})

/** Who watches a topic; the topic is its client id as well. */
const watching = (topic: string, version: Version = 4) =>
  subscribed(server(), { clientId: `watcher of ${topic}`, version, filter: topic })

async function payloadOf(watcher: RawMqtt): Promise<string> {
  return (await watcher.next('publish')).payload.toString()
}

describe.each(versions)('wills at protocol level %i', version => {
  test('[MQTT-3.1.2-7] [MQTT-3.1.2-8] one is published when its connection is lost, once', async () => {
    const topic = `w/lost/${version}`
    const watcher = await watching(topic)
    const client = await connected(server(), topic, version, willFor(topic))
    client.socket.resetAndDestroy()
    expect(await payloadOf(watcher)).toBe('gone')
    expect(await receivedUntilNow(server(), watcher, topic)).toEqual(['gone'])
  })

  test('[MQTT-3.1.2-8] one is published when the client closes without a goodbye', async () => {
    const topic = `w/closed/${version}`
    const watcher = await watching(topic)
    const client = await connected(server(), topic, version, willFor(topic))
    client.socket.end()
    expect(await payloadOf(watcher)).toBe('gone')
  })

  test('[MQTT-3.1.2-8] one is published when the server ends the connection for an error', async () => {
    const topic = `w/error/${version}`
    const watcher = await watching(topic)
    const client = await connected(server(), topic, version, willFor(topic))
    client.sendBytes(packet(0xf1))
    expect(await payloadOf(watcher)).toBe('gone')
  })

  test('[MQTT-3.1.2-8] one is published when the connection is taken over, unless it waits', async () => {
    const topic = `w/taken/${version}`
    const watcher = await watching(topic)
    await connected(server(), topic, version, willFor(topic))
    await connected(server(), topic, version)
    expect(await payloadOf(watcher)).toBe('gone')
    expect(await receivedUntilNow(server(), watcher, topic)).toEqual(['gone'])
  })

  test('[MQTT-3.1.2-10] [MQTT-3.14.4-3] a goodbye removes it', async () => {
    const topic = `w/goodbye/${version}`
    const watcher = await watching(topic)
    const client = await connected(server(), topic, version, willFor(topic))
    client.send({ cmd: 'disconnect' })
    await client.end()
    expect(await receivedUntilNow(server(), watcher, topic)).toEqual([])
  })

  test('[MQTT-3.1.2-10] it is published once only: not when the next connection is lost', async () => {
    const topic = `w/once/${version}`
    const watcher = await watching(topic)
    const client = await connected(server(), topic, version, { clean: false, ...willFor(topic) })
    client.socket.resetAndDestroy()
    expect(await payloadOf(watcher)).toBe('gone')
    const next = await connected(server(), topic, version, { clean: false })
    next.socket.resetAndDestroy()
    await eventually(() => !server().presence.connected(topic), { what: 'that the server notices' })
    expect(await receivedUntilNow(server(), watcher, topic)).toEqual(['gone'])
  })

  test('[3.1.1: MQTT-3.1.2-12] without a will nothing is published', async () => {
    const topic = `w/none/${version}`
    const watcher = await watching('w/none/#')
    const client = await connected(server(), topic, version)
    client.socket.resetAndDestroy()
    await eventually(() => !server().presence.connected(topic), { what: 'that the server notices' })
    const marker = await connected(server(), `${topic}/marker`, version, willFor(`${topic}/marker`))
    marker.socket.resetAndDestroy()
    expect((await watcher.next('publish')).topic).toBe(`${topic}/marker`)
    watcher.socket.end()
  })

  test('[MQTT-3.1.2-12] [3.1.1: MQTT-3.1.2-14] [3.1.1: MQTT-3.1.2-9] it has the QoS of its CONNECT', async () => {
    for (const qos of [0, 1, 2]) {
      const topic = `w/qos${qos}/${version}`
      const watcher = await watching(topic, version)
      const client = await connected(server(), topic, version, willFor(topic, { qos }))
      client.socket.resetAndDestroy()
      expect(await watcher.next('publish')).toMatchObject({ qos, dup: false, retain: false })
    }
  })

  test('[MQTT-3.1.2-14] [3.1.1: MQTT-3.1.2-16] without its retain flag it is not retained', async () => {
    const topic = `w/flying/${version}`
    const watcher = await watching(topic)
    const client = await connected(server(), topic, version, willFor(topic))
    client.socket.resetAndDestroy()
    await payloadOf(watcher)
    const late = await watching(topic, version)
    expect(await receivedUntilNow(server(), late, topic)).toEqual([])
  })

  test('[MQTT-3.1.2-15] [3.1.1: MQTT-3.1.2-17] with its retain flag it is retained', async () => {
    const topic = `w/retained/${version}`
    const watcher = await watching(topic)
    const client = await connected(server(), topic, version, willFor(topic, { retain: true }))
    client.socket.resetAndDestroy()
    expect(await watcher.next('publish')).toMatchObject({ retain: false })
    const late = await watching(topic, version)
    expect(await late.next('publish')).toMatchObject({ retain: true, topic })
  })

  test('[MQTT-3.3.1-6] one of no bytes with its retain flag removes what was retained', async () => {
    const topic = `w/cleared/${version}`
    const watcher = await watching(topic)
    watcher.send(publish(topic, 'before', { qos: 1, messageId: 1, retain: true }))
    expect(await payloadOf(watcher)).toBe('before')
    const clearing = willFor(topic, { retain: true, payload: Buffer.alloc(0) })
    const client = await connected(server(), topic, version, clearing)
    client.socket.resetAndDestroy()
    expect(await payloadOf(watcher)).toBe('')
    const late = await watching(topic, version)
    expect(await receivedUntilNow(server(), late, topic)).toEqual([])
  })

  test('one whose topic the device may not publish to is refused', async () => {
    const client = await rawMqtt(server().port, version)
    client.send(connectPacket('forbidden', version, willFor('forbidden')))
    expect(await endCode(client)).toBe(version === 5 ? 0x87 : 5)
  })

  test('[MQTT-3.1.2-7] [3.1.1: MQTT-3.1.2-8] a CONNECT that is refused leaves none', async () => {
    const topic = `w/refused/${version}`
    const watcher = await watching(topic)
    const client = await rawMqtt(server().port, version)
    client.send(connectPacket('x'.repeat(300), version, willFor(topic)))
    await endCode(client)
    expect(await receivedUntilNow(server(), watcher, topic)).toEqual([])
  })
})

describe('wills of MQTT 5', () => {
  const kept = (sessionExpiryInterval: number) => ({ clean: false, properties: { sessionExpiryInterval } })
  const delayed = (topic: string, willDelayInterval: number) =>
    willFor(topic, { properties: { willDelayInterval } })

  test('[MQTT-3.14.4-3] a goodbye of 0x04 asks for the will', async () => {
    const watcher = await watching('w/with-will')
    const client = await connected(server(), 'with-will', 5, willFor('w/with-will'))
    client.send({ cmd: 'disconnect', reasonCode: 4 })
    expect(await payloadOf(watcher)).toBe('gone')
    await client.end()
  })

  test('[MQTT-3.1.2-8] a goodbye with an error leaves the will to be published', async () => {
    const watcher = await watching('w/unwell')
    const client = await connected(server(), 'unwell', 5, willFor('w/unwell'))
    client.send({ cmd: 'disconnect', reasonCode: 0x80 })
    expect(await payloadOf(watcher)).toBe('gone')
  })

  test('[MQTT-3.1.2-8] a delay is kept', async () => {
    const watcher = await watching('w/delayed')
    const client = await connected(server(), 'delayed', 5, { ...kept(600), ...delayed('w/delayed', 2) })
    const before = performance.now()
    client.socket.resetAndDestroy()
    expect(await payloadOf(watcher)).toBe('gone')
    expect(performance.now() - before).toBeGreaterThanOrEqual(1990)
  })

  test('[MQTT-3.1.2-8] a session that ends does not wait for the delay', async () => {
    const watcher = await watching('w/session-end')
    const client = await connected(server(), 'session-end', 5, {
      ...kept(1),
      ...delayed('w/session-end', 600)
    })
    client.socket.resetAndDestroy()
    expect(await payloadOf(watcher)).toBe('gone')
    const brief = await connected(server(), 'no-session', 5, delayed('w/session-end', 600))
    brief.socket.resetAndDestroy()
    expect(await payloadOf(watcher)).toBe('gone')
  })

  test('[MQTT-3.1.2-8] a clean start ends the session, so the will that waits is published', async () => {
    const watcher = await watching('w/clean-start')
    const client = await connected(server(), 'clean-start', 5, {
      ...kept(600),
      ...delayed('w/clean-start', 600)
    })
    client.socket.resetAndDestroy()
    await eventually(async () =>
      (await server().store.tables.wills()).some(
        ({ session, dueAt }) => session === 'clean-start' && dueAt !== null
      )
    )
    await connected(server(), 'clean-start', 5, { clean: true })
    expect(await payloadOf(watcher)).toBe('gone')
  })

  test('[MQTT-3.1.3-9] who is back within the delay has no will published', async () => {
    const watcher = await watching('w/back')
    const client = await connected(server(), 'back', 5, { ...kept(600), ...delayed('w/back', 600) })
    client.socket.resetAndDestroy()
    const again = await connected(server(), 'back', 5, kept(600))
    again.send({ cmd: 'disconnect', properties: { sessionExpiryInterval: 0 } })
    await again.end()
    expect(await receivedUntilNow(server(), watcher, 'w/back')).toEqual([])
  })

  test('[MQTT-3.1.3-9] nor who takes the session over', async () => {
    const watcher = await watching('w/over')
    await connected(server(), 'over', 5, { ...kept(600), ...delayed('w/over', 600) })
    const second = await connected(server(), 'over', 5, kept(600))
    second.send({ cmd: 'disconnect', properties: { sessionExpiryInterval: 0 } })
    await second.end()
    expect(await receivedUntilNow(server(), watcher, 'w/over')).toEqual([])
  })

  test('[MQTT-3.1.3-10] its properties are those of its message, user properties in order', async () => {
    const pairs = [userProperty('b', '1'), userProperty('a', '2'), userProperty('b', '3')]
    const passed = [
      bytes(0x01, 1),
      bytes(0x03),
      text('text/plain'),
      bytes(0x08),
      text('w/answer'),
      bytes(0x09),
      text('42')
    ]
    const delay = Buffer.concat([bytes(0x18), uint32(0)])
    const expiry = Buffer.concat([bytes(0x02), uint32(1000)])
    const watcher = await watching('w/properties', 5)
    const client = await rawMqtt(server().port, 5)
    const willProperties = properties(delay, expiry, ...passed, ...pairs)
    const payload = [text('properties'), willProperties, text('w/properties'), text('gone')]
    client.sendBytes(connectBytes({ version: 5, flags: 0x06, payload }))
    expect(await connackCode(client)).toBe(0)
    client.socket.resetAndDestroy()
    const { properties: passedOn } = await watcher.next('publish')
    expect(passedOn?.messageExpiryInterval).toBeGreaterThan(900)
    expect(passedOn?.messageExpiryInterval).toBeLessThanOrEqual(1000)
    expect(passedOn).toMatchObject({
      payloadFormatIndicator: true,
      contentType: 'text/plain',
      responseTopic: 'w/answer',
      correlationData: Buffer.from('42')
    })
    expect(watcher.received.includes(Buffer.concat(pairs))).toBe(true)
    expect(watcher.all('publish')[0]?.properties).not.toHaveProperty('willDelayInterval')
  })

  test('a will’s subscriber with No Local does not get its own', async () => {
    const client = await connected(server(), 'own-will', 5, { ...kept(600), ...willFor('w/own') })
    client.send(subscribe('w/own', 1, { nl: true }))
    await client.next('suback')
    client.socket.resetAndDestroy()
    await eventually(async () =>
      (await server().store.tables.wills()).every(({ session }) => session !== 'own-will')
    )
    const again = await connected(server(), 'own-will', 5, kept(600))
    expect(await receivedUntilNow(server(), again, 'w/own')).toEqual([])
  })
})
