import { expect, test } from '@jest/globals'
import { encodeHello, encodePing } from '../../broker/tcp/frame-codec.ts'
import { eventually } from '../helpers/eventually.ts'
import { eventFrame } from './tcp-device.ts'
import { TestServer } from './tcp-server.ts'

test('a silent device is cut off after the idle time, or 1.5 times its keepalive', async () => {
  await using server = await TestServer.start({ settings: { idleTimeoutMs: 200 } })
  const idle = await server.join('idle')
  const keeping = await server.connect()
  const started = performance.now()
  keeping.hello({ device: 'keeping', keepaliveS: 1 })
  await keeping.next('welcome')
  expect(await idle.next('error')).toMatchObject({ code: 'idle-timeout' })
  await idle.ended()
  expect(await keeping.next('error')).toMatchObject({ code: 'keepalive-timeout' })
  expect(performance.now() - started).toBeGreaterThan(1400)
  await keeping.ended()
})

test('pings keep a connection', async () => {
  await using server = await TestServer.start({ settings: { idleTimeoutMs: 2000 } })
  const device = await server.join('pump')
  const pinging = setInterval(() => device.send(encodePing()), 50)
  const silent = await server.join('silent')
  await silent.next('error')
  clearInterval(pinging)
  expect(device.open).toBe(true)
})

test('a full log pauses devices, whose events are all taken once there is room', async () => {
  await using server = await TestServer.start({ settings: { idleTimeoutMs: 1000, helloTimeoutMs: 1000 } })
  const device = await server.join('pump')
  server.log.fill()
  device.events(1, 2, 3)
  const newcomer = await server.connect()
  newcomer.hello({ device: 'newcomer' }) // not even this is taken
  const pauses = () => server.metric('tocsin_tcp_pauses_total', { reason: 'log-full' })
  await eventually(async () => (await pauses()) === 2)
  const waiting = performance.now()
  await eventually(() => performance.now() - waiting > 2500) // longer than a device may be silent
  expect(await server.events()).toEqual([])
  expect(newcomer.received).toEqual([])
  expect(device.open).toBe(true)
  server.log.empty()
  await device.acknowledged(3)
  await newcomer.next('welcome')
})

test('a device above its rate is slowed down and loses nothing', async () => {
  await using server = await TestServer.start({ settings: { eventsPerSecondMax: 20, windowEvents: 1000 } })
  const started = performance.now()
  const device = await server.join('pump')
  device.events(...Array.from({ length: 30 }, (_, index) => index + 1))
  await device.acknowledged(30)
  expect(performance.now() - started).toBeGreaterThan(400)
  expect(await server.events()).toHaveLength(30)
})

test('a device that reads no replies is not read from, and cut off in the end', async () => {
  await using server = await TestServer.start({
    settings: { unsentBytesMax: 4096, idleTimeoutMs: 1500 }
  })
  const device = await server.join('pump')
  device.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => encodePing()))
  const flood = () => {
    while (device.socket.writable && device.socket.writableLength < 1e6) device.socket.write(pings)
  }
  const flooding = setInterval(flood, 5)
  await eventually(() => !server.presence.connected('pump'))
  clearInterval(flooding)
  expect(await server.metric('tocsin_tcp_errors_total', { code: 'replies-unread' })).toBe(1)
})

test('refuses connections over the limit with the reason, and takes them again when there is room', async () => {
  await using server = await TestServer.start({ limits: { connectionsMax: 1 } })
  const first = await server.join('a')
  const second = await server.connect()
  expect(await second.next('error')).toMatchObject({ code: 'too-many-connections' })
  await second.ended()
  first.destroy()
  const connections = () => server.metric('tocsin_device_connections', { protocol: 'tcp' })
  await eventually(async () => (await connections()) === 0) // later than the device is gone
  await server.join('b')
})

