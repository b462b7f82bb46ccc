// How the server ends connections in which something went wrong (MQTT 5.0 section 4.13, 3.1.1 section 4.8).
import { describe, expect, test } from '@jest/globals'
import { StoreError } from '../../../store/errors.ts'
import { eventually } from '../../helpers/eventually.ts'
import { rawMqtt, connectPacket } from '../raw-mqtt.ts'
import { names, refused } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, packet, properties, text, uint16, versions, type Version } from './wire.ts'

const server = sharedServer({ settings: { packetBytesMax: 1000 } })
const name = names()
const client = (version: Version, more: object = {}) => connected(server(), name('c'), version, more)

const violations: { sent: Uint8Array; codes: number[] }[] = [
  { sent: bytes(0x00, 0), codes: [0x81, 0x82] },
  { sent: bytes(0x20, 2, 0, 0), codes: [0x82, 0x81] }, // CONNACK
  { sent: bytes(0x90, 3, 0, 1, 0), codes: [0x82, 0x81] }, // SUBACK
  { sent: bytes(0xd0, 0), codes: [0x82, 0x81] }, // PINGRESP
  { sent: bytes(0x36, 5, 0, 1, 0x61, 0, 1), codes: [0x81] }, // PUBLISH at QoS 3
  { sent: bytes(0x32, 0x80, 0x80, 0x80, 0x80, 1), codes: [0x81] }, // a length of five bytes
  { sent: packet(0x30, text('t'), Buffer.alloc(2000)), codes: [0x95] }
]

describe.each(versions)('errors, protocol level %i', version => {
  test('[MQTT-3.14.0-1] [MQTT-4.13.2-1] a refused CONNECT gets CONNACK and nothing more, and the connection ends', async () => {
    const stranger = await rawMqtt(server().port, version)
    stranger.send(connectPacket('x'.repeat(300), version), { cmd: 'pingreq' })
    await stranger.end()
    expect(stranger.packets.map(({ cmd }) => cmd)).toEqual(['connack'])
  })

  test('[MQTT-4.8.0-1] [MQTT-4.13.1-1] [MQTT-4.13.2-1] a protocol violation ends its connection and no other', async () => {
    const other = await client(version)
    for (const { sent, codes } of violations) {
      const violator = await client(version)
      violator.sendBytes(sent)
      await refused(violator, version, ...codes)
    }
    await settled(other)
  })

  test('[MQTT-4.13.2-1] the connection ends although the client keeps its side open and reads nothing', async () => {
    const stubborn = await client(version)
    stubborn.socket.allowHalfOpen = true
    stubborn.send(publish('a/+', 'x'))
    await eventually(() => {
      stubborn.sendBytes(bytes(0xc0, 0)) // a closed connection says so to the next segment
      return stubborn.closed
    })
    expect(stubborn.all('pingresp')).toEqual([])
  })

  test('[MQTT-4.8.0-2] what cannot be stored ends the connection, and is not acknowledged', async () => {
    const publisher = await client(version)
    const { log } = server().store
    const append = log.append.bind(log)
    const gone = new StoreError('store-unavailable', 'the disk is gone')
    log.append = (_draft, onDurable) => void setImmediate(() => onDurable?.(gone))
    try {
      publisher.send(publish('t', 'x', { qos: 1, messageId: 1 }))
      await refused(publisher, version, 0x89)
    } finally {
      log.append = append
    }
    expect(publisher.all('puback')).toEqual([])
  })
})

test('[MQTT-3.14.2-1] [MQTT-4.13.1-1] each error has its code', async () => {
  const errors: [Uint8Array, number][] = [
    [packet(0x30, text('a/+'), bytes(0)), 0x90],
    [packet(0x82, uint16(1), bytes(0), text('a/#/b'), bytes(0)), 0x8f],
    [packet(0x30, text(''), properties(bytes(0x23), uint16(9))), 0x94],
    [packet(0x30, text('a'), properties(bytes(0x0b), bytes(1))), 0x82],
    [packet(0x30, text('a'), bytes(0), Buffer.alloc(2000)), 0x95]
  ]
  for (const [sent, code] of errors) {
    const violator = await client(5)
    violator.sendBytes(sent)
    await refused(violator, 5, code)
  }
})
