import { expect, test } from '@jest/globals'
import { encodeDeviceBye } from '../../broker/tcp/frame-codec.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { TestServer } from './tcp-server.ts'

test('a device that is cut off is offline after the delay, with the id and order of its session', async () => {
  await using server = await TestServer.start({ offlineDelayMs: 50 })
  const device = await server.join('pump')
  device.reset()
  const [online, offline] = await server.statuses('pump', ['online connected', 'offline connection-lost'])
  expect(online).toMatchObject({ severity: 'info', order: 1 })
  expect(offline).toMatchObject({ severity: 'warning', order: 1, session: online?.session })
})

test('a goodbye is no warning', async () => {
  await using server = await TestServer.start({ offlineDelayMs: 0 })
  const device = await server.join('pump')
  device.send(encodeDeviceBye('empty battery'))
  const [, offline] = await server.statuses('pump', ['online connected', 'offline empty battery'])
  expect(offline?.severity).toBe('info')
})

test('a device that comes back within the delay was never offline', async () => {
  await using server = await TestServer.start({ offlineDelayMs: 3000 })
  const device = await server.join('pump')
  device.reset()
  await eventually(() => !server.presence.connected('pump'))
  await server.join('pump')
  const marker = await server.join('marker')
  marker.reset()
  await server.statuses('marker', ['online connected', 'offline connection-lost'])
  const [, second] = await server.statuses('pump', ['online connected', 'online reconnected'])
  expect(second?.order).toBe(2)
})

test('a takeover is no offline, and the heir’s end is told as its own', async () => {
  await using server = await TestServer.start({ offlineDelayMs: 20 })
  const old = await server.join('pump')
  const heir = await server.join('pump')
  await old.next('bye')
  expect(server.presence.count).toBe(1)
  heir.reset()
  const [, takeover, offline] = await server.statuses('pump', [
    'online connected',
    'online takeover',
    'offline connection-lost'
  ])
  expect(offline).toMatchObject({ session: takeover?.session, order: 2 })
})

test('while one session of a device lives it is not offline; the newest is told in the end', async () => {
  await using server = await TestServer.start({ offlineDelayMs: 0 })
  const first = server.presence.online('pump', 'connected')
  const second = server.presence.online('pump', 'connected')
  server.presence.offline(second, 'connection-lost', { expected: false })
  expect(server.presence.connected('pump')).toBe(true)
  server.presence.offline(first, 'bye', { expected: true })
  const statuses = await server.statuses('pump', ['online connected', 'online connected', 'offline bye'])
  expect(statuses[2]).toMatchObject({ session: second.id, order: second.order })
})

test('devices that were online before a restart get the delay to come back', async () => {
  await using folder = await temporaryFolder()
  {
    await using server = await TestServer.start({ dir: folder.path, offlineDelayMs: 0 })
    await server.join('pump')
    await server.join('lamp')
    const gone = await server.join('gone')
    gone.reset()
    await server.statuses('gone', ['online connected', 'offline connection-lost'])
  }
  await using server = await TestServer.start({ dir: folder.path, offlineDelayMs: 3000 })
  await server.join('lamp')
  const [, offline] = await server.statuses('pump', ['online connected', 'offline server-restart'])
  expect(offline?.order).toBe(1)
  const [, back] = await server.statuses('lamp', ['online connected', 'online reconnected'])
  expect(back?.order).toBe(2)
  await server.statuses('gone', ['online connected', 'offline connection-lost'])
})

test('20,000 departures wait without a timer each and are told in order', async () => {
  await using server = await TestServer.start({ offlineDelayMs: 200 })
  const timers = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
  const before = timers()
  const sessions = Array.from({ length: 20_000 }, (_, index) => server.presence.online(`d${index}`))
  for (const session of sessions) server.presence.offline(session, 'connection-lost', { expected: false })
  expect(timers() - before).toBeLessThanOrEqual(1)
  expect(server.presence.count).toBe(0)
  await eventually(() => server.log.bounds().last === 40_000, { timeoutMs: 60_000 })
})