test('a device may have so many named streams, and go on with those it has', async () => {
  await using server = await TestServer.start({ settings: { streamsMax: 2 } })
  for (const stream of ['one', 'two']) {
    const device = await server.join('pump', stream)
    device.send(eventFrame(1))
    await device.acknowledged(1)
  }
  const again = await server.join('pump', 'one')
  again.send(eventFrame(2))
  await again.acknowledged(2)
  const device = await server.connect()
  device.hello({ device: 'pump', stream: 'three' })
  expect(await device.next('error')).toMatchObject({ code: 'too-many-streams' })
  await device.ended()
})

test('a connection that adds to too many unfinished bytes is closed, others stay', async () => {
  await using server = await TestServer.start({
    settings: { frameBytesMax: 65_536 },
    limits: { openBytesMax: 10_000 }
  })
  const modest = await server.join('modest')
  const torn = eventFrame(1).subarray(0, 10)
  modest.send(torn)
  const greedy = await server.join('greedy')
  greedy.send(Buffer.concat([Buffer.from([0, 1, 0, 0]), Buffer.alloc(30_000)]))
  expect(await greedy.next('error')).toMatchObject({ code: 'server-busy' })
  await greedy.ended()
  modest.send(eventFrame(1).subarray(10))
  await modest.acknowledged(1)
  expect(await server.metric('tocsin_device_open_bytes')).toBe(0)
})

test('a declared length costs no memory', async () => {
  await using server = await TestServer.start({ settings: { frameBytesMax: 2 ** 26 } })
  const before = process.memoryUsage.rss()
  const devices = await Promise.all(Array.from({ length: 20 }, (_, index) => server.join(`d${index}`)))
  for (const device of devices) device.send(Buffer.from([3, 255, 255, 255, 0x94]))
  await eventually(async () => (await server.metric('tocsin_device_open_bytes')) === 100)
  expect(process.memoryUsage.rss() - before).toBeLessThan(100e6)
})

test('stopping acknowledges what came, says bye, and takes nothing more', async () => {
  await using server = await TestServer.start()
  const device = await server.join('pump')
  const joining = await server.connect()
  server.log.hold()
  device.events(1)
  await eventually(() => server.log.held === 1)
  const closing = server.server.close()
  expect(await joining.next('bye')).toMatchObject({ code: 'shutting-down' })
  device.events(2)
  server.log.release()
  await device.acknowledged(1)
  expect(await device.next('bye')).toMatchObject({ code: 'shutting-down' })
  await device.ended()
  device.destroy()
  joining.destroy()
  await closing
  expect(await server.events()).toHaveLength(1)
})

test('a device is disconnected by its id', async () => {
  await using server = await TestServer.start()
  const device = await server.join('pump')
  const other = await server.join('lamp')
  server.server.disconnectDevice('pump', 'device-removed')
  expect(await device.next('bye')).toMatchObject({ code: 'device-removed' })
  await device.ended()
  other.send(encodePing())
  await other.next('pong')
})

test('a port that is taken is told', async () => {
  await using server = await TestServer.start()
  await expect(TestServer.start({ settings: { port: server.port } })).rejects.toMatchObject({
    code: 'EADDRINUSE'
  })
})

test('garbage never brings the server down', async () => {
  await using server = await TestServer.start()
  const hello = encodeHello({ version: 1, device: 'pump', token: null, keepaliveS: null, stream: null })
  let state = 42
  const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 8
  for (let round = 0; round < 100; round++) {
    const device = await server.connect()
    const frame = Buffer.from(eventFrame(1))
    for (let flips = 0; flips < 3; flips++) frame[random() % frame.length] = random() & 0xff
    device.send(hello, frame)
    device.destroy()
  }
  const last = await server.join('lamp')
  last.events(1)
  await last.acknowledged(1)
})

test('refuses a device that connects too often, and leaves the one that is connected alone', async () => {
  await using server = await TestServer.start({ limits: { connectsPerDeviceMax: 2 } })
  const first = await server.join('pump')
  const second = await server.join('pump')
  await first.next('bye')
  const third = await server.connect()
  third.hello({ device: 'pump' })
  expect(await third.next('error')).toMatchObject({ code: 'connecting-too-often' })
  await third.ended()
  second.events(1)
  await second.acknowledged(1)
  await server.join('other')
})
