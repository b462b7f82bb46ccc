// AUTH and enhanced authentication, which is not offered (MQTT 5.0 sections 3.15 and 4.12).
import { describe, expect, test } from '@jest/globals'
import { rawMqtt, connectPacket } from '../raw-mqtt.ts'
import { names, refused } from './conversation.ts'
import { connected, settled, sharedServer } from './suite.ts'
import { bytes, packet, properties, text } from './wire.ts'

const server = sharedServer()
const name = names()
const client = (version: 3 | 4 | 5) => connected(server(), name('c'), version)

describe('AUTH', () => {
  test('[MQTT-4.12.0-1] [MQTT-4.12.0-4] a CONNECT with an authentication method is refused, and the connection ends', async () => {
    const stranger = await rawMqtt(server().port, 5)
    stranger.send(connectPacket(name('c'), 5, { properties: { authenticationMethod: 'SCRAM-SHA-1' } }))
    expect((await stranger.next('connack')).reasonCode).toBe(0x8c)
    await stranger.end()
    expect(stranger.packets).toHaveLength(1)
  })

  test('[MQTT-4.12.0-6] without a method there is no AUTH from the server, and none in CONNACK', async () => {
    const stranger = await rawMqtt(server().port, 5)
    stranger.send(connectPacket(name('c'), 5))
    expect((await stranger.next('connack')).properties?.authenticationMethod).toBeUndefined()
    await settled(stranger)
    expect(stranger.packets.map(({ cmd }) => cmd)).toEqual(['connack', 'pingresp'])
  })

  test.each([
    ['0xf0', packet(0xf0, bytes(0x19), properties(bytes(0x15), text('M')))],
    ['0xf0 in its shortest form', bytes(0xf0, 0)]
  ])(
    '[MQTT-4.12.0-7] AUTH (%s) of a client that named no method is a protocol error',
    async (_form, sent) => {
      const sender = await client(5)
      sender.sendBytes(sent)
      await refused(sender, 5, 0x82)
    }
  )

  test('[MQTT-3.15.1-1] AUTH with a flag that is not 0 is malformed', async () => {
    const sender = await client(5)
    sender.sendBytes(packet(0xf1, bytes(0x19), properties(bytes(0x15), text('M'))))
    await refused(sender, 5, 0x81)
  })

  test.each([3, 4] as const)('packet type 15 is not there before MQTT 5 (level %i)', async version => {
    const sender = await client(version)
    sender.sendBytes(bytes(0xf0, 0))
    await refused(sender, version)
  })
})
