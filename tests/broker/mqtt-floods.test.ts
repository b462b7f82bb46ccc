// Clients that connect too fast, too often, too slowly or not at all, and packets that list too much: each costs what a
// setting says, and the others are served meanwhile.
import { describe, expect, test } from '@jest/globals'
import { generate } from 'mqtt-packet'
import { eventually } from '../helpers/eventually.ts'
import { inSlices } from '../../broker/mqtt/slices.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { HeldLog } from './held-log.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

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

/** How a CONNECT is answered. */
async function connackOf(mqtt: Harness, clientId: string, version: 4 | 5 = 5): Promise<number | undefined> {
  const client = await rawMqtt(mqtt.port, version)
  client.send(connectPacket(clientId, version))
  const { reasonCode, returnCode } = await client.next('connack')
  return version === 5 ? reasonCode : returnCode
}

async function roundTrip(client: RawMqtt): Promise<void> {
  client.send({ cmd: 'pingreq' })
  await client.next('pingresp')
}

describe('connections without a CONNECT', () => {
  test('are cut off after the connect timeout, and count as connections until then', async () => {
    await using folder = await temporaryFolder()
    const settings = { connectTimeoutMs: 2000 }
    await using mqtt = await startMqtt({ dir: folder.path, settings, connectionsMax: 2 })
    const silent = await Promise.all([rawMqtt(mqtt.port), rawMqtt(mqtt.port)])
    expect(await connackOf(mqtt, 'late')).toBe(0x97)
    await eventually(() => silent.every(({ closed }) => closed))
    expect(await connackOf(mqtt, 'late')).toBe(0)
  })

  test('a CONNECT that dribbles has no more time than one that does not come', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { connectTimeoutMs: 500 } })
    const client = await rawMqtt(mqtt.port, 5)
    const bytes = generate(connectPacket('x'.repeat(200), 5) as never, { protocolVersion: 5 })
    let at = 0
    const dribble = setInterval(() => client.socket.write(bytes.subarray(at, ++at)), 50)
    await eventually(() => client.closed)
    clearInterval(dribble)
    expect(at).toBeLessThan(bytes.length)
    expect(client.packets).toEqual([])
  })

  test('a flood from one address is stopped by the limit per address', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, limits: { connectionsPerAddressMax: 3 } })
    const [first] = await Promise.all([rawMqtt(mqtt.port), rawMqtt(mqtt.port), rawMqtt(mqtt.port)])
    expect(await connackOf(mqtt, 'a')).toBe(0x97)
    expect(await connackOf(mqtt, 'b', 4)).toBe(3)
    first?.socket.destroy()
    await eventually(async () => (await connackOf(mqtt, 'c')) === 0)
  })

  test('a flood of connects is slowed down to the limit per second', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, limits: { connectsPerSecondMax: 2 } })
    const started = performance.now()
    const codes = await Promise.all(Array.from({ length: 30 }, (_, index) => connackOf(mqtt, `c${index}`)))
    const seconds = (performance.now() - started) / 1000
    const accepted = codes.filter(code => code === 0).length
    expect(accepted).toBeGreaterThanOrEqual(1)
    expect(accepted).toBeLessThanOrEqual(2 + 2 * seconds)
    expect(codes.every(code => code === 0 || code === 0x9f)).toBe(true)
    await eventually(async () => (await connackOf(mqtt, 'later')) === 0)
  })
})

describe('a device that connects again and again', () => {
  test.each([
    [5, 0x9f],
    [4, 3]
  ] as const)('is refused (version %s), which nobody else notices', async (version, refusal) => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, limits: { connectsPerDeviceMax: 3 } })
    const codes: unknown[] = []
    for (let time = 0; time < 5; time++) codes.push(await connackOf(mqtt, 'pump', version))
    expect(codes).toEqual([0, 0, 0, refusal, refusal])
    expect(await connackOf(mqtt, 'other', version)).toBe(0)
  })

  test('does not take over from its own connection once it is refused', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, limits: { connectsPerDeviceMax: 2 } })
    const first = await connected(mqtt, 'pump')
    const second = await connected(mqtt, 'pump')
    expect((await first.next('disconnect')).reasonCode).toBe(0x8e)
    expect(await connackOf(mqtt, 'pump')).toBe(0x9f)
    await roundTrip(second)
  })

  test('may be let in again after the pause', async () => {
    await using folder = await temporaryFolder()
    const limits = { connectsPerDeviceMax: 1, connectsPerDevicePauseMs: 300 }
    await using mqtt = await startMqtt({ dir: folder.path, limits })
    expect(await connackOf(mqtt, 'pump')).toBe(0)
    expect(await connackOf(mqtt, 'pump')).toBe(0x9f)
    await eventually(async () => (await connackOf(mqtt, 'pump')) === 0)
  })

  test('is counted by its id, not by what somebody without its token claims', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, limits: { connectsPerDeviceMax: 1 } })
    await mqtt.store.devices.put({ id: 'pump', tokenHash: new Uint8Array(32), createdAt: 0 })
    const codes: unknown[] = []
    for (let time = 0; time < 3; time++) codes.push(await connackOf(mqtt, 'pump'))
    expect(codes).toEqual([0x86, 0x86, 0x86])
  })
})

