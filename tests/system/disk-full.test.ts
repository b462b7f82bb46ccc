import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber } from '../helpers/feed-subscriber.ts'
import { readEvents } from '../helpers/history.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { mountingIsPermitted, smallDisk } from '../helpers/small-disk.ts'
import { countLost, countRepeats } from './crash-oracle.ts'
import { connectSources, loadSources, totalAcknowledged, totalOpen } from './load-sources.ts'

const posted = { device: 'by-hand', topic: 'load/by-hand', payload: { from: 'by-hand', n: 1 } }

const onSmallDisk = (await mountingIsPermitted()) ? test : test.skip

onSmallDisk(
  'a full disk leaves devices unacknowledged and connected, reads go on, and it recovers by itself',
  async () => {
    await using space = await smallDisk(24)
    await using server = await ServerProcess.start(join(space.path, 'data'))
    const { ports, url, adminToken: token } = server
    const sources = loadSources({ each: 2, window: 16 })
    await connectSources(sources, server)
    await using feed = await FeedSubscriber.open({ url, token, filter: { kinds: ['event'] } })
    await using idleMqtt = await RawMqttClient.connect({ port: ports.mqtt, clientId: 'idle' })
    await using idleTcp = await RawTcpDevice.connect({ port: ports.tcp, device: 'idle' })
    for (const source of sources) source.run(true)
    await eventually(() => totalAcknowledged(sources) > 200, { what: 'load' })

    await space.fill()
    // Full from here on: all that is under way stays under way.
    await eventually(async () => (await server.ask('/readyz')).status === 503, { what: 'unreadiness' })
    expect((await server.ask('/readyz')).body).toMatchObject({ code: 'not-ready', reason: 'disk-full' })
    const acknowledged = totalAcknowledged(sources)
    expect(await server.ask('/v1/events', { body: posted })).toMatchObject({
      status: 503,
      body: { code: 'store-unavailable' }
    })
    const whileFull = await readEvents(server)
    expect(countLost(sources, whileFull)).toBe(0)
    await eventually(() => feed.items.length === whileFull.length, { what: 'the live feed' })
    await using late = await FeedSubscriber.open({
      url,
      token,
      filter: { kinds: ['event'] },
      after: 'earliest'
    })
    await eventually(() => late.items.length === whileFull.length, { what: 'a new feed' })
    await idleMqtt.ping()
    idleTcp.ping()
    await eventually(() => idleTcp.pongs === 1, { what: 'pong' })
    expect(totalAcknowledged(sources)).toBe(acknowledged)
    expect(totalOpen(sources)).toBe(sources.length * 16)

    await space.free()
    await eventually(async () => (await server.ask('/readyz')).status === 200, { what: 'readiness' })
    await eventually(() => totalAcknowledged(sources) > acknowledged + 200, {
      what: 'acknowledgements again'
    })
    for (const source of sources) source.run(false)
    await eventually(() => totalOpen(sources) === 0, { what: 'every acknowledgement' })
    expect((await server.ask('/v1/events', { body: posted })).status).toBe(200)
    await server.kill9()
    await server.restart()
    const log = await readEvents(server)
    expect(countLost(sources, log)).toBe(0)
    expect(countRepeats(sources, log)).toBe(0)
    expect(log.filter(({ device }) => device === 'by-hand')).toHaveLength(1)
    // The connections were the same all the time: nobody sent anything a second time.
    expect(log).toHaveLength(totalAcknowledged(sources) + 1)
    for (const source of sources) await source.close()
  }
)
