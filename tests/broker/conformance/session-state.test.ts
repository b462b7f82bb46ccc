// Session state: what is kept, how long, and when it ends (MQTT 5.0 and 3.1.1 section 4.1, and 3.1.2's flags for it).
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { startMqtt } from '../mqtt-harness.ts'
import { connectPacket, rawMqtt } from '../raw-mqtt.ts'
import { durable, grants, heard, left, lost, names, published } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { versions, type Version } from './wire.ts'

const server = sharedServer()
const name = names()

/** Connects and says whether a session was there. */
async function resumed(clientId: string, version: Version, more: object = durable(version), mqtt = server()) {
  const client = await rawMqtt(mqtt.port, version)
  client.send(connectPacket(clientId, version, more))
  const { sessionPresent } = await client.next('connack')
  return { client, sessionPresent }
}

describe.each(versions)('session state, protocol level %i', version => {
  // MQTT 3.1 has no Session Present: that byte of its CONNACK is reserved.
  const present = version > 3

  test('[MQTT-4.1.0-1] subscriptions and messages of QoS 1 and 2 outlive the connection', async () => {
    const clientId = name('c')
    const topic = name('t')
    const first = await resumed(clientId, version)
    expect(first.sessionPresent).toBe(false)
    await grants(first.client, topic, { qos: 2 })
    await left(first.client)
    const publisher = await connected(server(), name('p'), version)
    for (const qos of [0, 1, 2])
      publisher.send(publish(topic, `at ${qos}`, { qos, ...(qos > 0 && { messageId: qos }) }))
    await publisher.next('pubrec')
    const second = await resumed(clientId, version)
    expect(second.sessionPresent).toBe(present)
    expect(await heard(server(), second.client)).toEqual(['at 1', 'at 2']) // QoS 0 does not wait
  })

  test('[MQTT-4.1.0-1] a session that ends with its connection lasts as long as that', async () => {
    const topic = name('t')
    const client = await connected(server(), name('c'), version)
    await grants(client, topic, { qos: 1 })
    const publisher = await connected(server(), name('p'), version)
    await published(publisher, topic, 'one')
    await lost(publisher)
    const again = await connected(server(), name('p'), version)
    await published(again, topic, 'two')
    expect(await heard(server(), client)).toEqual(['one', 'two'])
  })

  test('[MQTT-4.1.0-2] a session that is not to outlive its connection is gone with it', async () => {
    const clientId = name('c')
    const topic = name('t')
    for (const end of [left, lost]) {
      const { client, sessionPresent } = await resumed(clientId, version, { clean: true })
      expect(sessionPresent).toBe(false)
      await grants(client, topic, { qos: 1 })
      await end(client)
    }
    const { client, sessionPresent } = await resumed(clientId, version)
    expect(sessionPresent).toBe(false)
    await published(client, topic, 'unheard')
    expect(await heard(server(), client)).toEqual([])
  })

  test('a clean start ends what was there, for good', async () => {
    const clientId = name('c')
    const topic = name('t')
    const first = await resumed(clientId, version)
    await grants(first.client, topic, { qos: 1 })
    const publisher = await connected(server(), name('p'), version)
    await published(publisher, topic, 'in flight')
    await first.client.next('publish')
    await lost(first.client)
    await published(publisher, topic, 'missed')
    const second = await resumed(clientId, version, { ...durable(version), clean: true })
    expect(second.sessionPresent).toBe(false)
    await published(publisher, topic, 'unheard')
    expect(await heard(server(), second.client)).toEqual([])
    await left(second.client)
    const third = await resumed(clientId, version, { clean: false })
    expect(await heard(server(), third.client)).toEqual([])
  })

  test('a connection that takes a session over has all of it', async () => {
    const clientId = name('c')
    const topic = name('t')
    const first = await resumed(clientId, version)
    await grants(first.client, topic, { qos: 1 })
    const publisher = await connected(server(), name('p'), version)
    await published(publisher, topic, 'in flight')
    const { messageId } = await first.client.next('publish')
    const second = await resumed(clientId, version)
    await first.client.end()
    expect(second.sessionPresent).toBe(present)
    const again = await second.client.next('publish')
    expect([again.messageId, again.dup, again.payload.toString()]).toEqual([messageId, true, 'in flight'])
  })

  test('[MQTT-4.1.0-1] it is kept over a restart of the server', async () => {
    await using folder = await temporaryFolder()
    {
      await using mqtt = await startMqtt({ dir: folder.path })
      const { client } = await resumed('c', version, durable(version), mqtt)
      await grants(client, 't', { qos: 2 })
      const publisher = await connected(mqtt, 'p', version)
      publisher.send(
        publish('t', 'one', { qos: 2, messageId: 1 }),
        publish('t', 'two', { qos: 1, messageId: 2 })
      )
      await eventually(() => client.all('publish').length === 2)
      const one = client.all('publish').find(({ qos }) => qos === 2)
      client.send({ cmd: 'pubrec', messageId: one?.messageId })
      await client.next('pubrel')
    }
    await using mqtt = await startMqtt({ dir: folder.path })
    const { client, sessionPresent } = await resumed('c', version, durable(version), mqtt)
    expect(sessionPresent).toBe(present)
    await client.next('pubrel')
    const two = await client.next('publish')
    expect([two.payload.toString(), two.dup]).toEqual(['two', true])
    expect(await heard(mqtt, client)).toEqual(['two'])
  })
})

