// `$SYS` topics: what they say, who may see them, and that they behave like retained messages that are in no log.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import type { IPublishPacket } from 'mqtt-packet'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness, type HarnessOptions } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

const document = fileURLToPath(new URL('../../../docs/protocol/mqtt.md', import.meta.url))
const PREFIX = '$SYS/broker/'

const access = [
  { devices: ['*'], publish: ['#'], subscribe: ['#'] },
  { devices: ['dashboard*'], publish: [], subscribe: ['$SYS/#'] }
]

/** A server whose `$SYS` interval is so long that only what a test waits for happens, unless it says otherwise. */
function start(dir: string, settings: HarnessOptions['settings'] = {}): Promise<Harness> {
  return startMqtt({ dir, access, settings: { sysIntervalMs: 3_600_000, ...settings } })
}

async function connected(
  mqtt: Harness,
  clientId: string,
  more: object = {},
  version: 3 | 4 | 5 = 5
): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, version)
  client.send(connectPacket(clientId, version, more))
  await client.next('connack')
  return client
}

interface Subscribing {
  messageId?: number
  identifier?: number
  options?: object
}

async function subscribe(
  client: RawMqtt,
  topics: string[],
  { messageId = 1, identifier, options = {} }: Subscribing = {}
): Promise<number[]> {
  client.send({
    cmd: 'subscribe',
    messageId,
    subscriptions: topics.map(topic => ({ topic, qos: 0, nl: false, rap: false, rh: 0, ...options })),
    ...(identifier === undefined ? {} : { properties: { subscriptionIdentifier: identifier } })
  })
  return (await client.next('suback')).granted as number[]
}

/** Waits until everything sent so far has been answered. */
async function roundTrip(client: RawMqtt): Promise<void> {
  client.send({ cmd: 'pingreq' })
  await client.next('pingresp')
}

const textOf = (packet: IPublishPacket) => Buffer.from(packet.payload).toString()

function valuesOf(client: RawMqtt): Map<string, string> {
  return new Map(client.all('publish').map(packet => [packet.topic, textOf(packet)]))
}

async function value(client: RawMqtt, name: string, wanted: (text: string) => boolean): Promise<string> {
  return eventually(
    () =>
      client
        .all('publish')
        .filter(({ topic }) => topic === PREFIX + name)
        .map(textOf)
        .find(wanted),
    { what: name }
  )
}

