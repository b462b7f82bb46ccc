// What the server itself publishes: delivered like an event of a device, and nobody's.
import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { DeviceDirectory } from '../../gateway/device-directory.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { append, eventDraft, listen } from './alerts.ts'
import { startMqtt } from './mqtt-harness.ts'

const siren = eventDraft('on', 'hall/siren', {
  device: '',
  source: 'server',
  mqtt: { qos: 2, retain: true, session: '' }
})

test('reaches live sessions and those that were away, at its QoS, and is retained over a restart', async () => {
  await using folder = await temporaryFolder()
  const durable = { clean: false, properties: { sessionExpiryInterval: 100 }, clientId: 'away' }
  {
    await using mqtt = await startMqtt({ dir: folder.path })
    const { client } = await listen(mqtt, { 'hall/#': { qos: 2 } }, durable)
    await client.endAsync()
    const { count } = await listen(mqtt, { '#': { qos: 2, nl: true } })
    await append(mqtt.store, siren)
    expect((await count(1))[0]).toMatchObject({ topic: 'hall/siren', text: 'on', packet: { qos: 2 } })
  }
  await using mqtt = await startMqtt({ dir: folder.path })
  const away = await listen(mqtt, {}, durable)
  expect(await away.count(1)).toMatchObject([{ text: 'on', packet: { qos: 2, retain: false } }])
  const late = await listen(mqtt, { '#': { qos: 1 } })
  expect(await late.count(1)).toMatchObject([{ text: 'on', packet: { qos: 1, retain: true } }])
})

test('is no device: neither presence nor the directory know one, and the counts of clients stay right', async () => {
  await using folder = await temporaryFolder()
  const access = [{ devices: ['*'], publish: [], subscribe: ['#', '$SYS/#'] }]
  await using mqtt = await startMqtt({ dir: folder.path, access, settings: { sysIntervalMs: 3_600_000 } })
  const directory = await DeviceDirectory.load(mqtt.store, pino({ level: 'silent' }))
  await append(mqtt.store, siren, eventDraft('1'))
  const topics = ['clients/total', 'retained messages/count', 'publish/messages/received']
  const subscriptions = Object.fromEntries(topics.map(name => [`$SYS/broker/${name}`, { qos: 0 as const }]))
  const { count } = await listen(mqtt, subscriptions, { clientId: 'panel' })
  await append(mqtt.store, eventDraft('2')) // its commit covers that the panel is online
  const values = new Map(
    (await count(3)).map(({ topic, text }) => [topic.slice('$SYS/broker/'.length), text])
  )
  expect(topics.map(name => values.get(name))).toEqual(['1', '1', '0'])
  await eventually(() => directory.get('panel')) // it follows the log, in which the siren stands before
  expect(directory.ids()).toEqual(['panel', 'pump'])
  expect(mqtt.presence.count).toBe(1)
  expect((await mqtt.store.tables.presence()).map(({ device }) => device)).toEqual(['panel'])
  await directory.close()
})
