// Clients that say the same thing over and over: what that costs has a limit, and the answers are what they would be.
import { describe, expect, test } from '@jest/globals'
import { RetainedMessages } from '../../broker/mqtt/retained-messages.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { HeldLog } from './held-log.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

async function connected(mqtt: Harness, clientId: string, more: object = {}): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, 5)
  client.send(connectPacket(clientId, 5, more))
  await client.next('connack')
  return client
}

const publish = (topic: string, messageId: number, more: object = {}) => ({
  cmd: 'publish',
  topic,
  payload: 'x',
  qos: 1,
  messageId,
  retain: false,
  dup: false,
  ...more
})

const subscribe = (topic: string, messageId: number, qos = 1) => ({
  cmd: 'subscribe',
  messageId,
  subscriptions: [{ topic, qos }]
})

describe('the answer to a SUBSCRIBE that the client has no room for', () => {
  // Returns the topics that the client gets, one at a time, up to what is published last.
  async function topicsAfter(requests: object[]): Promise<string[]> {
    await using folder = await temporaryFolder()
    await using mqtt = await startMqtt({ dir: folder.path })
    const publisher = await connected(mqtt, 'p')
    publisher.send(publish('kept', 1, { retain: true }))
    await publisher.next('puback')
    const client = await connected(mqtt, 'c', { properties: { receiveMaximum: 1 } })
    client.send(subscribe('end', 1), subscribe('kept', 2))
    await eventually(() => client.all('suback').length === 2)
    let last = await client.next('publish')
    const topics = [last.topic]
    client.send(...requests, { cmd: 'pingreq' })
    await client.next('pingresp') // in its turn, behind the answers to all the requests
    publisher.send(publish('end', 2))
    await publisher.next('puback')
    while (last.topic !== 'end') {
      client.send({ cmd: 'puback', messageId: last.messageId })
      last = await client.next('publish')
      topics.push(last.topic)
    }
    return topics
  }

  test('is owed once, however often it is asked for', async () => {
    const again = Array.from({ length: 20 }, (_, index) => subscribe('kept', 10 + index))
    expect(await topicsAfter(again)).toEqual(['kept', 'kept', 'end'])
  })

  test('is not owed any more after an UNSUBSCRIBE', async () => {
    const gone = { cmd: 'unsubscribe', messageId: 11, unsubscriptions: ['kept'] }
    expect(await topicsAfter([subscribe('kept', 10), gone])).toEqual(['kept', 'end'])
  })
})

test('a PUBREC is stored once, however often it comes', async () => {
  await using folder = await temporaryFolder()
  let held: HeldLog | null = null
  await using mqtt = await startMqtt({ dir: folder.path, wrapLog: log => (held = new HeldLog(log)) })
  const log = held as unknown as HeldLog
  const client = await connected(mqtt, 'c', { properties: { sessionExpiryInterval: 100 } })
  client.send(subscribe('t', 1, 2))
  await client.next('suback')
  const publisher = await connected(mqtt, 'p')
  publisher.send(publish('t', 1, { qos: 2 }))
  const { messageId } = await client.next('publish')
  log.hold()
  client.send(...Array.from({ length: 1000 }, () => ({ cmd: 'pubrec', messageId })), { cmd: 'pingreq' })
  await client.next('pingresp')
  expect(log.held).toBeGreaterThan(0)
  expect(log.held).toBeLessThan(100) // the sessions are saved now and then, too
  expect(client.all('pubrel')).toEqual([])
  log.release()
  await client.next('pubrel')
  client.send({ cmd: 'pubrec', messageId })
  await eventually(() => client.all('pubrel').length === 2)
})

test('between two filters of a SUBSCRIBE whose retained messages are looked up, others have their turn', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path })
  const client = await connected(mqtt, 'c')
  let turn = 0
  let turning = true
  const next = () => {
    turn++
    if (turning) setImmediate(next)
  }
  next()
  const turns: number[] = []
  const { match } = RetainedMessages.prototype
  RetainedMessages.prototype.match = function (filter) {
    turns.push(turn)
    return match.call(this, filter)
  }
  const subscriptions = Array.from({ length: 20 }, (_, index) => ({ topic: `+/+/${index}`, qos: 0 }))
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  await eventually(() => turns.length === 20)
  turning = false
  RetainedMessages.prototype.match = match
  expect(new Set(turns).size).toBeGreaterThan(15) // the first two may share a turn
})

test('PUBREL that is repeated on another connection is answered when its packet id is forgotten on disk', async () => {
  await using folder = await temporaryFolder()
  let held: HeldLog | null = null
  await using mqtt = await startMqtt({ dir: folder.path, wrapLog: inner => (held = new HeldLog(inner)) })
  const log = held as unknown as HeldLog
  const durable = { clean: false, properties: { sessionExpiryInterval: 60 } }
  const first = await connected(mqtt, 'c', durable)
  first.send(publish('t', 7, { qos: 2 }))
  await first.next('pubrec')
  log.hold()
  first.send({ cmd: 'pubrel', messageId: 7 }, { cmd: 'pubrel', messageId: 7 }, { cmd: 'pingreq' })
  await first.next('pingresp')
  expect(first.all('pubcomp')).toEqual([])
  first.socket.resetAndDestroy()
  const second = await connected(mqtt, 'c', durable)
  second.send({ cmd: 'pubrel', messageId: 7 }, { cmd: 'pingreq' })
  await second.next('pingresp')
  expect(second.all('pubcomp')).toEqual([])
  log.release()
  expect(await second.next('pubcomp')).toMatchObject({ messageId: 7, reasonCode: 0 })
})
