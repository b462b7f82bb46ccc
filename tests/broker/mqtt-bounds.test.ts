// What a misbehaving client or a full log may cost: bytes are bounded, nothing is read twice, nobody is cut off for our delay.
import { describe, expect, test } from '@jest/globals'
import { generate, type Packet } from 'mqtt-packet'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { HeldLog } from './held-log.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

const publish = (topic: string, payload: string, more: object = {}) => ({
  cmd: 'publish',
  topic,
  payload,
  qos: 0,
  retain: false,
  dup: false,
  ...more
})

async function connected(
  mqtt: Harness,
  clientId: string,
  more: object = {},
  version: 4 | 5 = 4
): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, version)
  client.send(connectPacket(clientId, version, more))
  await client.next('connack')
  return client
}

async function payloads(mqtt: Harness): Promise<string[]> {
  const { items } = await mqtt.store.log.read(0, { limit: 100_000, filter: { kinds: ['event'] } })
  return items.map(item => (item.kind === 'event' ? Buffer.from(item.payload).toString() : ''))
}

describe('memory', () => {
  test('a client that reads no acknowledgements is not read from', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { unsentBytesMax: 65_536 } })
    const client = await connected(mqtt, 'deaf')
    client.socket.pause()
    client.socket.removeAllListeners('data')
    let answered = 0
    const batch = Buffer.concat(Array.from({ length: 10_000 }, () => generate({ cmd: 'pingreq' })))
    // The system's buffers take some megabytes; far beyond them the server must have stopped reading.
    const sentMax = 64 * 1024 * 1024
    let sent = 0
    let stuck = false
    while (sent < sentMax && !stuck) {
      sent += batch.length
      if (!client.socket.write(batch)) {
        stuck = await new Promise<boolean>(resolve => {
          const timer = setTimeout(() => resolve(true), 1500)
          client.socket.once('drain', () => {
            clearTimeout(timer)
            resolve(false)
          })
        })
      }
    }
    expect(stuck).toBe(true)
    client.socket.on('data', (data: Buffer) => (answered += data.length))
    client.socket.resume()
    await eventually(() => answered === sent, { what: 'all answers', timeoutMs: 60_000 })
  })

  test('a client that reads nothing and closes its side does not keep the socket open', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { unsentBytesMax: 65_536 } })
    const client = await connected(mqtt, 'deaf')
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] })
    await client.next('suback')
    client.socket.pause()
    const publisher = await connected(mqtt, 'p')
    const payload = 'x'.repeat(200_000)
    // More than the system's buffers take.
    for (let messageId = 1; messageId <= 150; messageId++) {
      publisher.send(publish('t', payload, { qos: 1, messageId }))
    }
    await eventually(() => publisher.all('puback').length === 150, { timeoutMs: 60_000 })
    expect(mqtt.presence.connected('deaf')).toBe(true)
    client.socket.end()
    await eventually(() => !mqtt.presence.connected('deaf'))
    await mqtt.stop() // waits for all sockets
  })

  test('a packet that is announced as too large ends the connection before it has arrived', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { packetBytesMax: 10_000 } })
    const client = await connected(mqtt, 'large', {}, 5)
    const whole = generate(publish('t', 'x'.repeat(1_000_000)) as Packet, { protocolVersion: 5 })
    client.socket.write(whole.subarray(0, 12_000))
    const { reasonCode } = await client.next('disconnect')
    expect(reasonCode).toBe(0x95)
  })
})

describe('back-pressure', () => {
  test('pings among publishes do not have anything read twice', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { receiveMax: 4 } })
    const client = await connected(mqtt, 'p')
    const expected = Array.from({ length: 3000 }, (_, index) => `${index} ${'x'.repeat(500)}`)
    const packets = expected.flatMap((payload, index) =>
      index % 5 === 4 ? [publish('t', payload), { cmd: 'pingreq' }] : [publish('t', payload)]
    )
    client.send(...packets)
    await eventually(() => client.all('pingresp').length >= 600, { what: 'all pongs' })
    client.send(publish('t', 'last', { qos: 1, messageId: 1 }))
    await client.next('puback')
    expect(await payloads(mqtt)).toEqual([...expected, 'last'])
  })

  test('while the log is full no MQTT client is let in, and nothing is written for it', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const { log } = mqtt.store
    const { full } = log
    log.full = () => true
    const waitingBytes = log.waitingBytes()
    const client = await rawMqtt(mqtt.port, 5)
    client.send(connectPacket('late', 5, { properties: { sessionExpiryInterval: 100 } }))
    expect((await client.next('connack')).reasonCode).toBe(0x88)
    expect(log.waitingBytes()).toBe(waitingBytes)
    log.full = full
    await connected(mqtt, 'late', {}, 5)
  })

  test('while the log is full nothing more is appended, and the client is kept', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const client = await connected(mqtt, 'p', { keepalive: 2 })
    const { log } = mqtt.store
    const room: (() => void)[] = []
    const { full, whenRoom, append } = log
    let appended = 0
    log.append = (...given) => {
      appended++
      append.apply(log, given)
    }
    log.full = () => true
    log.whenRoom = callback => room.push(callback)
    client.send(
      ...Array.from({ length: 50 }, (_, index) => publish('t', `${index}`, { qos: 1, messageId: index + 1 }))
    )
    await eventually(() => room.length > 0)
    await new Promise(resolve => setTimeout(resolve, 6500)) // more than twice the time a silent client is kept
    expect(client.closed).toBe(false)
    expect(appended).toBe(0)
    Object.assign(log, { full, whenRoom })
    for (const callback of room) callback()
    await eventually(() => client.all('puback').length === 50)
  })

  test('while the log is slow nobody is cut off whose pings are not read for that', async () => {
    await using folder = await temporaryFolder()
    let held: HeldLog | null = null
    await using mqtt = await startMqtt({
      dir: folder.path,
      settings: { receiveMax: 1 },
      wrapLog: inner => (held = new HeldLog(inner))
    })
    const log = held as unknown as HeldLog
    const publisher = await connected(mqtt, 'p', { keepalive: 2 })
    const subscriber = await connected(mqtt, 's', { keepalive: 2, clean: false })
    log.hold()
    publisher.send(publish('t', 'x', { qos: 1, messageId: 1 }))
    subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'u', qos: 0 }] })
    const clients = [publisher, subscriber]
    const pings = setInterval(() => {
      for (const client of clients) client.send({ cmd: 'pingreq' })
    }, 300)
    await new Promise(resolve => setTimeout(resolve, 6500)) // more than twice the time a silent client is kept
    clearInterval(pings)
    expect(clients.map(({ closed }) => closed)).toEqual([false, false])
    log.release()
    await publisher.next('puback')
    await subscriber.next('suback')
  })
})
