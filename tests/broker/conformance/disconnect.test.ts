// DISCONNECT and AUTH, and how the server ends connections (MQTT 5.0 sections 3.14, 3.15, 4.12, 4.13; 3.1.1 sections
// 3.14, 4.8).
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { rawMqtt, connectPacket, type RawMqtt } from '../raw-mqtt.ts'
import { durable, grants, heard, lost, names, refused } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, packet, properties, text, uint16, uint32, versions, type Version } from './wire.ts'

const server = sharedServer()
const name = names()
const client = (version: Version, more: object = {}) => connected(server(), name('c'), version, more)

const willTo = (topic: string, qos = 1) => ({
  will: { topic, payload: Buffer.from('will'), qos, retain: false }
})

/** Someone who hears the wills for a topic. */
async function mourner(topic: string): Promise<RawMqtt> {
  const listener = await client(4)
  await grants(listener, topic, { qos: 2 })
  return listener
}

describe.each(versions)('DISCONNECT, protocol level %i', version => {
  test('[MQTT-3.14.1-1] with a flag that is not 0 it is malformed: the connection ends, and the will is published', async () => {
    const topic = name('will')
    const listener = await mourner(topic)
    for (const header of [0xe1, 0xe2, 0xe8]) {
      const leaver = await client(version, willTo(topic))
      leaver.sendBytes(bytes(header, 0))
      await refused(leaver, version, 0x81)
    }
    expect(await heard(server(), listener)).toEqual(['will', 'will', 'will'])
  })

  test('[MQTT-3.14.4-3] it discards the will, in the shortest form', async () => {
    const topic = name('will')
    const listener = await mourner(topic)
    const leaver = await client(version, willTo(topic))
    leaver.sendBytes(bytes(0xe0, 0))
    await leaver.end()
    expect(leaver.all('disconnect')).toEqual([])
    expect(await heard(server(), listener)).toEqual([])
  })

  test('[MQTT-3.14.4-3] a connection that is lost without it publishes the will', async () => {
    const topic = name('will')
    const listener = await mourner(topic)
    await lost(await client(version, willTo(topic)))
    expect((await listener.next('publish')).payload.toString()).toBe('will')
  })

  test('[MQTT-3.14.4-3] the server ends the connection, and what follows DISCONNECT is not handled', async () => {
    const topic = name('t')
    const listener = await mourner(topic)
    const leaver = await client(version)
    leaver.send(publish(topic, 'before'), { cmd: 'disconnect' }, publish(topic, 'after'))
    await leaver.end()
    expect(await heard(server(), listener)).toEqual(['before'])
  })

  test('[MQTT-3.14.0-1] before CONNACK there is no DISCONNECT, whatever came', async () => {
    const wrong: Uint8Array[] = [
      bytes(0xc0, 0),
      bytes(0xe0, 0),
      bytes(0x00, 0),
      bytes(0xf0, 0),
      packet(0x30, text('t')),
      bytes(0x10, 0xff, 0xff, 0xff, 0xff, 0x7f)
    ]
    for (const sent of wrong) {
      const stranger = await rawMqtt(server().port, version)
      stranger.sendBytes(sent)
      await stranger.end()
      expect(stranger.received).toHaveLength(0)
    }
  })
})

