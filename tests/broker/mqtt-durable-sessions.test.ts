// Durable MQTT sessions and wills where they could go astray: takeovers, reads that fail, a log that cannot be written.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

const durable = { clean: false }
const withWill = { ...durable, will: { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false } }
const subscribe = (topic: string, qos: number) => ({
  cmd: 'subscribe',
  messageId: 7,
  subscriptions: [{ topic, qos }]
})

async function connected(mqtt: Harness, clientId: string, more: object): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port)
  client.send(connectPacket(clientId, 4, more))
  await client.next('connack')
  return client
}

async function gone(client: RawMqtt): Promise<void> {
  client.socket.destroy()
  await eventually(() => client.closed)
}

describe('a durable session', () => {
  test('is still stored away after another connection took it over', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await connected(mqtt, 'd', withWill)
    first.send(subscribe('t', 1))
    await first.next('suback')
    const second = await connected(mqtt, 'd', withWill)
    const publisher = await mqtt.connect()
    await publisher.publishAsync('t', 'once', { qos: 1 })
    const { messageId } = await second.next('publish')
    second.send({ cmd: 'puback', messageId })
    second.send({ cmd: 'pingreq' })
    await second.next('pingresp')
    await gone(second)
    await eventually(async () => (await mqtt.store.tables.session('d'))?.expiresAt != null, {
      what: 'the time of its end'
    })
    const third = await connected(mqtt, 'd', durable)
    await publisher.publishAsync('t', 'twice', { qos: 1 })
    await third.next('publish')
    expect(third.all('publish').map(packet => packet.payload.toString())).toEqual(['twice'])
  })

  test('reads on by itself after a read of the log has failed', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await connected(mqtt, 'd', durable)
    first.send(subscribe('t', 1))
    await first.next('suback')
    await gone(first)
    await eventually(async () => (await mqtt.store.tables.session('d'))?.expiresAt != null)
    const publisher = await mqtt.connect()
    await publisher.publishAsync('t', 'missed', { qos: 1 })
    const { log } = mqtt.store
    const read = log.read.bind(log)
    let failures = 0
    log.read = () => {
      log.read = read
      failures++
      return Promise.reject(new Error('the disk did not answer'))
    }
    const second = await connected(mqtt, 'd', durable)
    const { payload } = await second.next('publish')
    expect(payload.toString()).toBe('missed')
    expect(failures).toBe(1)
  })

  test('does not send again what is larger than the client takes by now', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const open = async (properties: object) => {
      const client = await rawMqtt(mqtt.port, 5)
      client.send(
        connectPacket('d', 5, { clean: false, properties: { sessionExpiryInterval: 100, ...properties } })
      )
      await client.next('connack')
      return client
    }
    const first = await open({})
    first.send(subscribe('t', 1))
    await first.next('suback')
    const publisher = await mqtt.connect()
    await publisher.publishAsync('t', 'x'.repeat(5000), { qos: 1 })
    await first.next('publish')
    await gone(first)
    const second = await open({ maximumPacketSize: 1000 })
    await publisher.publishAsync('t', 'small', { qos: 1 })
    expect((await second.next('publish')).payload.toString()).toBe('small')
  })

  test('sends no PUBREL before the PUBREC is stored, to no later connection either', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const first = await connected(mqtt, 'd', durable)
    first.send(subscribe('t', 2))
    await first.next('suback')
    const publisher = await mqtt.connect()
    await publisher.publishAsync('t', 'x', { qos: 2 })
    const { messageId } = await first.next('publish')
    const { log } = mqtt.store
    const write = log.write.bind(log)
    const waiting: (() => void)[] = []
    log.write = (...given) => void waiting.push(() => write(...given))
    first.send({ cmd: 'pubrec', messageId }, { cmd: 'pingreq' })
    await first.next('pingresp')
    await gone(first)
    const second = await connected(mqtt, 'd', durable)
    second.send({ cmd: 'pingreq' })
    await second.next('pingresp')
    expect(second.all('pubrel')).toEqual([])
    log.write = write
    for (const pass of waiting) pass()
    expect((await second.next('pubrel')).messageId).toBe(messageId)
    expect(second.all('publish')).toEqual([])
  })

  test('releases the packet id of a QoS 2 message that can’t be repeated', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const open = async (maximumPacketSize: number) => {
      const client = await rawMqtt(mqtt.port, 5)
      const properties = { sessionExpiryInterval: 100, maximumPacketSize }
      client.send(connectPacket('d', 5, { clean: false, properties }))
      await client.next('connack')
      return client
    }
    const first = await open(10_000)
    first.send(subscribe('t', 2))
    await first.next('suback')
    const publisher = await mqtt.connect()
    await publisher.publishAsync('t', 'x'.repeat(5000), { qos: 2 })
    const { messageId } = await first.next('publish')
    await gone(first)
    const second = await open(1000)
    expect((await second.next('pubrel')).messageId).toBe(messageId)
    second.send({ cmd: 'pubcomp', messageId })
    await publisher.publishAsync('t', 'small', { qos: 2 })
    expect((await second.next('publish')).payload.toString()).toBe('small')
  })
})

describe('a will', () => {
  const willOf = (payload: string) => ({
    will: { topic: 'will', payload: Buffer.from(payload), qos: 1, retain: false }
  })
  const published = async (mqtt: Harness) => {
    const { items } = await mqtt.store.log.read(0, { limit: 1000, filter: { topics: ['will'] } })
    return items.map(item => (item.kind === 'event' ? Buffer.from(item.payload).toString() : ''))
  }

  test('is that of the connection that ended, also when another one with a will took it over', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    await connected(mqtt, 'w', willOf('first'))
    const second = await connected(mqtt, 'w', willOf('second'))
    await eventually(async () => (await published(mqtt)).length === 1)
    await gone(second)
    await eventually(async () => (await published(mqtt)).length === 2)
    expect(await published(mqtt)).toEqual(['first', 'second'])
  })

  test('of a connection that was never accepted is not published', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { connectTimeoutMs: 200 } })
    const { log } = mqtt.store
    const write = log.write.bind(log)
    const waiting: (() => void)[] = []
    log.write = (...given) => void waiting.push(() => write(...given))
    const client = await rawMqtt(mqtt.port)
    client.send(connectPacket('w', 4, willOf('never')))
    await eventually(() => client.closed)
    for (const pass of waiting) pass()
    log.write = write
    await new Promise<void>(resolve => log.write([], () => resolve()))
    expect(await published(mqtt)).toEqual([])
    expect(await mqtt.store.tables.wills()).toEqual([])
  })
})
