// Section 3.3.1.3: RETAIN, from the publisher's side and from the subscriber's.
import { describe, expect, test } from '@jest/globals'
import { connected, publish, receivedUntilNow, sharedServer, subscribe, subscribed } from './suite.ts'
import { versions } from './wire.ts'

const server = sharedServer()

/** Leaves a retained message behind. */
async function retain(topic: string, payload: string, qos = 1): Promise<void> {
  const client = await connected(server(), `retainer of ${topic}`, 4)
  client.send(publish(topic, payload, { qos, retain: true, messageId: 1 }))
  client.send(publish('retainer', '', { qos: 1, messageId: 2 }))
  await client.next('puback')
  if (qos === 1) await client.next('puback')
  client.socket.end()
}

describe.each(versions)('retained messages at protocol level %i', version => {
  const watcher = (topic: string, qos = 2) =>
    subscribed(server(), { clientId: `watcher of ${topic}`, version, filter: topic, qos })

  test('[MQTT-3.3.1-5] [3.1.1: MQTT-3.3.1-6] [3.1.1: MQTT-3.3.1-8] the last one of a topic answers a subscription, with RETAIN', async () => {
    const topic = `last/${version}`
    await retain(topic, 'first')
    await retain(topic, 'second')
    const late = await watcher(topic)
    const message = await late.next('publish')
    expect([message.payload.toString(), message.retain, message.dup]).toEqual(['second', true, false])
    expect(await receivedUntilNow(server(), late, topic)).toEqual(['second'])
  })

  test('[MQTT-3.3.1-5] its QoS is kept, and lowered to the subscription’s', async () => {
    for (const [published, asked] of [
      [0, 2],
      [1, 2],
      [2, 2],
      [2, 1],
      [1, 0]
    ] as const) {
      const topic = `qos/${version}/${published}-${asked}`
      await retain(topic, 'x', published)
      const late = await watcher(topic, asked)
      expect((await late.next('publish')).qos).toBe(Math.min(published, asked))
    }
  })

  test('[3.1.1: MQTT-3.3.1-7] one of QoS 0 replaces what was there', async () => {
    const topic = `zero/${version}`
    await retain(topic, 'first', 2)
    await retain(topic, 'second', 0)
    const late = await watcher(topic)
    expect((await late.next('publish')).payload.toString()).toBe('second')
  })

  test('[MQTT-3.3.1-6] [3.1.1: MQTT-3.3.1-10] one of no bytes is passed on and removes it', async () => {
    const topic = `removed/${version}`
    await retain(topic, 'there')
    const early = await watcher(topic)
    await early.next('publish')
    await retain(topic, '')
    const message = await early.next('publish')
    expect([message.payload.toString(), message.retain]).toEqual(['', false])
    const late = await subscribed(server(), { clientId: `late ${topic}`, version, filter: topic })
    expect(await receivedUntilNow(server(), late, topic)).toEqual([])
  })

  test('[MQTT-3.3.1-7] [3.1.1: MQTT-3.3.1-11] one of no bytes is not stored', async () => {
    const topic = `empty/${version}`
    await retain(topic, '')
    const late = await watcher(topic)
    expect(await receivedUntilNow(server(), late, topic)).toEqual([])
  })

  test('[MQTT-3.3.1-8] [3.1.1: MQTT-3.3.1-12] without RETAIN nothing is stored, replaced or removed', async () => {
    const topic = `untouched/${version}`
    const client = await connected(server(), topic, version)
    await retain(topic, 'stays')
    const flying = ['x', ''].map((payload, index) =>
      publish(topic, payload, { qos: 1, messageId: index + 1 })
    )
    client.send(...flying, publish(`${topic}/other`, 'x', { qos: 1, messageId: 3 }))
    for (let count = 0; count < 3; count++) await client.next('puback')
    const late = await watcher(`${topic}/#`)
    expect(await late.next('publish')).toMatchObject({ payload: Buffer.from('stays'), retain: true })
    expect(await receivedUntilNow(server(), late, topic)).toEqual(['stays'])
  })

  test('[MQTT-3.3.1-12] [3.1.1: MQTT-3.3.1-9] to a subscription that is there it comes without RETAIN', async () => {
    const topic = `established/${version}`
    const early = await watcher(topic)
    await retain(topic, 'now')
    expect((await early.next('publish')).retain).toBe(false)
  })

  test('[3.1.1: MQTT-3.3.1-6] wildcards get one of each topic, and none of $ topics', async () => {
    for (const level of ['a', 'b', 'c/d', 'c']) await retain(`many/${version}/${level}`, level)
    const under = await watcher(`many/${version}/#`)
    expect((await receivedUntilNow(server(), under, `many/${version}`)).toSorted()).toEqual([
      'a',
      'b',
      'c',
      'c/d'
    ])
    const one = await subscribed(server(), {
      clientId: `plus ${version}`,
      version,
      filter: `many/${version}/+`
    })
    expect((await receivedUntilNow(server(), one, `many/${version}/e`)).toSorted()).toEqual(['a', 'b', 'c'])
  })

  test('[3.1.1: MQTT-3.3.1-6] subscribing again sends it again', async () => {
    const topic = `again/${version}`
    await retain(topic, 'x')
    const client = await watcher(topic)
    await client.next('publish')
    client.send(subscribe(topic, 1))
    expect((await client.next('publish')).retain).toBe(true)
  })

  test('a session that is resumed gets none', async () => {
    const topic = `resumed/${version}`
    await retain(topic, 'x')
    const session = { clean: false, ...(version === 5 && { properties: { sessionExpiryInterval: 60 } }) }
    const first = await subscribed(server(), { clientId: topic, version, filter: topic, qos: 1 }, session)
    const { messageId } = await first.next('publish')
    first.send({ cmd: 'puback', messageId }, { cmd: 'disconnect' })
    await first.end()
    const second = await connected(server(), topic, version, session)
    expect(await receivedUntilNow(server(), second, topic)).toEqual([])
  })
})

