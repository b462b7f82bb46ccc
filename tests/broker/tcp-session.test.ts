import { describe, expect, test } from '@jest/globals'
import { unpack } from 'msgpackr'
import {
  encodeDeviceBye,
  encodeEvent,
  encodeHello,
  encodePing,
  encodeResult
} from '../../broker/tcp/frame-codec.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { eventFrame } from './tcp-device.ts'
import { TestServer } from './tcp-server.ts'

describe('hello', () => {
  test('is answered with what the device needs to know', async () => {
    await using server = await TestServer.start()
    const device = await server.connect()
    device.hello({ device: 'pump' })
    const welcome = await device.next('welcome')
    expect(welcome).toEqual({
      type: 'welcome',
      session: expect.stringMatching(/^[\w-]{8}$/),
      lastSeq: 0,
      windowEvents: 64,
      frameBytesMax: 4096
    })
  })

  test('must come first, and once', async () => {
    await using server = await TestServer.start()
    const early = await server.connect()
    early.events(1)
    expect(await early.next('error')).toMatchObject({ code: 'unexpected-message' })
    await early.ended()
    const twice = await server.join('pump')
    twice.hello({ device: 'pump' })
    expect(await twice.next('error')).toMatchObject({ code: 'unexpected-message' })
    await twice.ended()
    expect(await server.events()).toEqual([])
  })

  test('must come in time', async () => {
    await using server = await TestServer.start({ settings: { helloTimeoutMs: 100 } })
    const device = await server.connect()
    device.send(Buffer.from([0, 0])) // a torn frame is no hello
    expect(await device.next('error')).toMatchObject({ code: 'hello-timeout' })
    await device.ended()
  })

  test('of another version is refused', async () => {
    await using server = await TestServer.start()
    const device = await server.connect()
    device.hello({ device: 'pump', version: 2 })
    expect(await device.next('error')).toMatchObject({ code: 'version-unsupported' })
    await device.ended()
  })

  test('needs the right token of a registered device', async () => {
    await using server = await TestServer.start({ tokens: { pump: 'right' }, anonymous: false })
    for (const given of [
      { device: 'pump', token: 'wrong' },
      { device: 'pump' },
      { device: 'x', token: 'right' }
    ]) {
      const device = await server.connect()
      device.hello(given)
      expect(await device.next('error')).toMatchObject({ code: 'bad-credentials' })
      await device.ended()
    }
    const device = await server.connect()
    device.hello({ device: 'pump', token: Buffer.from('right') })
    await device.next('welcome')
    expect(server.presence.count).toBe(1)
  })
})