describe('slowness', () => {
  test('silence beyond 1.5 times the keep alive ends a connection, in every version', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const versions = [3, 4, 5] as const
    const opened = (name: string) =>
      Promise.all(versions.map(version => connected(mqtt, `${name}-${version}`, { keepalive: 2 }, version)))
    const sent = performance.now()
    const silent = await opened('silent')
    const lively = await opened('lively')
    const pings = setInterval(() => {
      for (const client of lively) client.send({ cmd: 'pingreq' })
    }, 100)
    await eventually(() => silent.every(({ closed }) => closed))
    clearInterval(pings)
    expect(performance.now() - sent).toBeGreaterThan(2900)
    expect(silent.map(client => client.all('disconnect').map(({ reasonCode }) => reasonCode))).toEqual([
      [],
      [],
      [0x8d]
    ])
    expect(lively.map(({ closed }) => closed)).toEqual([false, false, false])
  })

  test('a store that takes too long with a CONNECT costs its connection, and its will is not published', async () => {
    await using folder = await temporaryFolder()
    let held: HeldLog | null = null
    await using mqtt = await startMqtt({
      dir: folder.path,
      settings: { connectTimeoutMs: 2000 },
      wrapLog: log => (held = new HeldLog(log))
    })
    const log = held as unknown as HeldLog
    log.hold()
    const client = await rawMqtt(mqtt.port, 5)
    const will = { topic: 'will', payload: Buffer.from('x'), qos: 1, retain: false }
    client.send(connectPacket('c', 5, { will }))
    await eventually(() => log.held > 0)
    await eventually(() => client.closed)
    expect(client.packets).toEqual([])
    log.release()
    const next = await connected(mqtt, 'c')
    await roundTrip(next)
    const { items } = await mqtt.store.log.read(0, { limit: 100, filter: { kinds: ['event'] } })
    expect(items).toEqual([])
  })

  test('while nothing can be stored, a CONNECT is refused', async () => {
    await using folder = await temporaryFolder()
    let held: HeldLog | null = null
    await using mqtt = await startMqtt({ dir: folder.path, wrapLog: log => (held = new HeldLog(log)) })
    const log = held as unknown as HeldLog
    log.fill()
    expect(await connackOf(mqtt, 'c')).toBe(0x88)
    expect(await connackOf(mqtt, 'c', 4)).toBe(3)
    log.empty()
    expect(await connackOf(mqtt, 'c')).toBe(0)
  })
})