describe('subscription options of MQTT 5', () => {
  // What a client gets that subscribes with these options, once and again.
  async function answers(topic: string, rh: number): Promise<[string[], string[]]> {
    await retain(topic, 'x')
    const client = await connected(server(), topic, 5)
    const got = async () => {
      const before = client.all('publish').length
      client.send(subscribe(topic, 0, { rh }))
      await client.next('suback')
      return (await receivedUntilNow(server(), client, topic)).slice(before)
    }
    return [await got(), await got()]
  }

  test('[MQTT-3.3.1-9] retain handling 0 sends them with every SUBSCRIBE', async () => {
    expect(await answers('handling/0', 0)).toEqual([['x'], ['x']])
  })

  test('[MQTT-3.3.1-10] retain handling 1 sends them with a new subscription only', async () => {
    expect(await answers('handling/1', 1)).toEqual([['x'], []])
  })

  test('[MQTT-3.3.1-10] retain handling 1: a subscription that was given up is new', async () => {
    await answers('handling/anew', 1)
    const client = await connected(server(), 'anew', 5)
    for (let round = 0; round < 2; round++) {
      client.send(subscribe('handling/anew', 0, { rh: 1 }))
      expect((await client.next('publish')).retain).toBe(true)
      client.send({ cmd: 'unsubscribe', messageId: 8, unsubscriptions: ['handling/anew'] })
      await client.next('unsuback')
    }
  })

  test('[MQTT-3.3.1-11] retain handling 2 sends none', async () => {
    expect(await answers('handling/2', 2)).toEqual([[], []])
  })

  test('[MQTT-3.3.1-12] [MQTT-3.3.1-13] retain as published passes RETAIN on as it was', async () => {
    for (const rap of [false, true]) {
      for (const flag of [false, true]) {
        const topic = `as-published/${rap}/${flag}`
        const client = await connected(server(), topic, 5)
        client.send(subscribe(topic, 0, { rap }))
        await client.next('suback')
        client.send(publish(topic, 'x', { retain: flag }))
        expect((await client.next('publish')).retain).toBe(rap && flag)
        client.send(subscribe(topic, 0, { rap }))
        await client.next('suback')
        const again = flag ? await client.next('publish') : null
        expect(again?.retain ?? true).toBe(true)
      }
    }
  })

  test('No Local does not keep a client from what it retained itself', async () => {
    const client = await connected(server(), 'no-local', 5)
    client.send(publish('no-local', 'mine', { qos: 1, retain: true, messageId: 1 }))
    await client.next('puback')
    client.send(subscribe('no-local', 0, { nl: true }))
    expect((await client.next('publish')).payload.toString()).toBe('mine')
  })
})