describe('DISCONNECT from MQTT 5 clients', () => {
  const leave = (reasonCode: number, more: Uint8Array = Buffer.alloc(0)) =>
    packet(0xe0, bytes(reasonCode), more)

  test.each([
    ['0x00, said', 0x00, []],
    ['0x04, which asks for the will', 0x04, ['will']],
    ['an error', 0x80, ['will']]
  ])('[MQTT-3.14.4-3] the will after %s', async (_what, reasonCode, expected) => {
    const topic = name('will')
    const listener = await mourner(topic)
    const leaver = await client(5, willTo(topic))
    leaver.sendBytes(leave(reasonCode))
    await leaver.end()
    expect(leaver.all('disconnect')).toEqual([])
    expect(await heard(server(), listener)).toEqual(expected)
  })

  test('[MQTT-3.14.2-1] a reason code that DISCONNECT does not have is an error, and publishes the will', async () => {
    const topic = name('will')
    const listener = await mourner(topic)
    const leaver = await client(5, willTo(topic))
    leaver.sendBytes(leave(0x03))
    await refused(leaver, 5, 0x82, 0x81)
    expect(await heard(server(), listener)).toEqual(['will'])
  })

  test('with a reason string and user properties it is taken', async () => {
    const leaver = await client(5)
    const more = properties(bytes(0x1f), text('bye'), bytes(0x26), text('a'), text('b'))
    leaver.sendBytes(leave(0, more))
    await leaver.end()
    expect(leaver.all('disconnect')).toEqual([])
  })

  test('a Session Expiry Interval changes that of the session: to its end, or longer', async () => {
    const clientId = name('c')
    const present = async (more: object) => {
      const returner = await rawMqtt(server().port, 5)
      returner.send(connectPacket(clientId, 5, { clean: false, ...more }))
      const { sessionPresent } = await returner.next('connack')
      return { returner, sessionPresent }
    }
    const leaving = (seconds: number) => leave(0, properties(bytes(0x11), uint32(seconds)))
    const first = await present({ properties: { sessionExpiryInterval: 1 } })
    first.returner.sendBytes(leaving(1000))
    await first.returner.end()
    await eventually(async () => (await server().store.tables.session(clientId))?.expiryIntervalS === 1000)
    const second = await present({ properties: { sessionExpiryInterval: 1000 } })
    expect(second.sessionPresent).toBe(true)
    second.returner.sendBytes(leaving(0))
    await second.returner.end()
    const third = await present({})
    expect(third.sessionPresent).toBe(false)
  })

  test('a Session Expiry Interval above 0 after 0 in CONNECT is a protocol error', async () => {
    const leaver = await client(5)
    leaver.sendBytes(leave(0, properties(bytes(0x11), uint32(10))))
    await refused(leaver, 5, 0x82)
  })
})

describe('DISCONNECT to MQTT 5 clients', () => {
  test('[MQTT-3.14.2-1] [MQTT-3.14.2-2] [MQTT-3.14.4-1] [MQTT-3.14.4-2] it is the last packet, has one of its codes, and no Session Expiry Interval', async () => {
    const clientId = name('c')
    const topic = name('t')
    const first = await connected(server(), clientId, 5, durable(5))
    await grants(first, topic, { qos: 0 })
    const publisher = await client(5)
    for (let count = 0; count < 50; count++) publisher.send(publish(topic, String(count)))
    const second = await connected(server(), clientId, 5, durable(5))
    await first.end()
    const last = first.packets.at(-1)
    expect(last).toMatchObject({ cmd: 'disconnect', reasonCode: 0x8e })
    expect(first.all('disconnect')).toHaveLength(1)
    expect(first.all('disconnect')[0]?.properties?.sessionExpiryInterval).toBeUndefined()
    await settled(second)
  })

  test('[MQTT-3.14.2-3] [MQTT-3.14.2-4] a reason that the client’s Maximum Packet Size has no room for is left out', async () => {
    for (const [maximumPacketSize, explained] of [
      [20, false],
      [1000, true]
    ] as const) {
      const violator = await client(5, { properties: { maximumPacketSize } })
      const before = violator.received.length
      violator.sendBytes(packet(0x82, uint16(1), bytes(0), text('a/#/b'), bytes(0)))
      await refused(violator, 5, 0x8f)
      expect(violator.received.length - before).toBeLessThanOrEqual(maximumPacketSize)
      const told = violator.all('disconnect')[0]?.properties
      expect([told?.reasonString !== undefined, told?.userProperties]).toEqual([explained, undefined])
    }
  })
})