describe('events', () => {
  test('are acknowledged only after they are durable', async () => {
    await using server = await TestServer.start()
    const device = await server.join('pump')
    server.log.hold()
    device.events(1, 2)
    await eventually(() => server.log.held === 2)
    device.send(encodePing())
    await device.next('pong') // and no ack before it
    server.log.release()
    await device.acknowledged(2)
    expect(await server.events()).toHaveLength(2)
  })

  test('carry topic, payload and time as sent, and the device that was authenticated', async () => {
    await using server = await TestServer.start()
    const device = await server.join('pump')
    const payload = Buffer.from([0x82, 0xa1, 0x61, 0x01, 0xa9, ...Buffer.from('__proto__'), 0x90])
    device.send(encodeEvent({ seq: 1, topic: 'å/b', payload, deviceAt: 1_700_000_000_123 }))
    await device.acknowledged(1)
    const [event] = await server.events()
    expect(event).toMatchObject({
      device: 'pump',
      topic: 'å/b',
      deviceAt: 1_700_000_000_123,
      format: 'msgpack',
      source: 'tcp',
      severity: 'info'
    })
    expect(Buffer.from(event?.payload ?? []).equals(payload)).toBe(true)
  })

  test('arrive in order from single frames, batches and torn pieces', async () => {
    await using server = await TestServer.start()
    const device = await server.join('pump')
    device.events(1, 2)
    device.batch(3, 3)
    for (const byte of eventFrame(6)) device.socket.write(Buffer.from([byte]))
    await device.acknowledged(6)
    const payloads = (await server.events()).map(event => unpack(Buffer.from(event.payload)))
    expect(payloads).toEqual([1, 2, 3, 4, 5, 6].map(seq => ({ seq })))
  })

  test('that come again are acknowledged and dropped', async () => {
    await using server = await TestServer.start()
    const device = await server.join('pump')
    device.events(1, 2, 3)
    await device.acknowledged(3)
    device.events(2)
    await device.acknowledged(3)
    device.batch(2, 4)
    await device.acknowledged(5)
    expect((await server.events()).map(event => event.topic)).toEqual(['t/1', 't/2', 't/3', 't/4', 't/5'])
    expect(await server.metric('tocsin_tcp_repeats_total')).toBe(3)
  })

  test('with a hole before them end the connection, and what came before is acknowledged', async () => {
    await using server = await TestServer.start()
    const device = await server.join('pump')
    device.events(1)
    await device.acknowledged(1)
    device.events(3)
    expect(await device.next('error')).toMatchObject({ code: 'seq-gap', seq: 3 })
    await device.ended()
    expect(await server.events()).toHaveLength(1)
  })

  test('beyond the window end the connection; those within it are kept', async () => {
    await using server = await TestServer.start({ settings: { windowEvents: 3 } })
    const device = await server.join('pump')
    server.log.hold()
    device.events(1, 2, 3, 4)
    expect(await device.next('error')).toMatchObject({ code: 'window-exceeded', seq: 4 })
    await device.ended()
    server.log.release()
    await eventually(async () => (await server.events()).length === 3)
  })

  test('that are not allowed are told and passed over, in order with those around them', async () => {
    await using server = await TestServer.start({
      access: [{ devices: ['*'], publish: ['own/%c/#'], subscribe: [] }]
    })
    const device = await server.join('pump', 'main')
    server.log.hold()
    device.send(
      eventFrame(1, 'own/pump/a'),
      eventFrame(2, 'own/lamp/a'),
      eventFrame(3, 'own/pump/+'),
      eventFrame(4, 'own/pump/b')
    )
    expect(await device.next('error')).toMatchObject({ code: 'not-authorized', seq: 2 })
    expect(await device.next('error')).toMatchObject({ code: 'topic-invalid', seq: 3 })
    device.send(encodePing())
    await device.next('pong') // 1 is not durable, so nothing may be acknowledged
    server.log.release()
    await device.acknowledged(4)
    device.send(eventFrame(5, 'nobody'))
    expect(await device.next('error')).toMatchObject({ code: 'not-authorized', seq: 5 })
    await device.acknowledged(5)
    expect((await server.events()).map(event => event.topic)).toEqual(['own/pump/a', 'own/pump/b'])
  })

  test('sent before a bye, or before the device closes its side, are acknowledged', async () => {
    await using server = await TestServer.start()
    const polite = await server.join('pump')
    const terse = await server.join('lamp')
    server.log.hold()
    polite.send(eventFrame(1), encodeDeviceBye('empty battery'))
    terse.send(eventFrame(1))
    terse.socket.end()
    await eventually(() => server.log.held === 2)
    server.log.release()
    for (const device of [polite, terse]) {
      await device.acknowledged(1)
      await device.ended()
    }
  })

  test('sent before a connection is cut are committed', async () => {
    await using server = await TestServer.start()
    const device = await server.join('pump')
    server.log.hold()
    device.events(1, 2)
    await eventually(() => server.log.held === 2)
    device.reset()
    await eventually(() => !server.presence.connected('pump'))
    server.log.release()
    await eventually(async () => (await server.events()).length === 2)
  })
})

