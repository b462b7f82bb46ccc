// Section 3.1.2.11: what the properties of CONNECT oblige the server to.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { connectPacket, rawMqtt, type RawMqtt } from '../raw-mqtt.ts'
import { connected, endCode, publish, receivedUntilNow, sharedServer, subscribe } from './suite.ts'

const server = sharedServer()

async function connecting(clientId: string, more: object): Promise<RawMqtt> {
  const client = await rawMqtt(server().port, 5)
  client.send(connectPacket(clientId, 5, more))
  return client
}

describe('limits that a client sets', () => {
  test('[MQTT-3.1.2-24] [MQTT-3.1.2-25] what is larger than its maximum packet size counts as sent', async () => {
    const properties = { maximumPacketSize: 40, receiveMaximum: 1 }
    const client = await connected(server(), 'small', 5, { properties })
    client.send(subscribe('small', 2))
    await client.next('suback')
    const publisher = await connected(server(), 'large', 5)
    const large = 'x'.repeat(100)
    for (let id = 1; id <= 6; id++) publisher.send(publish('small', large, { qos: id % 3, messageId: id }))
    expect(await receivedUntilNow(server(), client, 'small')).toEqual([])
    // A packet of exactly that size is sent: 40 = 2 + 2 + 5 + 1 + 30.
    const fitting = await connected(server(), 'fitting', 5, { properties })
    fitting.send(subscribe('small', 0))
    await fitting.next('suback')
    publisher.send(publish('small', 'y'.repeat(31)), publish('small', 'z'.repeat(30)))
    expect((await fitting.next('publish')).payload.toString()).toBe('z'.repeat(30))
  })

  test('[MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-11] no topic alias is sent, whether or not it takes some', async () => {
    for (const topicAliasMaximum of [0, 10]) {
      const topic = `unaliased/${topicAliasMaximum}`
      const client = await connected(server(), topic, 5, { properties: { topicAliasMaximum } })
      client.send(subscribe(topic, 0))
      await client.next('suback')
      const publisher = await connected(server(), `publisher-${topic}`, 5)
      const aliased = publish(topic, 'a', { properties: { topicAlias: 1 } })
      publisher.send(aliased, publish('', 'b', { properties: { topicAlias: 1 } }), publish(topic, 'c'))
      await eventually(() => client.all('publish').length === 3)
      for (const { topic: name, properties } of client.all('publish')) {
        expect([name, properties?.topicAlias]).toEqual([topic, undefined])
      }
    }
  })

  test('[MQTT-3.1.2-28] no response information is sent', async () => {
    for (const requestResponseInformation of [true, false]) {
      const client = await connecting('informed', { properties: { requestResponseInformation } })
      expect((await client.next('connack')).properties?.responseInformation).toBeUndefined()
    }
  })

  test('[MQTT-3.1.2-30] [MQTT-4.12.0-1] an authentication method is refused', async () => {
    const properties = { authenticationMethod: 'SCRAM-SHA-256', authenticationData: Buffer.from('x') }
    expect(await endCode(await connecting('scram', { properties }))).toBe(0x8c)
  })
})

describe('problem information', () => {
  const restricted = sharedServer({ access: [{ devices: ['*'], publish: ['open'], subscribe: ['open'] }] })

  test('[MQTT-3.1.2-29] who wants none gets no reason strings and user properties but in CONNACK and DISCONNECT', async () => {
    for (const requestProblemInformation of [true, false]) {
      const client = await connected(restricted(), 'problems', 5, {
        properties: { requestProblemInformation }
      })
      client.send(
        publish('closed', 'x', { qos: 1, messageId: 1 }),
        publish('closed', 'x', { qos: 2, messageId: 2 }),
        subscribe('closed', 0),
        { cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['closed'] },
        { cmd: 'pubrel', messageId: 9 }
      )
      const puback = await client.next('puback')
      const pubrec = await client.next('pubrec')
      const others = [
        await client.next('suback'),
        await client.next('unsuback'),
        await client.next('pubcomp')
      ]
      expect([puback.reasonCode, pubrec.reasonCode]).toEqual([0x87, 0x87])
      for (const { properties } of [puback, pubrec, ...others]) {
        const told = properties?.reasonString !== undefined || properties?.userProperties !== undefined
        expect(told && !requestProblemInformation).toBe(false)
      }
      expect(puback.properties?.reasonString !== undefined).toBe(requestProblemInformation)
      client.socket.end()
    }
  })
})
