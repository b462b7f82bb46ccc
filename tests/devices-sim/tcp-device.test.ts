import { describe, expect, test } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Recorder } from '../../devices-sim/recorder.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { quickProfile } from './profiles.ts'
import { runningFleet } from './running-fleet.ts'
import { steadyClock } from './steady-clock.ts'
import { numberOf, TestTcpServer, type TestStream } from './tcp-server.ts'

const device = 'sensor-0001'
const target = (server: TestTcpServer) => ({ host: '127.0.0.1', port: server.port })
const wholeFrom1 = (stream: TestStream) => stream.events.map(event => numberOf(event.payload))
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('a device over raw TCP', () => {
  test('says hello, sends its events in order and takes the acknowledgements', async () => {
    await using server = await new TestTcpServer().listen()
    await using fleet = runningFleet({ tcp: target(server), credentials: [{ id: device, token: 'secret' }] })
    const stream = server.stream(device)
    await eventually(() => fleet.statistics.byProtocol.tcp.acknowledged >= 5)
    expect(stream.hellos).toMatchObject([{ version: 1, device, token: 'secret', keepaliveS: 60 }])
    expect(stream.hellos[0]?.stream).toBeTruthy()
    expect(stream.events[0]).toMatchObject({ seq: 1, topic: `site/here/sensor/${device}`, payload: { n: 1 } })
    expect(wholeFrom1(stream)).toEqual(upTo(stream.events.length))
    expect(fleet.statistics.byProtocol.tcp.acknowledgementUs.totalCount).toBeGreaterThanOrEqual(5)
  })

  test('after a loss sends again what was not acknowledged, and nothing that was', async () => {
    await using server = await new TestTcpServer().listen()
    await using fleet = runningFleet({ tcp: target(server) })
    const stream = server.stream(device)
    await eventually(() => stream.events.length >= 5)
    server.takes = false // from here on events vanish with the connection
    const counts = fleet.statistics.byProtocol.tcp
    await eventually(() => fleet.waiting >= 6)
    server.takes = true
    server.cutAll()
    await eventually(() => counts.reconnects === 1 && fleet.waiting === 0)
    expect(wholeFrom1(stream)).toEqual(upTo(stream.events.length))
    expect(stream.violations).toEqual([])
    expect(stream.repeats).toBe(0)
    expect(stream.batches).toBeGreaterThanOrEqual(1)
    expect(counts.resent).toBeGreaterThanOrEqual(6)
    expect(counts.failures).toBe(1)
  })

  test('does not resend what the server took without having said so', async () => {
    await using server = await new TestTcpServer().listen()
    await using fleet = runningFleet({ tcp: target(server) })
    const stream = server.stream(device)
    server.acknowledges = false
    await eventually(() => stream.events.length >= 5)
    expect(fleet.statistics.byProtocol.tcp.acknowledged).toBe(0)
    server.acknowledges = true
    server.cutAll()
    await eventually(() => fleet.statistics.byProtocol.tcp.acknowledged >= 8)
    expect(stream.repeats).toBe(0)
    expect(wholeFrom1(stream)).toEqual(upTo(stream.events.length))
  })

  test('keeps to the window of the server', async () => {
    await using server = await new TestTcpServer().listen()
    server.windowEvents = 3
    server.acknowledges = false
    await using fleet = runningFleet({ tcp: target(server) })
    const stream = server.stream(device)
    await eventually(() => stream.lastSeq >= 3)
    const { waiting } = fleet
    await eventually(() => fleet.waiting >= waiting + 5)
    expect(stream.lastSeq).toBe(3)
  })

  test('measures no more while its memory is full, and loses nothing by it', async () => {
    await using server = await new TestTcpServer().listen()
    server.acknowledges = false
    await using fleet = runningFleet({ tcp: target(server), outboxMax: 10, profile: quickProfile('{}', 2) })
    const counts = fleet.statistics.byProtocol.tcp
    const stream = server.stream(device)
    await eventually(() => stream.lastSeq === 10)
    expect(counts.made).toBe(10)
    server.acknowledges = true
    server.cutAll()
    await eventually(() => counts.acknowledged > 30)
    expect(wholeFrom1(stream)).toEqual(upTo(stream.events.length))
  })

  test('goes on after the numbers that an earlier run left in the stream', async () => {
    await using server = await new TestTcpServer().listen()
    server.stream(device).lastSeq = 500
    await using fleet = runningFleet({ tcp: target(server) })
    await eventually(() => fleet.statistics.byProtocol.tcp.acknowledged >= 3)
    expect(server.stream(device).events[0]).toMatchObject({ seq: 501, payload: { n: 1 } })
    expect(server.stream(device).violations).toEqual([])
  })

  test('notices a server that lost what it had acknowledged', async () => {
    await using server = await new TestTcpServer().listen()
    await using fleet = runningFleet({ tcp: target(server) })
    const { errors } = fleet.statistics.byProtocol.tcp
    await eventually(() => fleet.statistics.byProtocol.tcp.acknowledged >= 5)
    server.stream(device).lastSeq = 1
    server.cutAll()
    await eventually(() => errors.get('server-lost-acknowledged-events') === 1)
    const acknowledged = fleet.statistics.byProtocol.tcp.acknowledged
    await eventually(() => fleet.statistics.byProtocol.tcp.acknowledged > acknowledged)
    expect(server.stream(device).violations).toEqual([])
  })

  test('counts a refused event as refused and goes on', async () => {
    await using server = await new TestTcpServer().listen()
    server.refuses = event => numberOf(event.payload) === 3
    await using fleet = runningFleet({ tcp: target(server) })
    const counts = fleet.statistics.byProtocol.tcp
    await eventually(() => counts.acknowledged >= 5)
    expect(counts.refused).toBe(1)
    expect(counts.errors.get('tcp-not-authorized')).toBe(1)
    expect(wholeFrom1(server.stream(device)).slice(0, 4)).toEqual([1, 2, 4, 5])
  })

  test('pings when it has nothing to say', async () => {
    await using server = await new TestTcpServer().listen()
    using clock = steadyClock()
    const profile = { ...quickProfile('{ silent: { at: [10ms], lasts: 1h } }'), keepalive: 1000 }
    await using fleet = runningFleet({ tcp: target(server), profile, now: clock.now })
    await eventually(() => server.pings >= 2)
    expect(fleet.statistics.byProtocol.tcp.failures).toBe(0)
  })

  test('keeps trying while there is no server, and comes when there is one', async () => {
    const port = await freePort()
    await using fleet = runningFleet({ tcp: { host: '127.0.0.1', port } })
    await eventually(() => (fleet.statistics.byProtocol.tcp.errors.get('ECONNREFUSED') ?? 0) >= 2)
    await using server = await new TestTcpServer().listen(port)
    await eventually(() => server.stream(device).events.length > 0)
    expect(server.stream(device).events[0]?.seq).toBe(1)
  })

  test('a power cut resets the connection, a goodbye is said; both come back', async () => {
    await using server = await new TestTcpServer().listen()
    using clock = steadyClock() // a goodbye that falls due while the device is not there is none
    const faults =
      '{ powerCut: { at: [50ms], lasts: 50ms }, flapping: { at: [300ms], times: 2, down: 30ms, up: 60ms } }'
    await using fleet = runningFleet({ tcp: target(server), profile: quickProfile(faults), now: clock.now })
    const stream = server.stream(device)
    const counts = fleet.statistics.byProtocol.tcp
    await eventually(() => stream.hellos.length === 4 && counts.connected === 1)
    expect(server.resets).toBe(1)
    expect(stream.byes).toBe(2)
    expect([counts.powerCuts, counts.goodbyes, counts.failures]).toEqual([1, 2, 0])
    expect(wholeFrom1(stream)).toEqual(upTo(stream.events.length))
  })

  test('a repeat is the same event under the same number', async () => {
    await using server = await new TestTcpServer().listen()
    const profile = quickProfile('{ repeat: { probability: 0.5 } }')
    await using fleet = runningFleet({ tcp: target(server), profile })
    const stream = server.stream(device)
    await eventually(() => stream.repeats >= 3)
    expect(wholeFrom1(stream)).toEqual(upTo(stream.events.length))
    expect(fleet.statistics.byProtocol.tcp.repeats).toBeGreaterThanOrEqual(3)
  })

  test('records every acknowledged event once', async () => {
    await using folder = await temporaryFolder()
    await using server = await new TestTcpServer().listen()
    const path = join(folder.path, 'acknowledged')
    const recorder = new Recorder(path, error => {
      throw error
    })
    const fleet = runningFleet({ tcp: target(server), recorder, count: 3 })
    await eventually(() => fleet.statistics.byProtocol.tcp.acknowledged >= 10)
    await fleet.stop(5000)
    recorder.close()
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    const acknowledged = lines.map(line => JSON.parse(line) as { device: string; n: number })
    const taken = [...server.streams].flatMap(([id, stream]) =>
      stream.events.map(event => `${id} ${numberOf(event.payload)}`)
    )
    expect(acknowledged.map(({ device: id, n }) => `${id} ${n}`).sort()).toEqual(taken.sort())
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      device: expect.any(String),
      protocol: 'tcp',
      topic: expect.stringMatching(/^site\/here/),
      n: 1
    })
  })

  test('the end waits for what is not acknowledged, then says goodbye', async () => {
    await using server = await new TestTcpServer().listen()
    const fleet = runningFleet({ tcp: target(server), count: 20 })
    await eventually(() => fleet.statistics.byProtocol.tcp.acknowledged >= 20)
    await fleet.stop(5000)
    const counts = fleet.statistics.byProtocol.tcp
    expect(counts.acknowledged).toBe(counts.made)
    await eventually(() => server.connections === 0)
    expect([...server.streams.values()].map(stream => stream.byes)).toEqual(Array(20).fill(1))
  })
})
