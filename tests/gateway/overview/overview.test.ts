// Samples of how the server does, from real counts.
import { describe, expect, test } from '@jest/globals'
import { Gauge, Registry } from 'prom-client'
import { Overview } from '../../../gateway/overview/overview.ts'
import { eventually } from '../../helpers/eventually.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { appendOne, event, openStoreIn, silent, startGateway } from '../harness.ts'

describe('the overview', () => {
  test('keeps the newest samples, with rates since the one before', async () => {
    await using folder = await temporaryFolder()
    const store = await openStoreIn(folder.path)
    const registry = new Registry()
    const connections = new Gauge({
      name: 'tocsin_device_connections',
      help: '-',
      labelNames: ['protocol'],
      registers: [registry]
    })
    const clock = { at: 1000 }
    const options = { log: store.log, registry, logger: silent, sampleMs: 1_000_000, samplesMax: 2 }
    const overview = new Overview({ ...options, now: () => clock.at })
    await overview.sample() // the first look is only compared with
    for (const [count, events] of [
      [3, 4],
      [5, 10],
      [6, 0]
    ] as const) {
      for (let n = 0; n < events; n++) await appendOne(store, event())
      connections.set({ protocol: 'tcp' }, count)
      clock.at += 2000
      await overview.sample()
    }
    expect(overview.samplesAfter(0)).toMatchObject({
      at: [5000, 7000],
      eventsPerSecond: [5, 0],
      tcpConnections: [5, 6],
      mqttConnections: [0, 0],
      loopDelayP99Ms: [null, null]
    })
    expect(overview.samplesAfter(5000).at).toEqual([7000])
    expect(overview.samplesAfter(7000).at).toEqual([])
    overview.stop()
    await store.close()
  })

  test('begins anew when the clock is set back', async () => {
    await using folder = await temporaryFolder()
    const store = await openStoreIn(folder.path)
    const clock = { at: 10_000 }
    const options = {
      log: store.log,
      registry: new Registry(),
      logger: silent,
      sampleMs: 1_000_000,
      samplesMax: 9
    }
    const overview = new Overview({ ...options, now: () => clock.at })
    await overview.sample()
    for (const at of [12_000, 14_000, 3000, 5000, 7000]) {
      clock.at = at
      await overview.sample()
    }
    expect(overview.samplesAfter(0).at).toEqual([5000, 7000])
    overview.stop()
    await store.close()
  })

  test('is served to viewers, with the time from receipt to subscribers', async () => {
    await using server = await startGateway({ settings: { sampleMs: 20 } })
    using client = await server.connect()
    await client.subscribe('all')
    await server.append(event(), event(), event())
    await client.count(3)
    const { body } = await eventually(async () => {
      const reply = await server.ask('/v1/overview')
      const told = (reply.body.samples.deliveryP99Ms as (number | null)[]).some(value => value !== null)
      return told && reply
    })
    expect(body).toMatchObject({
      version: '1.2.3',
      writable: true,
      unwritableReason: '',
      devices: { known: 1 },
      intervalMs: 20
    })
    expect(Math.max(...body.samples.eventsPerSecond)).toBeGreaterThan(0)
    expect(Math.max(...body.samples.storedP99Ms)).toBeGreaterThan(0)
    expect(body.samples.subscribers.at(-1)).toBe(1)
    const last = body.samples.at.at(-1)
    const newer = await server.ask(`/v1/overview?after=${last}`)
    expect(newer.body.samples.at.every((at: number) => at > last)).toBe(true)
    expect((await server.ask('/v1/overview', { role: null })).status).toBe(401)
  })

  test('says why nothing can be stored', async () => {
    await using server = await startGateway()
    const { log } = server.store
    log.health = () => ({ writable: false, code: 'disk-full', reason: 'the disk is full', since: 0 })
    expect((await server.ask('/v1/overview')).body).toMatchObject({
      writable: false,
      unwritableReason: 'the disk is full'
    })
  })
})
