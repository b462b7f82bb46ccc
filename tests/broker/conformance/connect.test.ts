// Section 3.1, what CONNECT brings about: sessions, client ids, takeover, keep alive.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { connectPacket, rawMqtt, type RawMqtt } from '../raw-mqtt.ts'
import {
  connackCode,
  connected,
  endCode,
  publish,
  receivedUntilNow,
  settled,
  sharedServer,
  subscribe,
  told
} from './suite.ts'
import { bytes, connectBytes, properties, text, uint32, versions, type Version } from './wire.ts'

const server = sharedServer({ settings: { sessionExpiryMaxS: 3600 } })

/** What makes a session outlive its connection. */
const durable = (version: Version) => (version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {})

async function connecting(clientId: string, version: Version, more: object = {}): Promise<RawMqtt> {
  const client = await rawMqtt(server().port, version)
  client.send(connectPacket(clientId, version, more))
  return client
}

async function present(clientId: string, version: Version, more: object): Promise<boolean> {
  const client = await connecting(clientId, version, more)
  const { sessionPresent } = await client.next('connack')
  client.send({ cmd: 'disconnect' })
  await client.end()
  return sessionPresent
}

describe.each(versions)('sessions at protocol level %i', version => {
  test('[MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.2-23] [3.1.1: MQTT-3.1.2-4] [3.1.1: MQTT-3.1.2-5] a session is made, kept and gone on with', async () => {
    const id = `kept-${version}`
    const first = await connecting(id, version, { clean: false, ...durable(version) })
    expect((await first.next('connack')).sessionPresent).toBe(false)
    first.send(subscribe(id, 2))
    await first.next('suback')
    first.send({ cmd: 'disconnect' })
    await first.end()
    const publisher = await connected(server(), `publisher-${id}`, 4)
    publisher.send(publish(id, 'one', { qos: 1, messageId: 1 }), publish(id, 'two', { qos: 2, messageId: 2 }))
    await publisher.next('puback')
    await publisher.next('pubrec')
    const second = await connecting(id, version, { clean: false, ...durable(version) })
    expect((await second.next('connack')).sessionPresent).toBe(version > 3)
    expect(second.received[2]).toBe(version > 3 ? 1 : 0) // MQTT 3.1 has no such bit
    expect((await second.next('publish')).payload.toString()).toBe('one')
    expect((await second.next('publish')).payload.toString()).toBe('two')
  })

  test('[MQTT-3.1.2-4] [MQTT-3.1.4-4] [3.1.1: MQTT-3.1.2-6] [3.1.1: MQTT-3.1.4-3] a clean start discards what there was', async () => {
    const id = `discarded-${version}`
    const first = await connected(server(), id, version, { clean: false, ...durable(version) })
    first.send(subscribe(id, 1))
    await first.next('suback')
    first.socket.resetAndDestroy()
    const publisher = await connected(server(), `publisher-${id}`, 4)
    publisher.send(publish(id, 'missed', { qos: 1, messageId: 1 }))
    await publisher.next('puback')
    const clean = await connecting(id, version, { clean: true, ...durable(version) })
    expect((await clean.next('connack')).sessionPresent).toBe(false)
    clean.send(subscribe(id, 1))
    await clean.next('suback')
    expect(await receivedUntilNow(server(), clean, id)).toEqual([])
  })

  test('[MQTT-3.1.2-23] [3.1.1: MQTT-3.1.2-6] a session that need not outlive its connection does not', async () => {
    const id = `brief-${version}`
    expect(await present(id, version, { clean: true })).toBe(false)
    const again = await connecting(id, version, { clean: false })
    expect((await again.next('connack')).sessionPresent).toBe(false)
  })

  test('[3.1.1: MQTT-3.1.2-7] retained messages stay when the session ends', async () => {
    const id = `retained-${version}`
    const first = await connected(server(), id, version)
    first.send(publish(id, 'stays', { qos: 1, messageId: 1, retain: true }))
    await first.next('puback')
    first.send({ cmd: 'disconnect' })
    await first.end()
    const second = await connected(server(), id, version)
    second.send(subscribe(id, 0))
    expect((await second.next('publish')).payload.toString()).toBe('stays')
  })
})

describe.each(versions)('client ids at protocol level %i', version => {
  test('[MQTT-3.1.3-5] 1 to 23 letters and digits are allowed', async () => {
    const ids = ['0', 'a', '0123456789abcdefghijklm', 'nopqrstuvwxyzABCDEFGHIJ', 'KLMNOPQRSTUVWXYZ']
    for (const id of ids) expect(await connackCode(await connecting(id, version))).toBe(0)
  })

  test('longer ones and other characters are, too', async () => {
    for (const id of ['a-b_c.d/e+f#g$h', 'ü€', 'x'.repeat(256)]) {
      expect(await connackCode(await connecting(id, version))).toBe(0)
    }
  })

  test('[MQTT-3.1.3-8] [3.1.1: MQTT-3.1.3-9] [MQTT-3.1.4-2] one that is not allowed is refused', async () => {
    const client = await connecting('x'.repeat(257), version)
    expect(await endCode(client)).toBe(version === 5 ? 0x85 : 2)
  })

  test('[MQTT-3.1.3-2] each has a session of its own', async () => {
    const one = await connected(server(), `own-1-${version}`, version)
    const other = await connected(server(), `own-2-${version}`, version)
    one.send(subscribe(`own/${version}`, 0))
    await one.next('suback')
    expect(await receivedUntilNow(server(), one, `own/${version}`)).toEqual([])
    await settled(other)
    expect(other.all('publish')).toEqual([])
  })

  test('[MQTT-3.1.4-3] [3.1.1: MQTT-3.1.4-2] a second connection with one ends the first', async () => {
    const first = await connected(server(), `taken-${version}`, version)
    const second = await connected(server(), `taken-${version}`, version)
    expect(await endCode(first)).toBe(told(version, 0x8e))
    await settled(second)
  })
})

