import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber } from '../helpers/feed-subscriber.ts'
import { readEvents } from '../helpers/history.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { countLost, countRepeats } from './crash-oracle.ts'
import { connectSources, loadSources, totalAcknowledged, totalOpen } from './load-sources.ts'

test('SIGTERM under load says goodbye to everybody, ends with 0, and loses nothing that was acknowledged', async () => {
  await using folder = await temporaryFolder()
  await using server = await ServerProcess.start(folder.path, { 'shutdown.timeoutMs': '30s' })
  const { ports, url, adminToken: token } = server
  const sources = loadSources({ each: 3, window: 32 })
  await connectSources(sources, server)
  await using feed = await FeedSubscriber.open({ url, token, filter: { kinds: ['event'] } })
  await using packed = await FeedSubscriber.open({ url, token, format: 'msgpack' })
  await using mqtt = await RawMqttClient.connect({ port: ports.mqtt, clientId: 'watcher', version: 5 })
  await mqtt.subscribe('load/#', 1)
  await using tcp = await RawTcpDevice.connect({ port: ports.tcp, device: 'quiet' })
  for (const source of sources) source.run(true)
  await eventually(() => totalAcknowledged(sources) > 500, { what: 'load' })
  expect(totalOpen(sources)).toBeGreaterThan(0)

  expect(await server.terminate()).toBe(0)
  for (const source of sources) source.run(false)
  await Promise.all([...sources, mqtt, tcp, feed, packed].map(each => closedOf(each)))
  expect(mqtt.disconnect).toMatchObject({ reasonCode: 0x8b })
  expect(tcp.bye).toMatchObject({ code: 'shutting-down' })
  expect([feed.closeCode, packed.closeCode]).toEqual([4000, 4000])

  await server.restart()
  const log = await readEvents(server)
  expect(countLost(sources, log)).toBe(0)
  expect(countRepeats(sources, log)).toBe(0)
  // What the feed had shown at its goodbye, and what comes after it, is the log.
  const { cursor } = feed
  await using resumed = await FeedSubscriber.open({
    url,
    token,
    filter: { kinds: ['event'] },
    ...(cursor === null ? {} : { after: cursor })
  })
  await eventually(() => feed.items.length + resumed.items.length >= log.length, {
    what: 'the rest of the feed'
  })
  expect([...feed.items, ...resumed.items].map(each => each.cursor)).toEqual(log.map(each => each.cursor))
})

test('clients that have stopped reading do not hold up the end', async () => {
  await using folder = await temporaryFolder()
  await using server = await ServerProcess.start(folder.path, { 'shutdown.timeoutMs': '30s' })
  const { ports, url, adminToken: token } = server
  const sources = loadSources({ each: 1, window: 32 })
  await connectSources(sources, server)
  await using feed = await FeedSubscriber.open({ url, token })
  await using mqtt = await RawMqttClient.connect({ port: ports.mqtt, clientId: 'watcher', version: 5 })
  await mqtt.subscribe('#', 0)
  await using tcp = await RawTcpDevice.connect({ port: ports.tcp, device: 'quiet' })
  await using bulk = await RawMqttClient.connect({ port: ports.mqtt, clientId: 'bulk' })
  const longPoll = server.ask('/v1/notifications?devices=nobody&wait=60s')
  for (const { socket } of [feed, mqtt, tcp]) socket.pause()
  for (const source of sources) source.run(true)
  let acknowledged = 0
  for (let count = 0; count < 200; count++) bulk.publish('bulk', Buffer.alloc(50_000), () => acknowledged++)
  await eventually(() => acknowledged === 200 && totalAcknowledged(sources) > 200, { what: 'load' })

  expect(await server.terminate()).toBe(0)
  expect(await longPoll).toMatchObject({ status: 200, body: { items: [] } })
  for (const source of sources) await source.close()
})

function closedOf(each: { closed: Promise<void> | (() => Promise<void>) }): Promise<void> {
  return typeof each.closed === 'function' ? each.closed() : each.closed
}