describe('what they say', () => {
  test('docs/protocol/mqtt.md lists every topic, and no other', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/#'])
    await roundTrip(client)
    const text = await readFile(document, 'utf8')
    const [, section = ''] = text.split(/^## .*`\$SYS`$/m)
    const [table = ''] = section.split(/^## /m)
    const documented = [...table.matchAll(/^\| (`.+?`) +\|/gm)]
      .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
      .filter(name => name !== PREFIX)
      .flatMap(name =>
        name.endsWith('/+') ? ['1min', '5min', '15min'].map(span => name.replace(/\+$/, span)) : [name]
      )
      .map(name => PREFIX + name)
    const served = client.all('publish').map(({ topic }) => topic)
    expect(served.length).toBeGreaterThan(40)
    expect(documented.sort()).toEqual(served.sort())
  })

  test('version, uptime, clients, subscriptions, connections and retained messages', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const durable = { properties: { sessionExpiryInterval: 100 } }
    const away = await connected(mqtt, 'away', durable)
    const other = await connected(mqtt, 'other')
    await subscribe(other, ['a', 'b'])
    other.send({ cmd: 'publish', topic: 'r', payload: 'x', qos: 1, messageId: 9, retain: true, dup: false })
    await other.next('puback')
    away.socket.destroy()
    await eventually(() => !mqtt.presence.connected('away'))
    const client = await connected(mqtt, 'dashboard', durable)
    await subscribe(client, ['$SYS/#'])
    await roundTrip(client)
    const values = valuesOf(client)
    const said = (name: string) => values.get(PREFIX + name)
    expect(said('version')).toBe('tocsin version 1.2.3')
    expect(said('uptime')).toMatch(/^\d+ seconds$/)
    for (const [name, expected] of Object.entries({
      'clients/connected': '2',
      'clients/active': '2',
      'clients/disconnected': '1',
      'clients/inactive': '1',
      'clients/total': '3',
      'clients/maximum': '2',
      'clients/expired': '0',
      'connections/socket/count': '3',
      'subscriptions/count': '3',
      'retained messages/count': '1',
      'messages/inflight': '0'
    })) {
      expect([name, said(name)]).toEqual([name, expected])
    }
    expect(said('packet/out/bytes')).toMatch(/^\d+$/)
    expect(Number(said('heap/current'))).toBeGreaterThan(1_000_000)
    expect(Number(said('store/messages/count'))).toBeGreaterThan(1)
    expect(said('messages/stored')).toBe(said('store/messages/count'))
  })

  test('publishes are counted in both directions, with the bytes of their payloads', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const listener = await connected(mqtt, 'listener')
    await subscribe(listener, ['a'], { options: { qos: 1 } })
    const sender = await connected(mqtt, 'sender')
    const message = { cmd: 'publish', topic: 'a', payload: 'x'.repeat(100), retain: false, dup: false }
    sender.send({ ...message, qos: 0 }, { ...message, qos: 1, messageId: 1 })
    await sender.next('puback')
    await eventually(() => listener.all('publish').length === 2)
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/broker/publish/#', '$SYS/broker/messages/inflight'])
    await roundTrip(client)
    expect(Object.fromEntries(valuesOf(client))).toMatchObject({
      '$SYS/broker/publish/messages/received': '2',
      '$SYS/broker/publish/messages/sent': '2',
      '$SYS/broker/publish/messages/dropped': '0',
      '$SYS/broker/publish/bytes/received': '200',
      '$SYS/broker/publish/bytes/sent': '200',
      '$SYS/broker/messages/inflight': '1'
    })
  })

  test('packets and their bytes are counted in both directions', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const other = await connected(mqtt, 'other', {}, 4)
    other.send({ cmd: 'pingreq' }, { cmd: 'pingreq' })
    await eventually(() => other.all('pingresp').length === 2)
    other.socket.destroy()
    await eventually(() => other.closed)
    const client = await connected(mqtt, 'dashboard', {}, 4)
    await subscribe(client, ['$SYS/broker/messages/+', '$SYS/broker/bytes/+'])
    await roundTrip(client)
    const values = valuesOf(client)
    // Two CONNECT, two PINGREQ, a SUBSCRIBE; two CONNACK, two PINGRESP, and SUBACK is on its way.
    expect(values.get('$SYS/broker/messages/received')).toBe('5')
    expect(values.get('$SYS/broker/messages/sent')).toBe('4')
    expect(values.get('$SYS/broker/bytes/sent')).toBe('12')
    expect(Number(values.get('$SYS/broker/bytes/received'))).toBeGreaterThan(60)
  })

  test('messages that expired or were too large count as dropped', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const listener = await connected(mqtt, 'listener', { properties: { maximumPacketSize: 50 } })
    await subscribe(listener, ['a'])
    const sender = await connected(mqtt, 'sender')
    const message = { cmd: 'publish', topic: 'a', payload: 'x'.repeat(100), retain: false, dup: false }
    sender.send({ ...message, qos: 1, messageId: 1 })
    await sender.next('puback')
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/broker/publish/messages/dropped'])
    expect(textOf(await client.next('publish'))).toBe('1')
  })

  test('averages are of the last minutes, and new with each interval', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/broker/load/connections/+'])
    // The dashboard's own CONNECT. However long the intervals were, an average of a minute can't be above 1.
    const oneMinute = Number(await value(client, 'load/connections/1min', text => text !== '0.00'))
    const fifteen = Number(await value(client, 'load/connections/15min', text => text !== '0.00'))
    expect(oneMinute).toBeLessThanOrEqual(1)
    expect(fifteen).toBeLessThanOrEqual(0.07)
  })

  test('no id of a client, device or session is in any topic or value', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/#'])
    const secret = await connected(mqtt, 'secret-id', { properties: { sessionExpiryInterval: 100 } })
    await subscribe(secret, ['secret-topic'])
    await value(client, 'clients/connected', text => text === '2')
    secret.socket.destroy()
    await value(client, 'clients/disconnected', text => text === '1')
    const said = client.all('publish').map(packet => `${packet.topic} ${textOf(packet)}`)
    expect(said.filter(line => /secret|dashboard/.test(line))).toEqual([])
  })
})

