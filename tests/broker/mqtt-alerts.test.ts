// Alerts as MQTT messages: what they look like, that open ones are retained, and that nobody misses one.
import { describe, expect, test } from '@jest/globals'
import { notificationJson } from '../../gateway/feed/messages.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { alertDraft, append, eventDraft, listen, operatorToken, resolved } from './alerts.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt } from './raw-mqtt.ts'

const access = [{ devices: ['*'], publish: ['#'], subscribe: ['#', '$alerts/#'] }]
const durable = { clean: false, properties: { sessionExpiryInterval: 1000 } }
const TOPIC = '$alerts/too-warm/freezer-7'

function start(dir: string, more: Partial<Parameters<typeof startMqtt>[0]> = {}): Promise<Harness> {
  return startMqtt({ dir, access, ...more })
}

/** What each message says happened, after the alert's id; or the payload of an event. */
function summaries(got: readonly { topic: string; text: string }[]): string[] {
  return got.map(({ topic, text }) => {
    if (!topic.startsWith('$alerts/')) return text
    const { alert, change } = JSON.parse(text) as { alert: string; change: string }
    return `${alert} ${change}`
  })
}

describe('an alert', () => {
  test('is a message of QoS 1 that says what the feed says', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const { count } = await listen(mqtt, { '$alerts/#': { qos: 2, rap: true } })
    const draft = alertDraft({ labels: { site: 'a' }, eventTopic: 'site/a/7', actor: 'ann', comment: 'seen' })
    await append(mqtt.store, draft)
    const [got] = await count(1)
    const notification = await mqtt.store.log.get(mqtt.store.log.bounds().last)
    const { epoch } = mqtt.store.log.bounds()
    expect(got?.topic).toBe(TOPIC)
    expect(JSON.parse(got?.text ?? '')).toEqual(
      JSON.parse(notification ? notificationJson(epoch, notification) : '')
    )
    expect(got?.packet).toMatchObject({
      qos: 1,
      retain: true,
      properties: { contentType: 'application/json' }
    })
  })

  test('reaches no subscription whose first level is a wildcard', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const { count } = await listen(mqtt, { '#': { qos: 1 }, '+/#': { qos: 1 }, '+/too-warm/+': { qos: 1 } })
    await append(mqtt.store, alertDraft(), eventDraft('after'))
    expect(summaries(await count(1))).toEqual(['after'])
    const late = await listen(mqtt, { '#': { qos: 1 } })
    await append(mqtt.store, eventDraft('later'))
    expect(summaries(await late.count(1))).toEqual(['later'])
  })

  test('is found by rule and by key, whatever characters these have', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const byRule = await listen(mqtt, { '$alerts/too-warm/+': { qos: 1 } })
    const odd = await listen(mqtt, { '$alerts/+/hall%2F1': { qos: 1 } })
    await append(mqtt.store, alertDraft({ key: 'hall/1' }), alertDraft({ rule: 'gone', alert: 'a2' }))
    expect(summaries(await byRule.count(1))).toEqual(['a1 raised'])
    expect((await odd.count(1)).map(({ topic }) => topic)).toEqual(['$alerts/too-warm/hall%2F1'])
  })
})

describe('an open alert', () => {
  test('is a retained message, the last one, until it is resolved', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const live = await listen(mqtt, { '$alerts/#': { qos: 1 } })
    await append(mqtt.store, alertDraft(), alertDraft({ state: 'acknowledged', change: 'acknowledged' }))
    await live.count(2)
    const late = await listen(mqtt, { '$alerts/#': { qos: 1 } })
    const [retained] = await late.count(1)
    expect(retained?.packet.retain).toBe(true)
    expect(retained?.text).toBe(live.got[1]?.text)
    await append(mqtt.store, alertDraft(resolved))
    expect(summaries(await live.count(3))).toEqual(['a1 raised', 'a1 acknowledged', 'a1 resolved'])
    expect(summaries(await late.count(2))).toEqual(['a1 acknowledged', 'a1 resolved'])
    const last = await listen(mqtt, { '$alerts/#': { qos: 1 }, '#': { qos: 1 } })
    await append(mqtt.store, eventDraft('end'))
    expect(summaries(await last.count(1))).toEqual(['end'])
  })

  test('is retained over a restart, as it was', async () => {
    await using folder = await temporaryFolder()
    let before = ''
    {
      await using mqtt = await start(folder.path)
      const { count } = await listen(mqtt, { '$alerts/#': { qos: 1 } })
      await append(mqtt.store, alertDraft(), alertDraft({ alert: 'a2', key: 'other' }))
      await append(mqtt.store, alertDraft({ ...resolved, alert: 'a2', key: 'other' }))
      const [first] = await count(3)
      before = first?.text ?? ''
    }
    await using mqtt = await start(folder.path)
    const { got, count } = await listen(mqtt, { '$alerts/#': { qos: 1 }, '#': { qos: 1 } })
    await append(mqtt.store, eventDraft('end'))
    await count(2)
    expect(got.map(({ text }) => text)).toEqual([before, 'end'])
  })

  test('takes no room from what devices may have retained, nor do limits stop it', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { settings: { retainedMax: 1, retainedBytesMax: 100 } })
    await append(mqtt.store, ...['x', 'y', 'z'].map(key => alertDraft({ key })))
    const client = await mqtt.connect({ protocolVersion: 5 })
    await client.publishAsync('a', 'kept', { qos: 1, retain: true })
    await expect(client.publishAsync('b', 'not', { qos: 1, retain: true })).rejects.toThrow('Quota exceeded')
    const { count } = await listen(mqtt, { '$alerts/#': { qos: 1 } })
    await count(3)
  })
})

