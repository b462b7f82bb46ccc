// Nothing acknowledged is lost or comes in another order, whatever clients and the disk do.
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import type { Packet } from 'mqtt-packet'
import type { EventNotification } from '../../store/notification.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { FaithfulClient, type FaithfulOptions } from './faithful-client.ts'
import { HeldLog, shake } from './held-log.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { Random } from '../helpers/random.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

const random = new Random(20_26)
const qualities = [0, 1, 2] as const
const END = 'end'

/** A server whose store takes up to some milliseconds for everything. */
async function startSlow(dir: string): Promise<Harness & { slow: Disposable }> {
  const held: HeldLog[] = []
  const mqtt = await startMqtt({
    dir,
    offlineDelayMs: 1,
    wrapLog: log => {
      const wrapped = new HeldLog(log)
      held.push(wrapped)
      return wrapped
    }
  })
  const [log] = held
  if (log === undefined) throw new Error('the log was not wrapped')
  const slow = shake(log, random, 6)
  const dispose = () => {
    slow[Symbol.dispose]()
    return mqtt[Symbol.asyncDispose]()
  }
  return { ...mqtt, port: mqtt.port, slow, [Symbol.asyncDispose]: dispose }
}

async function events(mqtt: Harness): Promise<EventNotification[]> {
  const { items } = await mqtt.store.log.read(0, { limit: 100_000, filter: { kinds: ['event'] } })
  return items.filter(item => item.kind === 'event')
}

/** A payload and the QoS at which it was published. */
function sentAt({ payload }: { payload: string }): number {
  return Number(payload.split(' ')[2])
}

/** Publishes numbered messages to some topics at random QoS: `publisher number qos`. */
async function publishMixed(client: FaithfulClient, name: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const qos = random.of(qualities)
    client.publish(`t/${random.below(3)}`, `${name} ${index} ${qos}`, qos)
    if (index % 20 === 19)
      await eventually(() => client.unfinished < 60, { what: 'acknowledgements', everyMs: 1 })
  }
}

function byTopic(messages: readonly { topic: string; payload: string }[]): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const { topic, payload } of messages) (found[topic] ??= []).push(payload)
  return found
}

describe('mixed QoS and overlapping subscriptions, over a store that is slow, now more, now less', () => {
  const subscribers: (FaithfulOptions & { clean: boolean; subscriptions: [string, 0 | 1 | 2][] })[] = [
    { clientId: 'at 0', version: 4, clean: true, subscriptions: [['t/#', 0]] },
    { clientId: 'at 1', version: 4, clean: true, subscriptions: [['t/#', 1]] },
    { clientId: 'at 2', version: 5, clean: true, subscriptions: [['t/#', 2]] },
    { clientId: 'lasting at 1', version: 4, clean: false, subscriptions: [['t/+', 1]] },
    { clientId: 'lasting at 2', version: 5, clean: false, subscriptions: [['t/#', 2]] },
    { clientId: 'narrow', version: 5, clean: false, receiveMaximum: 3, subscriptions: [['t/#', 2]] },
    {
      clientId: 'overlapping',
      version: 5,
      clean: true,
      subscriptions: [
        ['t/#', 1],
        ['t/+', 2],
        ['t/1', 0],
        ['#', 0]
      ]
    }
  ]

  test('each subscriber gets every message once, in the order of the log, at its highest QoS with all identifiers', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await startSlow(folder.path)
    using clients = new DisposableStack()
    const listening: { client: FaithfulClient; subscriptions: [string, 0 | 1 | 2][]; version: 4 | 5 }[] = []
    for (const { clean, subscriptions, ...options } of subscribers) {
      const client = clients.use(new FaithfulClient(options))
      await client.connect(mqtt.port, { clean })
      for (const [index, [filter, qos]] of subscriptions.entries())
        await client.subscribe(filter, qos, options.version === 5 ? index + 1 : undefined)
      listening.push({ client, subscriptions, version: options.version })
    }
    const publishers = (['a', 'b', 'c'] as const).map((name, index) => {
      const version = index === 0 ? 5 : 4
      return { name, client: clients.use(new FaithfulClient({ clientId: `publisher ${name}`, version })) }
    })
    await Promise.all(
      publishers.map(async ({ client, name }) => {
        await client.connect(mqtt.port)
        await publishMixed(client, name, 200)
        await eventually(() => client.unfinished === 0, { what: 'all acknowledgements' })
      })
    )
    publishers[0]?.client.publish('t/2', `${END} 0 2`, 2)
    const log = (
      await eventually(async () => {
        const found = await events(mqtt)
        return found.some(event => Buffer.from(event.payload).toString().startsWith(END)) && found
      })
    ).map(event => ({ topic: event.topic, payload: Buffer.from(event.payload).toString() }))
    expect(log).toHaveLength(601)
    for (const { client, subscriptions, version } of listening) {
      await eventually(() => client.taken.some(({ payload }) => payload.startsWith(END)), {
        what: 'the last message'
      })
      expect(byTopic(client.taken)).toEqual(byTopic(log))
      for (const message of client.taken) {
        const matching = subscriptions.flatMap(([filter, qos], index) =>
          filter !== 't/1' || message.topic === 't/1' ? [{ qos, identifier: index + 1 }] : []
        )
        const highest = Math.max(...matching.map(({ qos }) => qos))
        const identifiers = version === 5 ? matching.map(({ identifier }) => identifier) : []
        expect({ ...message, identifiers: message.identifiers.toSorted() }).toEqual({
          ...message,
          qos: Math.min(highest, sentAt(message)),
          dup: false,
          identifiers
        })
      }
    }
  })
})

