import { describe, expect, test } from '@jest/globals'
import { Aedes, type Client } from 'aedes'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { eventually } from '../helpers/eventually.ts'
import { quickProfile } from './profiles.ts'
import { runningFleet } from './running-fleet.ts'
import { steadyClock } from './steady-clock.ts'
import { numberOf } from './tcp-server.ts'

/** A broker that notes what is published. */
async function broker() {
  const sockets = new Set<Socket>()
  const state = { published: [] as { client: string; n: number; dup: boolean }[], holds: false, resets: 0 }
  const clients: { id: string; version: unknown; user: string | undefined }[] = []
  const aedes = await Aedes.createBroker({
    authenticate: (client: Client, user, _password, done) => {
      clients.push({ id: client.id, version: (client as { version?: unknown }).version, user })
      done(null, true)
    },
    authorizePublish: (client, packet, done) => {
      if (state.holds || client === null) return // never acknowledged
      const n = numberOf(packet.payload.toString())
      state.published.push({ client: client.id, n, dup: packet.dup })
      done(n === 3 && client.id.endsWith('refused') ? new Error('no') : null)
    }
  })
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') state.resets++
    })
    aedes.handle(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    clients,
    sockets,
    target: { host: '127.0.0.1', port },
    cutAll: () => sockets.forEach(socket => socket.resetAndDestroy()),
    [Symbol.asyncDispose]: async () => {
      sockets.forEach(socket => socket.destroy())
      await new Promise<void>(resolve => aedes.close(() => server.close(() => resolve())))
    }
  })
}

const protocol = 'mqtt'

describe('a device over MQTT', () => {
  test('publishes in order at QoS 1, with its credentials, over both versions', async () => {
    await using server = await broker()
    const credentials = ['one', 'two'].map(id => ({ id, token: 'secret' }))
    await using fleet = runningFleet({ protocol, mqtt: server.target, count: 2, credentials })
    const { mqtt } = fleet.statistics.byProtocol
    await eventually(() => mqtt.acknowledged >= 10 && mqtt.connected === 2)
    expect(server.clients.map(({ id, user }) => [id, user]).sort()).toEqual([
      ['one', 'one'],
      ['two', 'two']
    ])
    expect(new Set(server.clients.map(client => client.version))).toEqual(new Set([4, 5]))
    const one = server.published.filter(({ client }) => client === 'one').map(({ n }) => n)
    expect(one).toEqual(one.map((_, index) => index + 1))
  })

  test('after a loss publishes again what was not acknowledged, and nothing that was', async () => {
    await using server = await broker()
    await using fleet = runningFleet({ protocol, mqtt: server.target })
    const counts = fleet.statistics.byProtocol.mqtt
    await eventually(() => counts.acknowledged >= 5)
    server.holds = true
    // What was published before has its acknowledgement, none of which is on its way any more.
    await eventually(() => fleet.waiting >= 5 && counts.acknowledged === server.published.length)
    const acknowledged = counts.acknowledged
    server.holds = false
    server.published.length = 0
    server.cutAll()
    const isNew = () => server.published.at(-1)?.dup === false
    await eventually(() => counts.reconnects === 1 && counts.acknowledged > acknowledged + 5 && isNew())
    const again = server.published.map(({ n }) => n)
    expect(again).toEqual(again.map((_, index) => acknowledged + 1 + index))
    expect(server.published[0]?.dup).toBe(true)
    expect(server.published.at(-1)?.dup).toBe(false)
  })

  test('a power cut resets the connection, a goodbye is said; both come back', async () => {
    await using server = await broker()
    using clock = steadyClock() // a goodbye that falls due while the device is not there is none
    const faults =
      '{ powerCut: { at: [50ms], lasts: 50ms }, flapping: { at: [300ms], times: 2, down: 30ms, up: 60ms } }'
    await using fleet = runningFleet({
      protocol,
      mqtt: server.target,
      profile: quickProfile(faults),
      now: clock.now
    })
    const counts = fleet.statistics.byProtocol.mqtt
    await eventually(() => server.clients.length === 4 && counts.connected === 1)
    expect(server.resets).toBe(1)
    expect([counts.powerCuts, counts.goodbyes, counts.failures]).toEqual([1, 2, 0])
  })

  test('a repeat is published again with DUP and counted once', async () => {
    await using server = await broker()
    const profile = quickProfile('{ repeat: { at: [1ms] } }')
    await using fleet = runningFleet({ protocol, mqtt: server.target, profile })
    await eventually(() => server.published.length >= 6)
    const repeated = server.published.filter(({ dup }) => dup)
    expect(repeated).toHaveLength(1)
    expect(server.published.filter(({ n }) => n === repeated[0]?.n)).toHaveLength(2)
    expect(fleet.statistics.byProtocol.mqtt.repeats).toBe(1)
  })

  test('the end waits for what is not acknowledged, and leaves no connection behind', async () => {
    await using server = await broker()
    const fleet = runningFleet({ protocol, mqtt: server.target, count: 20 })
    const counts = fleet.statistics.byProtocol.mqtt
    await eventually(() => counts.acknowledged >= 20)
    await fleet.stop(5000)
    expect(counts.acknowledged).toBe(counts.made)
    await eventually(() => server.sockets.size === 0)
  })
})