describe('a session that was away', () => {
  test('gets alerts and events in the order of the log, over a restart', async () => {
    await using folder = await temporaryFolder()
    const filters = { 't/#': { qos: 1 }, '$alerts/#': { qos: 1 } } as const
    const device = { ...durable, clientId: 'panel' }
    {
      await using mqtt = await start(folder.path)
      const { client } = await listen(mqtt, filters, device)
      await client.endAsync()
      await append(
        mqtt.store,
        eventDraft('1', 't/1'),
        alertDraft(),
        eventDraft('no', 'other'),
        eventDraft('2', 't/2')
      )
    }
    await using mqtt = await start(folder.path)
    await append(mqtt.store, alertDraft(resolved), eventDraft('3', 't/3'))
    const { count } = await listen(mqtt, filters, device)
    expect(summaries(await count(5))).toEqual(['1', 'a1 raised', '2', 'a1 resolved', '3'])
    await append(mqtt.store, alertDraft({ alert: 'a2' }))
    expect(summaries(await count(6)).at(-1)).toBe('a2 raised')
  })

  test('and subscribes to alerts alone gets them all', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path, { settings: { inflightMax: 3 } })
    const filters = { '$alerts/too-warm/+': { qos: 1 } } as const
    const token = await operatorToken(mqtt.store)
    const operator = { ...durable, clientId: 'panel', username: 'ann', password: token }
    const { client } = await listen(mqtt, filters, operator)
    await client.endAsync()
    for (let n = 1; n <= 10; n++) {
      const alert = { alert: `a${n}` }
      await append(mqtt.store, eventDraft('no'), alertDraft(alert), alertDraft({ rule: 'gone', ...alert }))
    }
    const { count } = await listen(mqtt, filters, operator)
    expect(summaries(await count(10))).toEqual(
      Array.from({ length: 10 }, (_, index) => `a${index + 1} raised`)
    )
  })

  test('gets what was in flight to it again, as what it was', async () => {
    await using folder = await temporaryFolder()
    let before = ''
    {
      await using mqtt = await start(folder.path)
      const client = await rawMqtt(mqtt.port, 5)
      client.send(connectPacket('panel', 5, durable))
      await client.next('connack')
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$alerts/#', qos: 1 }] })
      await client.next('suback')
      await append(mqtt.store, alertDraft())
      before = (await client.next('publish')).payload.toString()
    }
    await using mqtt = await start(folder.path)
    await append(mqtt.store, alertDraft(resolved))
    const { count } = await listen(mqtt, {}, { ...durable, clientId: 'panel' })
    const got = await count(2)
    expect(summaries(got)).toEqual(['a1 raised', 'a1 resolved'])
    expect(got[0]).toMatchObject({ text: before, packet: { dup: true } })
  })
})

describe('a shared subscription to alerts', () => {
  test('gives each to one member, also what came while nobody was there', async () => {
    await using folder = await temporaryFolder()
    await using mqtt = await start(folder.path)
    const filter = { '$share/duty/$alerts/too-warm/#': { qos: 1 } } as const
    const one = await listen(mqtt, filter, { ...durable, clientId: 'one' })
    const two = await listen(mqtt, filter, { ...durable, clientId: 'two' })
    const both = () => summaries([...one.got, ...two.got]).sort()
    await append(mqtt.store, alertDraft(), alertDraft({ alert: 'a2' }))
    await one.count(1)
    await two.count(1)
    expect(both()).toEqual(['a1 raised', 'a2 raised'])
    await one.client.endAsync()
    await two.client.endAsync()
    const missed = ['a3', 'a4', 'a5'].map(alert => alertDraft({ alert }))
    await append(mqtt.store, eventDraft('no'), alertDraft({ rule: 'gone' }), ...missed)
    const again = await listen(mqtt, filter, { ...durable, clientId: 'two' })
    expect(summaries(await again.count(3))).toEqual(['a3 raised', 'a4 raised', 'a5 raised'])
  })
})