describe('takeover, over a store that is slow', () => {
  const ROUNDS = 100

  /** Whether it answers, so is not closed. */
  async function isAlive(client: RawMqtt): Promise<boolean> {
    const before = client.all('pingresp').length
    client.send({ cmd: 'pingreq' })
    await eventually(() => client.closed || client.all('pingresp').length > before, { what: 'an answer' })
    return !client.closed
  }

  /** Acknowledges what a connection was sent and is not acknowledged; gives the payloads. */
  function takeAll(client: RawMqtt, done: Set<Packet>): string[] {
    const found = client.all('publish').filter(packet => !done.has(packet))
    for (const packet of found) {
      done.add(packet)
      if (!client.closed) client.send({ cmd: 'puback', messageId: packet.messageId })
    }
    return found.map(({ payload }) => payload.toString())
  }

  test.each([
    ['sessions that last: no message is lost', true],
    ['clean sessions', false]
  ])(
    'of many connections with one id exactly one stays, and the device is never offline (%s)',
    async (_, lasting) => {
      await using folder = await temporaryFolder()
      await using mqtt = await startSlow(folder.path)
      using publisher = new FaithfulClient({ clientId: 'publisher', version: 4 })
      await publisher.connect(mqtt.port)
      const done = new Set<Packet>()
      const received = new Set<string>()
      let published = 0
      let holder: RawMqtt | null = null
      for (let round = 0; round < ROUNDS; round++) {
        const versions = Array.from({ length: 1 + random.below(4) }, () => random.of([4, 5] as const))
        const contenders = await Promise.all(versions.map(version => rawMqtt(mqtt.port, version)))
        for (const [index, client] of contenders.entries()) {
          const version = versions[index] ?? 4
          const properties = version === 5 && lasting ? { properties: { sessionExpiryInterval: 3600 } } : {}
          client.send(connectPacket('contended', version, { clean: !lasting, ...properties }), {
            cmd: 'subscribe',
            messageId: 1,
            subscriptions: [{ topic: 'news', qos: 1 }]
          })
          if (round > 0) publisher.publish('news', `${published++}`, random.of([1, 2] as const))
          if (random.below(3) === 0) await delay(random.below(8))
        }
        await Promise.all(contenders.map(isAlive)) // each was let in, or not
        const alive = await Promise.all(contenders.map(isAlive))
        const staying = contenders.filter((_client, index) => alive[index])
        expect({ round, staying: staying.length }).toEqual({ round, staying: 1 })
        await holder?.end() // it was cut off before any of these was let in
        for (const [index, client] of contenders.entries()) {
          const told = client.all('disconnect').map(({ reasonCode }) => reasonCode)
          const mustBeTold = !alive[index] && versions[index] === 5 && client.all('connack').length > 0
          expect({ round, told }).toEqual({ round, told: mustBeTold ? [0x8e] : [] })
          for (const payload of takeAll(client, done)) received.add(payload)
        }
        holder = staying[0] ?? null
      }
      await eventually(() => publisher.unfinished === 0, { what: 'acknowledgements' })
      expect(await events(mqtt)).toHaveLength(published)
      await eventually(
        () => {
          for (const payload of holder === null ? [] : takeAll(holder, done)) received.add(payload)
          return !lasting || received.size === published
        },
        { what: 'every message' }
      )
      const { items } = await mqtt.store.log.read(0, { limit: 100_000, filter: { kinds: ['presence'] } })
      const statuses = items.flatMap(item =>
        item.kind === 'presence' && item.device === 'contended' ? [item.status] : []
      )
      expect(new Set(statuses)).toEqual(new Set(['online']))
    }
  )
})

