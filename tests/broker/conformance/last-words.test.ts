// The last words of either side: which goodbyes keep the will, and reasons that the client has no room for.
import { describe, expect, test } from '@jest/globals'
import { grants, heard, names, refused } from './conversation.ts'
import { connected, publish, sharedServer } from './suite.ts'
import { bytes, packet, text, uint16 } from './wire.ts'

const server = sharedServer({ access: [{ devices: ['*'], publish: ['will/#', 'open/#'], subscribe: ['#'] }] })
const name = names()
const client = (version: 3 | 4 | 5, more: object = {}) => connected(server(), name('c'), version, more)

// Only reason code 0x00 discards the will [MQTT-3.14.4-3, MQTT-3.1.2-8].
test('[MQTT-3.14.4-3] the will after DISCONNECT with an error is published', async () => {
  const topic = `will/${name('t')}`
  const listener = await client(4)
  await grants(listener, topic, { qos: 2 })
  const leaver = await client(5, { will: { topic, payload: Buffer.from('will'), qos: 1, retain: false } })
  leaver.sendBytes(packet(0xe0, bytes(0x80)))
  await leaver.end()
  expect(await heard(server(), listener)).toEqual(['will'])
})

describe('a reason that the client’s Maximum Packet Size has no room for is left out', () => {
  test('[MQTT-3.14.2-3] [MQTT-3.14.2-4] of DISCONNECT', async () => {
    const violator = await client(5, { properties: { maximumPacketSize: 20 } })
    const before = violator.received.length
    violator.sendBytes(packet(0x82, uint16(1), bytes(0), text('a/#/b'), bytes(0)))
    await refused(violator, 5, 0x8f)
    expect(violator.received.length - before).toBeLessThanOrEqual(20)
  })

  test('[MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] of PUBACK and PUBREC', async () => {
    const publisher = await client(5, { properties: { maximumPacketSize: 24 } })
    publisher.send(publish('closed', 'm', { qos: 1, messageId: 1 }))
    expect((await publisher.next('puback')).properties?.reasonString).toBeUndefined()
    publisher.send(publish('closed', 'm', { qos: 2, messageId: 2 }))
    expect((await publisher.next('pubrec')).properties?.reasonString).toBeUndefined()
  })
})