describe('how they are sent', () => {
  test('values that changed are sent each interval, those that did not are not', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/broker/clients/connected', '$SYS/broker/version'])
    for (const [index, id] of ['one', 'two'].entries()) {
      await connected(mqtt, id)
      await value(client, 'clients/connected', text => text === `${index + 2}`)
    }
    const packets = client.all('publish')
    expect(packets.filter(({ topic }) => topic === '$SYS/broker/version').length).toBe(1)
    const counts = packets.filter(({ topic }) => topic === '$SYS/broker/clients/connected')
    expect(counts.map(textOf)).toEqual(['1', '2', '3'])
    expect(counts.map(({ retain }) => retain)).toEqual([true, false, false])
    expect(counts.map(({ qos }) => qos)).toEqual([0, 0, 0])
  })

  test('[MQTT-3.3.1-9, -10, -11] retain handling says whether a SUBSCRIBE is answered by values', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const client = await connected(mqtt, 'dashboard')
    const counts: number[] = []
    for (const rh of [2, 0, 1, 0, 2]) {
      await subscribe(client, ['$SYS/broker/version'], { options: { rh } })
      await roundTrip(client)
      counts.push(client.all('publish').length)
    }
    await subscribe(client, ['$SYS/broker/uptime'], { options: { rh: 1 } })
    await roundTrip(client)
    counts.push(client.all('publish').length)
    expect(counts).toEqual([0, 1, 1, 2, 2, 3])
  })

  test('RETAIN is passed on to those who want it as published', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/broker/clients/connected'], { options: { rap: true } })
    await connected(mqtt, 'other')
    await value(client, 'clients/connected', text => text === '2')
    expect(client.all('publish').map(({ retain }) => retain)).toEqual([true, true])
  })

  test('overlapping subscriptions give one copy of a change, with all their identifiers', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/broker/clients/connected'], { identifier: 1, options: { rh: 2 } })
    await subscribe(client, ['$SYS/broker/clients/+'], { identifier: 2, options: { rh: 2 } })
    await subscribe(client, ['$SYS/#'], { identifier: 3, options: { rh: 2 } })
    await subscribe(client, ['$SYS/#'], { identifier: 4, options: { rh: 2 } })
    client.send({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['$SYS/broker/clients/+'] })
    await client.next('unsuback')
    await connected(mqtt, 'other')
    await value(client, 'clients/connected', text => text === '2')
    const copies = client.all('publish').filter(packet => packet.topic === '$SYS/broker/clients/connected')
    expect(copies.map(({ properties }) => properties?.subscriptionIdentifier)).toEqual([[1, 4]])
  })

  test('the answer to a SUBSCRIBE has that subscription’s identifier', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/#'], { identifier: 1, options: { rh: 2 } })
    await subscribe(client, ['$SYS/+/version'], { identifier: 2 })
    expect((await client.next('publish')).properties?.subscriptionIdentifier).toEqual(2)
  })

  test.each([3, 4, 5] as const)(
    '[MQTT-4.7.2-1] # and + at the front do not match them (version %s)',
    async version => {
      await using folder = await temporaryFolder()
      await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
      const wide = await connected(mqtt, 'wide', {}, version)
      await subscribe(wide, ['#', '+/#', '+/broker/uptime', '+/+/+'])
      const client = await connected(mqtt, 'dashboard', {}, version)
      await subscribe(client, ['$SYS/broker/clients/connected'])
      await connected(mqtt, 'other')
      await value(client, 'clients/connected', text => text === '3')
      await roundTrip(wide)
      expect(wide.all('publish').length).toBe(0)
    }
  )

  test('after UNSUBSCRIBE nothing more comes', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
    const client = await connected(mqtt, 'dashboard')
    const watch = await connected(mqtt, 'dashboard-2')
    await subscribe(client, ['$SYS/broker/clients/connected'])
    await subscribe(watch, ['$SYS/broker/clients/connected'])
    client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['$SYS/broker/clients/connected'] })
    expect((await client.next('unsuback')).granted).toEqual([0])
    await connected(mqtt, 'other')
    await value(watch, 'clients/connected', text => text === '3')
    await roundTrip(client)
    expect([...valuesOf(client).values()]).toEqual(['2'])
  })

  test('a durable session keeps its subscription; what changed while it was away is not sent to it', async () => {
    await using folder = await temporaryFolder()
    const settings = { sysIntervalMs: 50 }
    const durable = { clean: false, properties: { sessionExpiryInterval: 100 } }
    {
      await using mqtt = await start(folder.path, settings)
      const client = await connected(mqtt, 'dashboard', durable)
      await subscribe(client, ['$SYS/broker/clients/connected'], { options: { rh: 2, qos: 1 } })
    }
    await using mqtt = await start(folder.path, settings)
    const watch = await connected(mqtt, 'dashboard-2')
    await subscribe(watch, ['$SYS/broker/clients/connected'])
    await connected(mqtt, 'one')
    await value(watch, 'clients/connected', text => text === '2')
    const client = await connected(mqtt, 'dashboard', durable)
    await value(watch, 'clients/connected', text => text === '3')
    await connected(mqtt, 'two')
    await value(client, 'clients/connected', text => text === '4')
    expect(client.all('publish').every(packet => !packet.retain && packet.qos === 0)).toBe(true)
    expect(Number(textOf(await client.next('publish')))).toBeGreaterThanOrEqual(3)
  })

  test('a subscription that the rules no longer allow gives nothing after a restart', async () => {
    await using folder = await temporaryFolder()
    const settings = { sysIntervalMs: 50 }
    const durable = { clean: false, properties: { sessionExpiryInterval: 100 } }
    {
      await using mqtt = await start(folder.path, settings)
      const client = await connected(mqtt, 'dashboard', durable)
      await subscribe(client, ['$SYS/broker/clients/connected'])
    }
    const narrower = [{ devices: ['dashboard-2'], publish: [], subscribe: ['$SYS/#'] }]
    await using mqtt = await startMqtt({ dir: folder.path, settings, access: narrower })
    const client = await connected(mqtt, 'dashboard', durable)
    const watch = await connected(mqtt, 'dashboard-2')
    await subscribe(watch, ['$SYS/broker/clients/connected'])
    await connected(mqtt, 'other')
    await value(watch, 'clients/connected', text => text === '3')
    await roundTrip(client)
    expect(client.all('publish').length).toBe(0)
  })

  test('they are not in the log', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50 })
    const client = await connected(mqtt, 'dashboard')
    await subscribe(client, ['$SYS/#'])
    await connected(mqtt, 'other')
    await value(client, 'clients/connected', text => text === '2')
    const { items } = await mqtt.store.log.read(0, { limit: 1000, filter: { kinds: ['event'] } })
    expect(items).toEqual([])
  })

  test('a client that does not read costs no memory, and gets the values of the time when it does', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 50, unsentBytesMax: 65_536 })
    const deaf = await connected(mqtt, 'dashboard')
    const watch = await connected(mqtt, 'dashboard-2')
    await subscribe(deaf, ['$SYS/broker/clients/connected', 'big'], { options: { rh: 2 } })
    await subscribe(watch, ['$SYS/broker/clients/connected'])
    deaf.socket.pause()
    const sender = await connected(mqtt, 'sender')
    const message = {
      cmd: 'publish',
      topic: 'big',
      payload: Buffer.alloc(500_000),
      retain: false,
      dup: false
    }
    for (let messageId = 1; messageId <= 40; messageId++) {
      sender.send({ ...message, qos: 1, messageId })
      await sender.next('puback')
    }
    for (const [index, id] of ['one', 'two', 'three'].entries()) {
      await connected(mqtt, id)
      await value(watch, 'clients/connected', text => text === `${index + 4}`)
    }
    deaf.socket.resume()
    await value(deaf, 'clients/connected', text => text === '6')
    // The first change came before its socket was full; those in between were left out.
    const texts = deaf.all('publish').map(textOf)
    expect(texts.filter(text => text === '4' || text === '5')).toEqual([])
  })

  test('an interval of 0 switches them off', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { sysIntervalMs: 0 })
    const client = await connected(mqtt, 'dashboard')
    expect(await subscribe(client, ['$SYS/#'])).toEqual([0])
    await roundTrip(client)
    expect(client.all('publish').length).toBe(0)
  })
})

describe('who may see them', () => {
  test('only devices that a rule allows to, and a refused filter gives nothing', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const client = await connected(mqtt, 'pump')
    expect(await subscribe(client, ['$SYS/#', '$SYS/broker/uptime', '$SYS', '#'])).toEqual([
      0x87, 0x87, 0x87, 0
    ])
    await roundTrip(client)
    expect(client.all('publish').length).toBe(0)
    const older = await connected(mqtt, 'valve', {}, 4)
    expect(await subscribe(older, ['$SYS/#'])).toEqual([0x80])
  })

  test('not through a shared subscription', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const client = await connected(mqtt, 'dashboard')
    expect(await subscribe(client, ['$share/group/$SYS/#', '$share/group/$SYS'])).toEqual([0x87, 0x87])
  })

  test('nobody may publish to them', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const client = await connected(mqtt, 'dashboard')
    client.send({
      cmd: 'publish',
      topic: '$SYS/broker/version',
      payload: 'x',
      qos: 1,
      messageId: 1,
      retain: true,
      dup: false
    })
    expect((await client.next('puback')).reasonCode).toBe(0x87)
  })
})
