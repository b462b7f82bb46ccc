// Section 3.2: what CONNACK says, and when.
import { describe, expect, test } from '@jest/globals'
import { hashToken } from '../../../store/credentials.ts'
import { connectPacket, rawMqtt, type RawMqtt } from '../raw-mqtt.ts'
import { connackCode, connected, endCode, publish, settled, sharedServer, subscribe } from './suite.ts'
import { versions, type Version } from './wire.ts'

const server = sharedServer()

async function connecting(clientId: string, version: Version, more: object = {}): Promise<RawMqtt> {
  const client = await rawMqtt(server().port, version)
  client.send(connectPacket(clientId, version, more))
  return client
}

const durable = (version: Version) => ({
  clean: false,
  ...(version === 5 && { properties: { sessionExpiryInterval: 60 } })
})

async function wrongToken(version: Version, more: object = {}): Promise<RawMqtt> {
  await server().store.devices.put({ id: 'registered', tokenHash: hashToken('right'), createdAt: 0 })
  return connecting('x', version, { username: 'registered', password: Buffer.from('wrong'), ...more })
}

describe.each(versions)('CONNACK at protocol level %i', version => {
  test('[MQTT-3.2.0-1] [MQTT-3.1.4-5] [3.1.1: MQTT-3.1.4-4] is the first packet, before what waits for the client', async () => {
    const id = `first-${version}`
    const before = await connecting(id, version, durable(version))
    before.send(subscribe(id, 1))
    await before.next('suback')
    before.socket.resetAndDestroy()
    const publisher = await connected(server(), `publisher-${id}`, 4)
    publisher.send(publish(id, 'waits', { qos: 1, messageId: 1 }))
    await publisher.next('puback')
    const client = await rawMqtt(server().port, version)
    client.send(connectPacket(id, version, durable(version)), { cmd: 'pingreq' }, subscribe('other', 0))
    await client.next('publish')
    await client.next('suback')
    expect(client.packets[0]).toMatchObject({ cmd: 'connack' })
  })

  test('[MQTT-3.2.0-2] is sent once', async () => {
    const client = await connecting(`once-${version}`, version)
    client.send(subscribe('x', 0), publish('x', 'x', { qos: 1, messageId: 1 }))
    await client.next('puback')
    await settled(client)
    expect(client.all('connack')).toHaveLength(1)
  })

  test('[MQTT-3.2.2-1] has flags of 0 but for session present', async () => {
    const client = await connecting(`flags-${version}`, version, durable(version))
    await client.next('connack')
    expect([client.received[0], client.received[2]]).toEqual([0x20, 0])
    const again = await connecting(`flags-${version}`, version, durable(version))
    await again.next('connack')
    expect([again.received[0], again.received[2]]).toEqual([0x20, version === 3 ? 0 : 1])
  })

  test('[MQTT-3.2.2-2] [3.1.1: MQTT-3.2.2-1] has no session present after a clean start', async () => {
    const id = `clean-${version}`
    await connected(server(), id, version, durable(version))
    const client = await connecting(id, version, { ...durable(version), clean: true })
    expect(await client.next('connack')).toMatchObject({ sessionPresent: false })
    expect(client.received[3]).toBe(0)
  })

  test('[MQTT-3.2.2-3] [3.1.1: MQTT-3.2.2-2] [3.1.1: MQTT-3.2.2-3] has session present exactly when there is one', async () => {
    const id = `present-${version}`
    const flags = []
    for (let round = 0; round < 3; round++) {
      const client = await connecting(id, version, durable(version))
      flags.push((await client.next('connack')).sessionPresent)
      expect(client.received[3]).toBe(0)
      client.send({ cmd: 'disconnect' })
      await client.end()
    }
    expect(flags).toEqual([false, version > 3, version > 3])
  })

  test('[MQTT-3.2.2-6] [MQTT-3.2.2-7] [3.1.1: MQTT-3.2.2-4] [3.1.1: MQTT-3.2.2-5] a refusal has no session present, and is the end', async () => {
    await server().store.devices.put({ id: 'registered', tokenHash: hashToken('right'), createdAt: 0 })
    const right = { username: 'registered', password: Buffer.from('right') }
    await connected(server(), 'x', version, { ...durable(version), ...right })
    const client = await wrongToken(version, durable(version))
    expect(await client.next('connack')).toMatchObject({ sessionPresent: false })
    expect(client.received[2]).toBe(0)
    await client.end()
  })

  test('[MQTT-3.2.2-8] [MQTT-3.1.4-2] [3.1.1: MQTT-3.2.2-6] a refusal has a code of its version', async () => {
    expect(await endCode(await wrongToken(version))).toBe(version === 5 ? 0x86 : 4)
    expect(await endCode(await connecting('x'.repeat(300), version))).toBe(version === 5 ? 0x85 : 2)
  })

  test('[MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-12] [MQTT-3.2.2-13] every QoS and retained messages are supported', async () => {
    const topic = `supported/${version}`
    const will = { topic, payload: Buffer.from('x'), qos: 2, retain: true }
    const client = await connecting(topic, version, { will })
    const { properties } = await client.next('connack')
    expect(properties?.maximumQoS).toBeUndefined()
    expect(properties?.retainAvailable ?? true).toBe(true)
    client.send(subscribe(topic, 2), publish(topic, 'x', { qos: 2, messageId: 1, retain: true }))
    expect((await client.next('suback')).granted).toEqual([2])
    expect((await client.next('pubrec')).reasonCode ?? 0).toBe(0)
  })
})

