// Section 3.3.2.3.4: topic aliases, which clients use towards the server and never the other way round.
import { describe, expect, test } from '@jest/globals'
import { connected, endCode, publish, receivedUntilNow, sharedServer, subscribed } from './suite.ts'

const server = sharedServer({ settings: { topicAliasMax: 8 } })

const aliased = (topic: string, topicAlias: number, payload = topic, more: object = {}) =>
  publish(topic, payload, { properties: { topicAlias }, ...more })

async function topicsOf(clientId: string, ...sent: object[]): Promise<string[]> {
  const watcher = await subscribed(server(), {
    clientId: `watcher-${clientId}`,
    version: 5,
    filter: `${clientId}/#`
  })
  const client = await connected(server(), clientId, 5)
  client.send(...sent, publish(`${clientId}/end`, 'end'))
  for (;;) {
    await watcher.next('publish')
    const topics = watcher.all('publish').map(({ topic }) => topic.slice(clientId.length + 1))
    if (topics.at(-1) === 'end') return topics.slice(0, -1)
  }
}

describe('topic aliases', () => {
  test('[MQTT-3.3.2-12] all from 1 to the maximum that CONNACK tells are taken', async () => {
    const aliases = [1, 2, 3, 4, 5, 6, 7, 8]
    const sent = aliases.flatMap(alias => [aliased(`all/${alias}`, alias), aliased('', alias, 'again')])
    expect(await topicsOf('all', ...sent)).toEqual(aliases.flatMap(alias => [`${alias}`, `${alias}`]))
  })

  test('one can be given to another topic, and a topic can have several', async () => {
    const sent = [
      aliased('change/a', 1),
      aliased('', 1, 'x'),
      aliased('change/b', 1),
      aliased('', 1, 'x'),
      aliased('change/a', 2),
      aliased('', 2, 'x'),
      aliased('', 1, 'x'),
      publish('change/c', 'without')
    ]
    expect(await topicsOf('change', ...sent)).toEqual(['a', 'a', 'b', 'b', 'a', 'a', 'b', 'c'])
  })

  test('they serve messages of any QoS, and retained ones', async () => {
    const watcher = await subscribed(server(), { clientId: 'any-watcher', version: 5, filter: 'any' })
    const client = await connected(server(), 'any', 5)
    client.send(
      aliased('any', 1, 'zero'),
      aliased('', 1, 'one', { qos: 1, messageId: 1 }),
      aliased('', 1, 'two', { qos: 2, messageId: 2, retain: true })
    )
    for (const payload of ['zero', 'one', 'two']) {
      const message = await watcher.next('publish')
      expect([message.topic, message.payload.toString()]).toEqual(['any', payload])
    }
    const late = await subscribed(server(), { clientId: 'any-late', version: 5, filter: 'any' })
    expect((await late.next('publish')).payload.toString()).toBe('two')
  })

  test('a publish that is refused sets its alias all the same', async () => {
    const restricted = await connected(server(), 'refused', 5)
    restricted.send(aliased('$refused', 1, 'x', { qos: 1, messageId: 1 }))
    expect((await restricted.next('puback')).reasonCode).toBe(0x87)
    restricted.send(aliased('', 1, 'x', { qos: 1, messageId: 2 }))
    expect((await restricted.next('puback')).reasonCode).toBe(0x87)
  })

  test('[MQTT-3.3.2-7] a new connection knows none, whether or not it goes on with a session', async () => {
    const session = { clean: false, properties: { sessionExpiryInterval: 60 } }
    const first = await connected(server(), 'fresh', 5, session)
    first.send(aliased('fresh', 1, 'x', { qos: 1, messageId: 1 }))
    await first.next('puback')
    const second = await connected(server(), 'fresh', 5, session)
    second.send(aliased('', 1, 'x'))
    expect([0x82, 0x94]).toContain(await endCode(second))
  })

  test('each connection has its own', async () => {
    const watcher = await subscribed(server(), { clientId: 'own-watcher', version: 5, filter: 'own/+' })
    const one = await connected(server(), 'own-1', 5)
    const other = await connected(server(), 'own-2', 5)
    one.send(aliased('own/1', 1, 'x', { qos: 1, messageId: 1 }))
    await one.next('puback')
    other.send(aliased('own/2', 1, 'x', { qos: 1, messageId: 1 }))
    await other.next('puback')
    one.send(aliased('', 1, 'x'))
    for (const topic of ['own/1', 'own/2', 'own/1']) {
      expect((await watcher.next('publish')).topic).toBe(topic)
    }
    expect(await receivedUntilNow(server(), watcher, 'own/end')).toEqual(['x', 'x', 'x'])
  })

  test.each([
    ['[MQTT-3.3.2-8] 0', aliased('bad', 0)],
    ['[MQTT-3.3.2-9] [MQTT-3.2.2-17] beyond the maximum', aliased('bad', 9)],
    ['[MQTT-3.3.2-9] the largest there is', aliased('bad', 65_535)]
  ])('%s ends the connection', async (_what, sent) => {
    const client = await connected(server(), 'bad', 5)
    client.send(sent)
    expect(await endCode(client)).toBe(0x94)
  })

  test('one that is not in use ends the connection', async () => {
    const client = await connected(server(), 'unused', 5)
    client.send(aliased('', 3, 'x'))
    expect([0x82, 0x94]).toContain(await endCode(client))
  })
})

describe('a server that takes no topic aliases', () => {
  const without = sharedServer({ settings: { topicAliasMax: 0 } })

  test('[MQTT-3.2.2-18] ends a connection that uses one', async () => {
    const client = await connected(without(), 'none', 5)
    client.send(aliased('none', 1))
    expect(await endCode(client)).toBe(0x94)
  })
})
