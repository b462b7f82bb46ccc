// MQTT clients against the real server and a real store: what is published reaches whom it should.
import { describe, expect, test } from '@jest/globals'
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt } from './mqtt-harness.ts'

interface Received {
  topic: string
  text: string
  packet: IPublishPacket
}

function collect(client: MqttClient): Received[] {
  const received: Received[] = []
  client.on('message', (topic, payload, packet) => received.push({ topic, text: payload.toString(), packet }))
  return received
}

function happening<Value>(client: MqttClient, event: 'close' | 'connect'): Promise<Value> {
  return new Promise(resolve => client.once(event, (value?: unknown) => resolve(value as Value)))
}

const texts = (received: Received[]) => received.map(({ text }) => text)
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index))

describe.each([4, 5] as const)('MQTT protocol level %i', protocolVersion => {
  test('delivers at each QoS, in order', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await mqtt.connect({ protocolVersion })
    const received = collect(subscriber)
    await subscriber.subscribeAsync({ 'zero/#': { qos: 0 }, 'one/#': { qos: 1 }, 'two/#': { qos: 2 } })
    const publisher = await mqtt.connect({ protocolVersion })
    const published = ['zero/a', 'one/a', 'two/a'].flatMap((topic, index) =>
      numbers(1, 50).map(text => publisher.publishAsync(topic, text, { qos: index as 0 | 1 | 2 }))
    )
    await Promise.all(published)
    await eventually(() => received.length >= 150)
    for (const [index, topic] of ['zero/a', 'one/a', 'two/a'].entries()) {
      const ofTopic = received.filter(message => message.topic === topic)
      expect(texts(ofTopic)).toEqual(numbers(1, 50))
      expect(ofTopic.every(({ packet }) => packet.qos === index && !packet.retain && !packet.dup)).toBe(true)
    }
    expect(received).toHaveLength(150)
  })

  test('acknowledges QoS 1 and QoS 2 only when the event is in the log', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const publisher = await mqtt.connect({ protocolVersion, clientId: 'dev-1' })
    await publisher.publishAsync('a/b', 'one', { qos: 1 })
    expect(mqtt.store.log.bounds().last).toBeGreaterThanOrEqual(2) // online, and the event
    await publisher.publishAsync('a/b', 'two', { qos: 2 })
    const { items } = await mqtt.store.log.read(0, { limit: 10, filter: { kinds: ['event'] } })
    expect(
      items.map(item => item.kind === 'event' && [item.device, Buffer.from(item.payload).toString()])
    ).toEqual([
      ['dev-1', 'one'],
      ['dev-1', 'two']
    ])
  })

  test('delivers one copy for overlapping subscriptions, at the highest QoS', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await mqtt.connect({ protocolVersion })
    const received = collect(subscriber)
    await subscriber.subscribeAsync({ 'a/#': { qos: 0 }, 'a/+': { qos: 2 }, 'a/b': { qos: 1 } })
    const publisher = await mqtt.connect({ protocolVersion })
    await publisher.publishAsync('a/b', 'x', { qos: 2 })
    await eventually(() => received.length > 0) // MQTT.js shows a QoS 2 message when its exchange is over
    await publisher.publishAsync('a/b', 'end', { qos: 1 })
    await eventually(() => texts(received).includes('end'))
    expect(received.map(({ text, packet }) => [text, packet.qos])).toEqual([
      ['x', 2],
      ['end', 1]
    ])
  })

  test('sends the retained message on subscribing, and none after it was cleared', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const publisher = await mqtt.connect({ protocolVersion })
    await publisher.publishAsync('state/a', 'on', { qos: 1, retain: true })
    await publisher.publishAsync('state/b', 'gone', { qos: 1, retain: true })
    await publisher.publishAsync('state/b', '', { qos: 1, retain: true })
    const subscriber = await mqtt.connect({ protocolVersion })
    const received = collect(subscriber)
    await subscriber.subscribeAsync('state/+', { qos: 1 })
    await publisher.publishAsync('state/a', 'live', { qos: 1, retain: true })
    await eventually(() => texts(received).includes('live'))
    expect(received.map(({ text, packet }) => [text, packet.retain])).toEqual([
      ['on', true],
      ['live', false]
    ])
  })

  test('keeps retained messages over a restart', async () => {
    await using folder = await temporaryFolder()
    {
      await using mqtt = await startMqtt({ dir: folder.path })
      const publisher = await mqtt.connect({ protocolVersion })
      await publisher.publishAsync('state/a', 'kept', { qos: 1, retain: true })
    }
    await using mqtt = await startMqtt({ dir: folder.path })
    const subscriber = await mqtt.connect({ protocolVersion })
    const received = collect(subscriber)
    await subscriber.subscribeAsync('#', { qos: 1 })
    await eventually(() => received.length > 0)
    expect(texts(received)).toEqual(['kept'])
  })

  test('gives a durable session what it missed, once and in order, also over a restart', async () => {
    await using folder = await temporaryFolder()
    const durable: IClientOptions = {
      protocolVersion,
      clientId: 'sleeper',
      clean: false,
      ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: 3600 } })
    }
    {
      await using mqtt = await startMqtt({ dir: folder.path })
      const sleeper = await mqtt.connect(durable)
      await sleeper.subscribeAsync('q/#', { qos: 1 })
      await sleeper.endAsync()
      const publisher = await mqtt.connect({ protocolVersion })
      for (const text of numbers(1, 40)) await publisher.publishAsync('q/x', text, { qos: 1 })
    }
    await using mqtt = await startMqtt({ dir: folder.path })
    const publisher = await mqtt.connect({ protocolVersion })
    for (const text of numbers(41, 60)) await publisher.publishAsync('q/x', text, { qos: 2 })
    const sleeper = mqtt.connectLater(durable)
    const received = collect(sleeper)
    const connack = await happening<{ sessionPresent: boolean }>(sleeper, 'connect')
    expect(connack.sessionPresent).toBe(true)
    await eventually(() => received.length >= 60)
    await publisher.publishAsync('q/x', 'live', { qos: 1 })
    await eventually(() => texts(received).includes('live'))
    expect(texts(received)).toEqual([...numbers(1, 60), 'live'])
    expect(received.every(({ packet }) => packet.qos === 1)).toBe(true)
  })

  test('takes a session over: one connection stays, and no will of a device that is back is "offline"', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, offlineDelayMs: 0 })
    const first = await mqtt.connect({ protocolVersion, clientId: 'twin' })
    const closed = happening(first, 'close')
    const second = await mqtt.connect({ protocolVersion, clientId: 'twin' })
    await closed
    expect(second.connected).toBe(true)
    await second.publishAsync('still/here', 'yes', { qos: 1 })
    const { items } = await mqtt.store.log.read(0, { limit: 10, filter: { kinds: ['presence'] } })
    expect(items.map(item => item.kind === 'presence' && [item.status, item.reason, item.order])).toEqual([
      ['online', 'connected', 1],
      ['online', 'takeover', 2]
    ])
  })

  test('leaves one connection when many connect with one id at the same time', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    for (let round = 0; round < 10; round++) {
      const clients = [1, 2, 3, 4].map(() => mqtt.connectLater({ protocolVersion, clientId: 'crowd' }))
      let closed = 0
      for (const client of clients) client.on('close', () => closed++)
      const survivor = await eventually(() => closed === 3 && clients.find(client => client.connected))
      await survivor.publishAsync('round', String(round), { qos: 1 })
      expect(mqtt.presence.count).toBe(1)
      await survivor.endAsync()
      await eventually(() => mqtt.presence.count === 0)
    }
  })

  test('publishes the will of a client that vanishes, and not of one that says goodbye', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const watcher = await mqtt.connect({ protocolVersion })
    const received = collect(watcher)
    await watcher.subscribeAsync('wills/#', { qos: 1 })
    const polite = await mqtt.connect({
      protocolVersion,
      will: { topic: 'wills/polite', payload: Buffer.from('x'), qos: 1, retain: false }
    })
    await polite.endAsync()
    const lost = await mqtt.connect({
      protocolVersion,
      will: { topic: 'wills/lost', payload: Buffer.from('y'), qos: 1, retain: false }
    })
    lost.stream.destroy()
    await eventually(() => received.length > 0)
    expect(received.map(({ topic, text }) => [topic, text])).toEqual([['wills/lost', 'y']])
  })

  test('lets a frozen subscriber catch up from the log while others get everything at once', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { unsentBytesMax: 65_536 } })
    const frozen = await mqtt.connect({ protocolVersion })
    const frozenReceived = collect(frozen)
    await frozen.subscribeAsync({ 'load/#': { qos: 0 } })
    const other = await mqtt.connect({ protocolVersion })
    const otherReceived = collect(other)
    await other.subscribeAsync({ 'load/#': { qos: 1 } })
    frozen.stream.pause()
    const publisher = await mqtt.connect({ protocolVersion })
    const count = 3000
    const padding = 'x'.repeat(5000)
    for (const text of numbers(1, count))
      await publisher.publishAsync('load/a', `${text} ${padding}`, { qos: 1 })
    await eventually(() => otherReceived.length >= count)
    expect(frozenReceived.length).toBeLessThan(count)
    frozen.stream.resume()
    await eventually(() => frozenReceived.length >= count)
    const first = (received: Received[]) => received.map(({ text }) => text.split(' ')[0])
    expect(first(frozenReceived)).toEqual(numbers(1, count))
    expect(first(otherReceived)).toEqual(numbers(1, count))
  })

  test('refuses what is not allowed, as the protocol level can say it', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({
      dir: folder.path,
      access: [{ devices: ['*'], publish: ['out/%c/#'], subscribe: ['in/%c/#'] }]
    })
    const client = await mqtt.connect({ protocolVersion, clientId: 'dev-7' })
    const [granted, refused] = await client
      .subscribeAsync({ 'in/dev-7/x': { qos: 1 }, 'in/dev-8/x': { qos: 1 } })
      .catch(
        (error: { packet?: unknown }) =>
          [{ qos: 1 }, { qos: protocolVersion === 5 ? 0x87 : 0x80 }, error] as const
      )
    expect([granted?.qos, refused?.qos]).toEqual([1, protocolVersion === 5 ? 0x87 : 0x80])
    if (protocolVersion === 5) {
      await expect(client.publishAsync('out/dev-8/x', 'no', { qos: 1 })).rejects.toThrow('Not authorized')
      await client.publishAsync('out/dev-7/x', 'yes', { qos: 1 })
    } else {
      const closed = happening(client, 'close')
      client.publishAsync('out/dev-8/x', 'no', { qos: 1 }).catch(() => undefined)
      await closed
    }
  })
})