describe('properties of CONNACK', () => {
  test('[MQTT-3.2.2-15] [MQTT-3.2.2-17] tell the limits of the server', async () => {
    const client = await connecting('limits', 5)
    const { properties } = await client.next('connack')
    expect(properties).toMatchObject({
      maximumPacketSize: 1_048_576,
      topicAliasMaximum: 32,
      receiveMaximum: 256
    })
    client.send(publish('large', 'x'.repeat(1_048_576)))
    expect(await endCode(client)).toBe(0x95)
  })

  test('[MQTT-3.2.2-19] a reason string that the client’s maximum packet size has no room for is left out', async () => {
    const roomy = await wrongToken(5, { properties: { maximumPacketSize: 1000 } })
    expect((await roomy.next('connack')).properties?.reasonString).toBeDefined()
    const tight = await wrongToken(5, { properties: { maximumPacketSize: 20 } })
    expect(await connackCode(tight)).toBe(0x86)
    expect(tight.received.length).toBeLessThanOrEqual(20)
  })

  test('[MQTT-3.2.2-20] there are no user properties in it', async () => {
    const clients = [await connecting('plain', 5), await wrongToken(5)]
    for (const client of clients) {
      expect((await client.next('connack')).properties?.userProperties).toBeUndefined()
    }
  })
})

describe('a server that limits the keep alive', () => {
  const strict = sharedServer({ settings: { keepaliveMaxS: 1 } })

  test('[MQTT-3.2.2-21] [MQTT-3.1.2-21] tells it, and goes by it', async () => {
    for (const keepalive of [0, 100]) {
      const client = await rawMqtt(strict().port, 5)
      client.send(connectPacket(`keepalive-${keepalive}`, 5, { keepalive }))
      const before = performance.now()
      expect((await client.next('connack')).properties?.serverKeepAlive).toBe(1)
      expect(await endCode(client)).toBe(0x8d)
      expect(performance.now() - before).toBeGreaterThan(1400)
    }
  })

  test('[MQTT-3.2.2-22] says nothing to who keeps within it', async () => {
    const client = await rawMqtt(strict().port, 5)
    client.send(connectPacket('within', 5, { keepalive: 1 }))
    expect((await client.next('connack')).properties?.serverKeepAlive).toBeUndefined()
    expect(await endCode(client)).toBe(0x8d)
  })
})
