// Who may see alerts over MQTT: operators by their token, and devices that a rule names them to.
import { describe, expect, test } from '@jest/globals'
import type { IClientOptions } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { alertDraft, append, eventDraft, listen, operatorToken } from './alerts.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt } from './raw-mqtt.ts'

const access = [
  { devices: ['*'], publish: ['#'], subscribe: ['#', '+/#'] },
  { devices: ['panel-*'], publish: [], subscribe: ['$alerts/too-warm/#'] }
]

function start(dir: string, anonymous = false): Promise<Harness> {
  return startMqtt({ dir, access, anonymous })
}

/** How a client with the token presents itself. */
const withToken = (password: string, more: IClientOptions = {}): IClientOptions => ({
  protocolVersion: 5,
  username: 'whoever',
  clientId: 'screen',
  password,
  ...more
})

/** Reason codes of a SUBSCRIBE to these filters. */
async function granted(mqtt: Harness, clientId: string, topics: string[]): Promise<unknown> {
  const client = await rawMqtt(mqtt.port, 5)
  client.send(connectPacket(clientId, 5, {}))
  await client.next('connack')
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map(topic => ({ topic, qos: 0 })) })
  return (await client.next('suback')).granted
}

describe('an operator', () => {
  test('of any role sees alerts and what devices publish, under any user name', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const token = await operatorToken(mqtt.store, role, role)
      const options = withToken(token, { username: role, clientId: role })
      const { count } = await listen(mqtt, { '$alerts/#': { qos: 1 }, '#': { qos: 1 } }, options)
      await append(mqtt.store, alertDraft(), eventDraft('1', 'site/a'))
      const topics = (await count(2)).map(({ topic }) => topic)
      expect(topics.slice(-2)).toEqual(['$alerts/too-warm/freezer-7', 'site/a'])
      await append(mqtt.store, alertDraft({ state: 'resolved', change: 'resolved' }))
    }
  })

  test('is no device: nothing is told of its coming and going', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const token = await operatorToken(mqtt.store)
    const { client } = await listen(mqtt, {}, withToken(token))
    const { client: next } = await listen(mqtt, {}, withToken(token)) // takes over
    await eventually(() => !client.connected)
    await next.endAsync()
    await append(mqtt.store, eventDraft('1'))
    const { items } = await mqtt.store.log.read(0, { limit: 10 })
    expect(items.map(({ kind }) => kind)).toEqual(['event'])
    expect(mqtt.presence.count).toBe(0)
    expect(await mqtt.store.tables.presence()).toEqual([])
  })

  test('publishes nothing, and has no will', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const token = await operatorToken(mqtt.store, 'o1', 'admin')
    const { client } = await listen(mqtt, {}, withToken(token))
    await expect(client.publishAsync('t', '1', { qos: 1 })).rejects.toThrow('Not authorized')
    await expect(client.publishAsync('t', '1', { qos: 2 })).rejects.toThrow('Not authorized')
    const old = await mqtt.connect(withToken(token, { protocolVersion: 4, clientId: 'old' }))
    old.publish('t', '1', { qos: 1 })
    await eventually(() => !old.connected)
    const will = { topic: 't', payload: Buffer.from('gone'), qos: 0, retain: false } as const
    await expect(mqtt.connect(withToken(token, { clientId: 'w', will }))).rejects.toThrow('Not authorized')
    expect(mqtt.store.log.bounds().last).toBe(0)
  })

  test('has sessions of its own, which nobody else finds', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, true)
    const first = await operatorToken(mqtt.store, 'o1')
    const second = await operatorToken(mqtt.store, 'o2')
    const durable = { clean: false, properties: { sessionExpiryInterval: 100 } }
    const filter = { '$alerts/#': { qos: 1 } } as const
    const { client } = await listen(mqtt, filter, withToken(first, durable))
    await client.endAsync()
    await append(mqtt.store, alertDraft())
    const others = [withToken(second, durable), { clientId: 'screen', ...durable }]
    for (const options of others) {
      const { client: other, count } = await listen(mqtt, { t: { qos: 1 } }, options)
      await append(mqtt.store, eventDraft('after'))
      expect((await count(1)).map(({ text }) => text)).toEqual(['after'])
      await other.endAsync()
    }
    const { count } = await listen(mqtt, {}, withToken(first, durable))
    await count(1)
  })

  test('is cut off when its token is revoked, and others are not', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const first = await listen(mqtt, {}, withToken(await operatorToken(mqtt.store, 'o1')))
    const token = await operatorToken(mqtt.store, 'o2')
    const second = await listen(mqtt, { t: { qos: 1 } }, withToken(token))
    const reasons: number[] = []
    first.client.on('disconnect', ({ reasonCode = 0 }) => reasons.push(reasonCode))
    await mqtt.store.tokens.remove('o1')
    await eventually(() => !first.client.connected)
    expect(reasons).toEqual([0x98])
    await append(mqtt.store, eventDraft('1'))
    await second.count(1)
    await mqtt.store.tokens.remove('o2')
    await eventually(() => !second.client.connected)
    await expect(mqtt.connect(withToken(token))).rejects.toThrow('Bad User Name or Password')
  })
})

test('a device sees alerts only where a rule names them', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await start(folder.path, true)
  const topics = ['$alerts/#', '$alerts/too-warm/+', '$share/g/$alerts/too-warm/#', '$alerts', '#']
  expect(await granted(mqtt, 'pump', topics)).toEqual([0x87, 0x87, 0x87, 0x87, 0])
  expect(await granted(mqtt, 'panel-1', topics)).toEqual([0x87, 0, 0, 0x87, 0])
  const device = await mqtt.connect({ protocolVersion: 5, clientId: 'panel-1' })
  const published = device.publishAsync('$alerts/too-warm/x', 'forged', { qos: 1 })
  await expect(published).rejects.toThrow('Not authorized')
})