describe('a named stream', () => {
  test('goes on after a reconnect and after a restart', async () => {
    await using folder = await temporaryFolder()
    {
      await using server = await TestServer.start({ dir: folder.path })
      const first = await server.join('pump', 'main')
      first.events(1, 2, 3)
      await first.acknowledged(3)
      first.destroy()
      const second = await server.connect()
      second.hello({ device: 'pump', stream: 'main' })
      expect(await second.next('welcome')).toMatchObject({ lastSeq: 3 })
      second.events(3, 4)
      await second.acknowledged(4)
    }
    await using server = await TestServer.start({ dir: folder.path })
    const third = await server.connect()
    third.hello({ device: 'pump', stream: 'main' })
    expect(await third.next('welcome')).toMatchObject({ lastSeq: 4 })
    const other = await server.connect()
    other.hello({ device: 'lamp', stream: 'main' })
    expect(await other.next('welcome')).toMatchObject({ lastSeq: 0 })
    expect(await server.events()).toHaveLength(4)
  })

  test('is not welcomed before what the taken over connection had pending is durable', async () => {
    await using server = await TestServer.start()
    const old = await server.join('pump', 'main')
    server.log.hold()
    old.events(1, 2)
    await eventually(() => server.log.held === 2)
    const heir = await server.connect()
    heir.hello({ device: 'pump', stream: 'main' })
    expect(await old.next('bye')).toMatchObject({ code: 'taken-over' })
    await old.ended()
    await server.join('lamp') // what the heir was sent before has come by then
    expect(heir.received).toEqual([])
    server.log.release()
    expect(await heir.next('welcome')).toMatchObject({ lastSeq: 2 })
    heir.events(2, 3)
    await heir.acknowledged(3)
    expect((await server.events()).map(event => event.topic)).toEqual(['t/1', 't/2', 't/3'])
  })

  test('a takeover in the middle of a takeover still begins where the first ended', async () => {
    await using server = await TestServer.start()
    const first = await server.join('pump', 'main')
    server.log.hold()
    first.events(1)
    await eventually(() => server.log.held === 1)
    const second = await server.connect()
    second.hello({ device: 'pump', stream: 'main' })
    await first.next('bye')
    const third = await server.connect()
    third.hello({ device: 'pump', stream: 'main' })
    await second.next('bye')
    server.log.release()
    expect(await third.next('welcome')).toMatchObject({ lastSeq: 1 })
    expect(server.presence.count).toBe(1)
  })
})

test('a device that comes back while its goodbye waits for the disk is welcomed after it', async () => {
  await using server = await TestServer.start()
  const old = await server.join('pump', 'main')
  server.log.hold()
  old.send(eventFrame(1), encodeDeviceBye('sleep'))
  await eventually(() => !server.presence.connected('pump'))
  const back = await server.connect()
  back.hello({ device: 'pump', stream: 'main' })
  await old.next('bye')
  server.log.release()
  expect(await back.next('welcome')).toMatchObject({ lastSeq: 1 })
  await server.statuses('pump', ['online connected', 'online reconnected'])
})

test('without a stream every connection begins at 0', async () => {
  await using server = await TestServer.start()
  const first = await server.join('pump')
  first.events(1, 2)
  await first.acknowledged(2)
  first.destroy()
  const second = await server.connect()
  second.hello({ device: 'pump' })
  expect(await second.next('welcome')).toMatchObject({ lastSeq: 0 })
  second.events(1)
  await second.acknowledged(1)
  expect(await server.events()).toHaveLength(3)
})

test('answers pings, ignores results, and closes on a bye', async () => {
  await using server = await TestServer.start()
  const device = await server.join('pump')
  device.send(encodeResult({ id: 1, ok: true, payload: Buffer.from([0xc0]) }), encodePing())
  await device.next('pong')
  expect(await server.metric('tocsin_tcp_results_ignored_total')).toBe(1)
  device.send(encodeDeviceBye('done'))
  await device.ended()
})

test('a frame that is no message gets its error, and the connection closes', async () => {
  await using server = await TestServer.start()
  const cases: [string, Buffer][] = [
    ['frame-too-large', Buffer.from([0, 0, 0x10, 1])],
    ['not-an-array', Buffer.from([0, 0, 0, 1, 0xc0])],
    ['unknown-type', Buffer.from([0, 0, 0, 2, 0x91, 0x63])]
  ]
  for (const [code, bytes] of cases) {
    const device = await server.join('pump')
    device.send(bytes, encodePing())
    expect(await device.next('error')).toMatchObject({ code })
    await device.ended()
  }
  const stranger = await server.connect()
  stranger.send(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'))
  expect(await stranger.next('error')).toMatchObject({ code: 'frame-too-large' })
  await stranger.ended()
  expect(await server.metric('tocsin_tcp_errors_total', { code: 'frame-too-large' })).toBe(2)
})

test('a connection is independent of how its hello and events are cut into packets', async () => {
  await using server = await TestServer.start()
  const device = await server.connect()
  const hello = encodeHello({ version: 1, device: 'pump', token: null, keepaliveS: null, stream: 's' })
  device.send(hello, eventFrame(1), eventFrame(2))
  expect(await device.next('welcome')).toMatchObject({ lastSeq: 0 })
  await device.acknowledged(2)
})