describe('Session Expiry Interval', () => {
  const expiring = (sessionExpiryInterval: number, clean = false) => ({
    clean,
    properties: { sessionExpiryInterval }
  })

  test('[MQTT-4.1.0-2] a session ends when it has passed, not while the connection is open', async () => {
    const clientId = name('c')
    const topic = name('t')
    const first = await resumed(clientId, 5, expiring(1))
    await grants(first.client, topic, { qos: 1 })
    const began = Date.now()
    await eventually(() => Date.now() > began + 1500)
    await published(first.client, topic, 'still here')
    expect(await heard(server(), first.client)).toEqual(['still here'])
    await lost(first.client)
    await eventually(async () => (await server().store.tables.session(clientId)) === null)
    const second = await resumed(clientId, 5, expiring(1))
    expect(second.sessionPresent).toBe(false)
    await published(second.client, topic, 'unheard')
    expect(await heard(server(), second.client)).toEqual([])
  })

  test('without Clean Start a session of interval 0 is taken up, and ends with the connection', async () => {
    const clientId = name('c')
    const topic = name('t')
    const first = await resumed(clientId, 5, expiring(1000))
    await grants(first.client, topic, { qos: 1 })
    await left(first.client)
    const publisher = await connected(server(), name('p'), 5)
    await published(publisher, topic, 'missed')
    const second = await resumed(clientId, 5, { clean: false })
    expect(second.sessionPresent).toBe(true)
    expect(await heard(server(), second.client)).toEqual(['missed'])
    await left(second.client)
    expect((await resumed(clientId, 5, expiring(1000))).sessionPresent).toBe(false)
  })

  test('Clean Start with an interval begins a session that can be taken up', async () => {
    const clientId = name('c')
    const first = await resumed(clientId, 5, expiring(1000, true))
    expect(first.sessionPresent).toBe(false)
    await left(first.client)
    expect((await resumed(clientId, 5, expiring(1000))).sessionPresent).toBe(true)
  })

  test('0xffffffff never ends by itself, as far as the server’s limit allows, and CONNACK tells that limit', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { sessionExpiryMaxS: 3600 } })
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('c', 5, expiring(0xffffffff)))
    expect((await client.next('connack')).properties?.sessionExpiryInterval).toBe(3600)
    await left(client)
    await eventually(async () => (await mqtt.store.tables.session('c'))?.expiryIntervalS === 3600)
  })

  test('the session of an assigned client id can be taken up by it', async () => {
    const client = await rawMqtt(server().port, 5)
    client.send(connectPacket('', 5, expiring(1000, true)))
    const { properties } = await client.next('connack')
    const clientId = properties?.assignedClientIdentifier ?? ''
    expect(clientId).not.toBe('')
    const topic = name('t')
    await grants(client, topic, { qos: 1 })
    await left(client)
    const { client: again, sessionPresent } = await resumed(clientId, 5, expiring(1000))
    expect(sessionPresent).toBe(true)
    await published(again, topic, 'm')
    expect(await heard(server(), again)).toEqual(['m'])
  })

  test('a session made in MQTT 3.1.1 is taken up in MQTT 5, and the other way round', async () => {
    const clientId = name('c')
    const topic = name('t')
    const old = await resumed(clientId, 4)
    await grants(old.client, topic, { qos: 1 })
    await left(old.client)
    const newer = await resumed(clientId, 5)
    expect(newer.sessionPresent).toBe(true)
    await published(newer.client, topic, 'one')
    expect(await heard(server(), newer.client)).toEqual(['one'])
    await left(newer.client)
    const older = await resumed(clientId, 4)
    expect(older.sessionPresent).toBe(true)
    await settled(older.client)
  })
})