describe('a client id of no bytes', () => {
  // Byte by byte: mqtt-packet makes none of those that are refused.
  async function anonymous(version: Version, clean: boolean): Promise<RawMqtt> {
    const client = await rawMqtt(server().port, version)
    const kept = version === 5 ? { properties: properties(bytes(0x11), uint32(600)) } : {}
    client.sendBytes(connectBytes({ version, flags: clean ? 2 : 0, ...kept, payload: [text('')] }))
    return client
  }

  test('[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] becomes one that CONNACK tells, by which the session is resumed', async () => {
    const assigned = async (clean: boolean) => {
      const client = await anonymous(5, clean)
      const { properties, reasonCode, sessionPresent } = await client.next('connack')
      expect([reasonCode, sessionPresent]).toEqual([0, false])
      return { client, id: properties?.assignedClientIdentifier ?? '' }
    }
    const { client, id } = await assigned(true)
    const other = await assigned(false)
    expect(id).not.toBe('')
    expect(other.id).not.toBe(id)
    client.send(subscribe('assigned', 1))
    await client.next('suback')
    client.socket.resetAndDestroy()
    const resumed = await connecting(id, 5, { clean: false, ...durable(5) })
    const connack = await resumed.next('connack')
    expect(connack.sessionPresent).toBe(true)
    expect(connack.properties?.assignedClientIdentifier).toBeUndefined()
    expect(await receivedUntilNow(server(), resumed, 'assigned')).toEqual([])
  })

  test('[3.1.1: MQTT-3.1.3-6] is taken as one of its own in MQTT 3.1.1', async () => {
    const clients = await Promise.all([anonymous(4, true), anonymous(4, true)])
    for (const client of clients) expect(await connackCode(client)).toBe(0)
    for (const client of clients) await settled(client)
  })

  test('[3.1.1: MQTT-3.1.3-8] is refused in MQTT 3.1.1 when a session is to be kept', async () => {
    expect(await endCode(await anonymous(4, false))).toBe(2)
  })

  test.each([true, false])('is refused in MQTT 3.1 (clean %p)', async clean => {
    expect(await endCode(await anonymous(3, clean))).toBe(2)
  })
})

describe('session expiry', () => {
  test('an interval beyond what the server allows is cut, and told', async () => {
    for (const sessionExpiryInterval of [3601, 0xffffffff]) {
      const client = await connecting('cut', 5, { properties: { sessionExpiryInterval } })
      expect((await client.next('connack')).properties?.sessionExpiryInterval).toBe(3600)
    }
    const client = await connecting('cut', 5, { properties: { sessionExpiryInterval: 3600 } })
    expect((await client.next('connack')).properties?.sessionExpiryInterval).toBeUndefined()
  })

  test('[MQTT-3.1.2-23] DISCONNECT can change it, but not from 0', async () => {
    const leave = async (id: string, from: number, to: number) => {
      const client = await connected(server(), id, 5, { properties: { sessionExpiryInterval: from } })
      client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: to } })
      return endCode(client)
    }
    expect(await leave('shortened', 600, 0)).toBeNull()
    expect(await present('shortened', 5, { clean: false })).toBe(false)
    expect(await leave('lengthened', 1, 600)).toBeNull()
    expect(await present('lengthened', 5, { clean: false, ...durable(5) })).toBe(true)
    expect(await leave('from-nothing', 0, 600)).toBe(0x82)
    expect(await present('from-nothing', 5, { clean: false })).toBe(false)
  })

  test('a clean start with an interval begins a session that is kept', async () => {
    expect(await present('clean-kept', 5, { clean: true, ...durable(5) })).toBe(false)
    expect(await present('clean-kept', 5, { clean: false, ...durable(5) })).toBe(true)
    expect(await present('clean-kept', 5, { clean: false })).toBe(true)
    expect(await present('clean-kept', 5, { clean: false })).toBe(false)
  })
})

describe('keep alive', () => {
  test.each(versions)(
    '[MQTT-3.1.2-22] [MQTT-3.2.2-22] [3.1.1: MQTT-3.1.2-24] silence ends the connection after one and a half times of it, as if it was lost (level %i)',
    async version => {
      const topic = `silent/${version}`
      const watcher = await connected(server(), `silent-watcher-${version}`, 4)
      watcher.send(subscribe(topic, 0))
      await watcher.next('suback')
      const will = { topic, payload: Buffer.from('gone'), qos: 0, retain: false }
      const before = performance.now()
      const client = await connected(server(), `silent-${version}`, version, { keepalive: 1, will })
      expect(await endCode(client)).toBe(told(version, 0x8d))
      expect(performance.now() - before).toBeGreaterThanOrEqual(1490)
      expect((await watcher.next('publish')).payload.toString()).toBe('gone')
      await settled(watcher) // its own keep alive is 0: never ended for silence
    }
  )

  test('[MQTT-3.1.2-22] any packet starts it anew', async () => {
    const client = await connected(server(), 'talking', 4, { keepalive: 2 })
    const packets = [
      { cmd: 'pingreq' },
      publish('talking', 'x'),
      { cmd: 'pubrel', messageId: 9 },
      subscribe('talking', 0),
      { cmd: 'puback', messageId: 9 },
      { cmd: 'unsubscribe', messageId: 8, unsubscriptions: ['talking'] }
    ]
    let sentAt = performance.now()
    for (const packet of packets) {
      await eventually(() => performance.now() - sentAt > 800)
      sentAt = performance.now()
      client.send(packet)
    }
    await settled(client)
  })
})
