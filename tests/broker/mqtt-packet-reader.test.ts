// Packets out of a stream of bytes: whatever its chunks, whatever lengths it declares.
import { describe, expect, test } from '@jest/globals'
import { generate, type Packet } from 'mqtt-packet'
import type { ClientPacket, Malformed } from '../../broker/mqtt/client-packets.ts'
import { PacketReader } from '../../broker/mqtt/packet-reader.ts'

const PACKET_BYTES_MAX = 100_000

function reading() {
  const packets: ClientPacket[] = []
  const malformed: Malformed[] = []
  const reader = new PacketReader(
    {
      onPacket: packet => {
        packets.push(packet)
        return malformed.length === 0
      },
      onMalformed: problem => void malformed.push(problem)
    },
    PACKET_BYTES_MAX
  )
  return { reader, packets, malformed }
}

const publish = (payload: string, qos: 0 | 1 = 1): Packet => ({
  cmd: 'publish',
  topic: 'a/b',
  payload,
  qos,
  retain: false,
  dup: false,
  ...(qos > 0 && { messageId: payload.length + 1 })
})
const stream = Buffer.concat(
  [
    publish('x', 0),
    publish('y'.repeat(10)),
    { cmd: 'pingreq' } as const,
    publish('z'.repeat(130)),
    publish('long'.repeat(5000)),
    { cmd: 'puback', messageId: 7 } as const,
    publish('')
  ].map(packet => generate(packet))
)

describe('packets', () => {
  test.each([1, 2, 3, 5, 64, 1000, 16_384, stream.length])('are the same in chunks of %d bytes', size => {
    const whole = reading()
    whole.reader.read(stream)
    const cut = reading()
    for (let at = 0; at < stream.length; at += size) cut.reader.read(stream.subarray(at, at + size))
    expect(cut.packets).toEqual(whole.packets)
    expect(cut.packets.map(packet => packet.cmd)).toEqual([
      'publish',
      'publish',
      'pingreq',
      'publish',
      'publish',
      'puback',
      'publish'
    ])
    expect(cut.reader.openBytes).toBe(0)
  })

  test('are not read on when whoever gets them says so', () => {
    const { reader, packets, malformed } = reading()
    malformed.push({ cmd: 'malformed', code: 0x81, message: 'stop' })
    reader.read(stream)
    expect(packets).toHaveLength(1)
  })
})

describe('an unfinished packet', () => {
  test('takes memory for what has come, not for the length it declares', () => {
    const { reader } = reading()
    reader.read(Buffer.of(0x10, 0x80, 0x80, 0x04)) // CONNECT of 65,536 bytes
    expect(reader.openBytes).toBeLessThan(100)
    reader.read(Buffer.alloc(1000))
    expect(reader.openBytes).toBeLessThan(2100)
    for (let bytes = 0; bytes < 30_000; bytes++) reader.read(Buffer.of(0))
    expect(reader.openBytes).toBeLessThanOrEqual(2 * 31_004)
  })

  test('is refused as soon as its length is known to be too large', () => {
    const { reader, malformed } = reading()
    reader.read(Buffer.of(0x30, 0xff, 0xff))
    expect(malformed).toEqual([])
    reader.read(Buffer.of(0x7f))
    expect(malformed).toMatchObject([{ code: 0x95 }])
  })
})

describe('a remaining length', () => {
  test('of five bytes is malformed, also when it comes byte by byte', () => {
    const bytes = Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01)
    const whole = reading()
    whole.reader.read(bytes)
    const cut = reading()
    for (const byte of bytes.subarray(0, 5)) cut.reader.read(Buffer.of(byte))
    expect(whole.malformed).toMatchObject([{ code: 0x81 }])
    expect(cut.malformed).toMatchObject([{ code: 0x81 }])
  })

  test('with more bytes than it needs is malformed in MQTT 5 [MQTT-1.5.5-1]', () => {
    const bytes = Buffer.of(0xc0, 0x80, 0x00)
    const before = reading()
    before.reader.read(bytes)
    expect(before.packets).toEqual([{ cmd: 'pingreq' }])
    const { reader, malformed } = reading()
    reader.version = 5
    reader.read(bytes)
    expect(malformed).toMatchObject([{ code: 0x81 }])
  })
})
