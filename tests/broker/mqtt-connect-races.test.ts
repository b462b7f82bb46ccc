// CONNECTs that are over, or overtaken by a newer one of the same client, while they are being looked at.
import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from './raw-mqtt.ts'

const lasting = { properties: { sessionExpiryInterval: 100 } }

async function connected(mqtt: Harness, clientId: string, more: object = {}): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, 5)
  client.send(connectPacket(clientId, 5, more))
  await client.next('connack')
  return client
}

/** Says goodbye; the session is stored away then. */
async function leave(mqtt: Harness, client: RawMqtt): Promise<void> {
  client.send({ cmd: 'disconnect', reasonCode: 0 })
  await client.end()
  await new Promise<void>(resolve => mqtt.store.log.write([], () => resolve()))
}

test('a CONNECT with an error right behind it takes nothing over and leaves nothing behind', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path })
  const first = await connected(mqtt, 'pump')
  const second = await rawMqtt(mqtt.port, 5)
  second.send(connectPacket('pump', 5), connectPacket('pump', 5))
  await second.end()
  first.send({ cmd: 'pingreq' })
  await first.next('pingresp')
  expect(first.all('disconnect')).toEqual([])
  first.socket.destroy()
  await eventually(() => !mqtt.presence.connected('pump'), { what: 'the device to be gone' })
})

test('a CONNECT that was overtaken while its session was read changes nothing of the newer one’s', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path })
  await leave(mqtt, await connected(mqtt, 'd', lasting))
  const { tables } = mqtt.store
  const read = tables.session.bind(tables)
  const gate = Promise.withResolvers<undefined>()
  let asked = false
  tables.session = async key => {
    const state = await read(key)
    asked = true
    await gate.promise
    return state
  }
  const overtaken = await rawMqtt(mqtt.port, 5)
  overtaken.send(connectPacket('d', 5, { clean: false })) // wants the session to end with it
  await eventually(() => asked)
  const newer = await connected(mqtt, 'd', lasting)
  gate.resolve(undefined)
  await overtaken.end()
  newer.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 1 }] })
  await newer.next('suback')
  await leave(mqtt, newer)
  const back = await rawMqtt(mqtt.port, 5)
  back.send(connectPacket('d', 5, { clean: false, ...lasting }))
  expect((await back.next('connack')).sessionPresent).toBe(true)
  const publisher = await connected(mqtt, 'p')
  publisher.send({
    cmd: 'publish',
    topic: 't',
    payload: 'x',
    qos: 1,
    messageId: 1,
    retain: false,
    dup: false
  })
  expect((await back.next('publish')).payload.toString()).toBe('x')
})