describe('packets that list thousands of filters', () => {
  const filters = Array.from({ length: 10_000 }, (_, index) => `site/${index % 100}/device-${index}/+`)
  const requests = filters.map(topic => ({ topic, qos: 1 }))

  test('get as many subscriptions as a session may have; the rest is refused, filter by filter', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { subscriptionsMax: 1000 } })
    const client = await connected(mqtt, 'c')
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: requests })
    const granted = (await client.next('suback')).granted as number[]
    expect(granted.length).toBe(10_000)
    expect(granted.slice(0, 1000).every(code => code === 1)).toBe(true)
    expect(granted.slice(1000).every(code => code === 0x97)).toBe(true)
    client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: filters })
    const removed = (await client.next('unsuback')).granted
    expect(removed.slice(0, 1000).every(code => code === 0)).toBe(true)
    expect(removed.slice(1000).every(code => code === 0x11)).toBe(true)
    const [more] = requests.slice(5000)
    client.send({ cmd: 'subscribe', messageId: 3, subscriptions: [more] })
    expect((await client.next('suback')).granted).toEqual([1])
  })

  test('a list that names the same filter over and over is granted twice that many times at most', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path, settings: { subscriptionsMax: 100 } })
    const client = await connected(mqtt, 'c')
    const same = Array.from({ length: 100_000 }, () => ({ topic: 'a', qos: 1 }))
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: same })
    const granted = (await client.next('suback')).granted as number[]
    expect(granted.filter(code => code === 1).length).toBe(200)
    expect(granted.at(-1)).toBe(0x97)
  })

  test('are stored whole, and stand against what comes behind them in its order', async () => {
    await using folder = await temporaryFolder()
    const settings = { subscriptionsMax: 20_000 }
    const durable = { clean: false, properties: { sessionExpiryInterval: 100 } }
    {
      await using mqtt = await startMqtt({ dir: folder.path, settings })
      const client = await connected(mqtt, 'c', durable)
      client.send(
        { cmd: 'subscribe', messageId: 1, subscriptions: requests },
        { cmd: 'unsubscribe', messageId: 2, unsubscriptions: filters.slice(0, 5000) },
        { cmd: 'publish', topic: 'site/0/device-0/x', payload: 'gone', qos: 1, messageId: 3, dup: false },
        { cmd: 'publish', topic: 'site/99/device-9999/x', payload: 'here', qos: 1, messageId: 4, dup: false }
      )
      expect(Buffer.from((await client.next('publish')).payload).toString()).toBe('here')
      expect(client.packets.map(({ cmd }) => cmd).slice(1, 3)).toEqual(['suback', 'unsuback'])
    }
    await using mqtt = await startMqtt({ dir: folder.path, settings })
    expect((await mqtt.store.tables.session('c'))?.subscriptions.length).toBe(5000)
  })

  test('leave no replaced subscription behind when the session is taken over in their midst', async () => {
    await using folder = await temporaryFolder()
    let held: HeldLog | null = null
    await using mqtt = await startMqtt({
      dir: folder.path,
      settings: { subscriptionsMax: 20_000 },
      wrapLog: inner => (held = new HeldLog(inner))
    })
    const log = held as unknown as HeldLog
    const durable = { clean: false, properties: { sessionExpiryInterval: 100 } }
    const subscribe = (subscriptionIdentifier: number) => ({
      cmd: 'subscribe',
      messageId: subscriptionIdentifier,
      subscriptions: requests,
      properties: { subscriptionIdentifier }
    })
    const first = await connected(mqtt, 'c', durable)
    first.send(subscribe(1))
    await first.next('suback')
    const second = await rawMqtt(mqtt.port, 5)
    const bytes = generate(subscribe(2) as never, { protocolVersion: 5 })
    first.socket.write(bytes.subarray(0, -1))
    await roundTrip(await connected(mqtt, 'other'))
    log.hold() // a SUBACK waits for it
    first.socket.write(bytes.subarray(-1)) // all is there now, and handled over many turns
    for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
    second.send(connectPacket('c', 5, durable))
    await second.next('connack')
    log.release()
    expect(first.all('suback').length).toBe(1)
    await roundTrip(second)
    const numbers = Array.from({ length: 40 }, (_, index) => index * 250)
    for (const number of numbers) {
      const topic = `site/${number % 100}/device-${number}/x`
      second.send({ cmd: 'publish', topic, payload: 'x', qos: 0, dup: false, retain: false })
    }
    await eventually(() => second.all('publish').length === numbers.length)
    const identifiers = second.all('publish').map(({ properties }) => properties?.subscriptionIdentifier)
    expect(identifiers.filter(identifier => identifier !== 1 && identifier !== 2)).toEqual([])
  })
})

describe('inSlices', () => {
  test('hands over a long list in several turns of the event loop, in order, and then is done', async () => {
    const turns: number[] = []
    const seen: number[] = []
    let turn = 0
    let counting = true
    const count = () => {
      turn++
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    const list = Array.from({ length: 1001 }, (_, index) => index)
    const onSlice = (slice: readonly number[]) => {
      seen.push(...slice)
      turns.push(turn)
    }
    await new Promise<void>(resolve => inSlices(list, onSlice, resolve))
    counting = false
    expect(seen).toEqual(list)
    expect(turns[0]).toBe(0)
    expect(new Set(turns).size).toBe(turns.length)
    expect(turns.length).toBeGreaterThan(3)
  })

  test('hands over a short list at once', () => {
    const calls: string[] = []
    inSlices(
      ['a', 'b'],
      slice => calls.push(slice.join()),
      () => calls.push('done')
    )
    expect(calls).toEqual(['a,b', 'done'])
  })
})