describe('connections that break and a server that restarts, in the midst of QoS 1 and 2 both ways', () => {
  const MESSAGES = 300

  /** Each payload where it comes first. */
  function firsts(messages: readonly { payload: string }[]): string[] {
    return [...new Set(messages.map(({ payload }) => payload))]
  }

  function repeatedAtQos2(messages: readonly { payload: string }[]): string[] {
    const payloads = messages.map(({ payload }) => payload).filter(payload => payload.endsWith(' 2'))
    return payloads.filter((payload, index) => payloads.indexOf(payload) !== index)
  }

  test.each([4, 5] as const)(
    'QoS 2 comes once, QoS 1 at least once, both in order (level %i)',
    async version => {
      await using folder = await temporaryFolder()
      await using servers = new AsyncDisposableStack()
      let mqtt = servers.use(await startSlow(folder.path))
      using subscriber = new FaithfulClient({ clientId: 'subscriber', version })
      using publisher = new FaithfulClient({ clientId: 'publisher', version })
      await subscriber.connect(mqtt.port)
      await subscriber.subscribe('flow/#', 2)
      await publisher.connect(mqtt.port)
      const sent: string[] = []
      for (let index = 0; index < MESSAGES; index++) {
        const qos = random.of([1, 2] as const)
        sent.push(`message ${index} ${qos}`)
        publisher.publish('flow/a', `message ${index} ${qos}`, qos)
        if (index % 100 === 99) {
          await mqtt.stop()
          mqtt = servers.use(await startSlow(folder.path))
        }
        for (const client of [publisher, subscriber]) {
          if (random.below(10) === 0) client.drop()
          if (client.connected || random.below(3) > 0) continue
          await client.connect(mqtt.port)
          expect(client.sessionPresent).toBe(true)
        }
        await delay(random.below(4))
        await eventually(() => !publisher.connected || publisher.unfinished < 100, {
          what: 'acknowledgements'
        })
      }
      for (const client of [publisher, subscriber]) if (!client.connected) await client.connect(mqtt.port)
      await eventually(() => publisher.unfinished === 0, { what: 'all acknowledgements' })
      const log = (await events(mqtt)).map(event => ({ payload: Buffer.from(event.payload).toString() }))
      expect(firsts(log)).toEqual(sent)
      expect(repeatedAtQos2(log)).toEqual([])
      await eventually(() => firsts(subscriber.taken).length === sent.length, { what: 'all messages' })
      expect(firsts(subscriber.taken)).toEqual(sent)
      expect(repeatedAtQos2(subscriber.taken)).toEqual([])
    }
  )

  test.each([4, 5] as const)(
    'a clean start leaves nothing of what was under way (level %i)',
    async version => {
      await using folder = await temporaryFolder()
      await using mqtt = await startSlow(folder.path)
      using subscriber = new FaithfulClient({ clientId: 'subscriber', version })
      using publisher = new FaithfulClient({ clientId: 'publisher', version })
      await publisher.connect(mqtt.port)
      const acknowledged: string[] = []
      const publishTen = (name: string) => {
        const payloads = Array.from(
          { length: 10 },
          (_, index) => `${name} ${index} ${random.of([1, 2] as const)}`
        )
        for (const payload of payloads) publisher.publish('flow/a', payload, Number(payload.at(-1)) as 1 | 2)
        acknowledged.push(...payloads)
        return payloads
      }
      for (let round = 0; round < 15; round++) {
        await subscriber.connect(mqtt.port, { clean: true })
        expect(subscriber.sessionPresent).toBe(false)
        subscriber.drop()
        subscriber.taken.length = 0
        await subscriber.connect(mqtt.port)
        expect(subscriber.sessionPresent).toBe(version === 5)
        await subscriber.subscribe('flow/#', 2)

        const kept = publishTen(`kept ${round}`)
        await delay(random.below(15))
        subscriber.drop()
        await subscriber.connect(mqtt.port)
        expect(subscriber.sessionPresent).toBe(true)
        await eventually(() => firsts(subscriber.taken).length >= kept.length, { what: 'all messages' })
        expect(firsts(subscriber.taken)).toEqual(kept)

        publishTen(`left ${round}`)
        await delay(random.below(15))
        subscriber.drop() // with some of these under way
        publisher.drop()
        await publisher.connect(mqtt.port, { clean: round % 2 === 0 })
        await eventually(() => publisher.unfinished === 0, { what: 'all acknowledgements' })
      }
      const stored = new Set((await events(mqtt)).map(event => Buffer.from(event.payload).toString()))
      expect(acknowledged.filter(payload => !stored.has(payload))).toEqual([])
    }
  )
})
