// Shared subscriptions (MQTT 5.0 section 4.8.2), which clients of the older versions may make too.
import { describe, expect, test } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import type { RawMqtt } from '../raw-mqtt.ts'
import { durable, grants, heard, lost, names, payloads, published, refused } from './conversation.ts'
import { connected, publish, settled, sharedServer } from './suite.ts'
import { bytes, noProperties, packet, text, uint16, versions, type Version } from './wire.ts'

const server = sharedServer()
const name = names()
const client = (version: Version, more: object = {}) => connected(server(), name('c'), version, more)

/** Members of a share of a topic of its own, and a publisher. */
async function shareOf(qos: number, version: Version = 5) {
  const topic = name('t')
  const filter = `$share/${name('group')}/${topic}`
  const ids = [name('m'), name('m')] as const
  const join = async (clientId: string) => {
    const member = await connected(server(), clientId, version, durable(version))
    expect(await grants(member, filter, { qos })).toEqual([qos])
    return member
  }
  const publisher = await client(version)
  return { topic, filter, ids, join, publisher }
}

const together = (...members: RawMqtt[]) => members.flatMap(payloads)

describe.each(versions)('shared subscriptions, protocol level %i', version => {
  test.each(['$share//t', '$share/', '$share/g', '$share/g/', '$share/g/a#', '$share/g/#/a'])(
    '[MQTT-4.8.2-1] [MQTT-4.8.2-2] “%s” has no share name or no topic filter and ends the connection',
    async filter => {
      const member = await client(version)
      member.sendBytes(packet(0x82, uint16(1), noProperties(version), text(filter), bytes(0)))
      await refused(member, version, 0x8f)
    }
  )

  test.each(['$share/+/t', '$share/#/t', '$share/a+/t', '$share/#a/t'])(
    '[MQTT-4.8.2-2] “%s” has a wildcard in the share name and ends the connection',
    async filter => {
      const member = await client(version)
      member.sendBytes(packet(0x82, uint16(1), noProperties(version), text(filter), bytes(0)))
      await refused(member, version, 0x8f)
    }
  )

  test('[MQTT-4.8.2-1] each message goes to one member of each share, and to every ordinary subscription', async () => {
    const { topic, ids, join, publisher } = await shareOf(1, version)
    const [first, second] = [await join(ids[0]), await join(ids[1])]
    const other = await client(version)
    await grants(other, `$share/${name('group')}/${topic}`, { qos: 1 })
    const ordinary = await client(version)
    await grants(ordinary, topic, { qos: 1 })
    const expected = Array.from({ length: 20 }, (_, index) => String(index))
    for (const payload of expected) await published(publisher, topic, payload)
    expect(await heard(server(), ordinary)).toEqual(expected)
    expect(await heard(server(), other)).toEqual(expected)
    await heard(server(), first)
    await heard(server(), second)
    expect(together(first, second).toSorted()).toEqual(expected.toSorted())
    expect(payloads(first).length).toBeGreaterThan(0)
    expect(payloads(second).length).toBeGreaterThan(0)
  })

  test('[MQTT-4.8.2-2] what follows the share name is a filter with wildcards and empty levels', async () => {
    const member = await client(version)
    const group = name('group')
    const topic = name('t')
    expect(
      await grants(member, [`$share/${group}//${topic}`, `$share/${group}/${topic}/+/#`], { qos: 1 })
    ).toEqual([1, 1])
    for (const name of [`/${topic}`, topic, `${topic}/a`, `${topic}/a/b`]) await published(member, name, name)
    expect(await heard(server(), member)).toEqual([`/${topic}`, `${topic}/a`, `${topic}/a/b`])
  })
})

describe('shared subscriptions of MQTT 5', () => {
  test('[MQTT-4.8.2-3] each member gets messages at its own QoS, and that of the message at most', async () => {
    const { topic, filter, publisher } = await shareOf(0)
    const members = await Promise.all(
      [0, 1, 2].map(async qos => {
        const member = await client(5)
        expect(await grants(member, filter, { qos })).toEqual([qos])
        return member
      })
    )
    for (const qos of [0, 1, 2]) {
      for (let round = 0; round < 6; round++)
        publisher.send(publish(topic, `${qos}`, { qos, ...(qos > 0 && { messageId: 1 + qos * 10 + round }) }))
    }
    await eventually(() => together(...members).length === 18)
    for (const [granted, member] of members.entries()) {
      expect(payloads(member).length).toBeGreaterThan(0)
      for (const { qos, payload } of member.all('publish'))
        expect(qos).toBe(Math.min(granted, Number(payload.toString())))
    }
  })

  test('[MQTT-4.8.2-4] a QoS 2 message whose member is gone is completed by that member when it is back', async () => {
    const { topic, ids, join, publisher } = await shareOf(2)
    const first = await join(ids[0])
    publisher.send(publish(topic, 'm', { qos: 2, messageId: 1 }))
    const { messageId } = await first.next('publish')
    const second = await join(ids[1])
    await lost(first)
    await published(publisher, topic, 'next')
    await second.next('publish')
    expect(await heard(server(), second)).toEqual(['next'])
    const back = await connected(server(), ids[0], 5, durable(5))
    const again = await back.next('publish')
    expect([again.messageId, again.dup, again.payload.toString()]).toEqual([messageId, true, 'm'])
    back.send({ cmd: 'pubrec', messageId })
    await back.next('pubrel')
    back.send({ cmd: 'pubcomp', messageId })
    await settled(back)
  })

  test('[MQTT-4.8.2-5] a QoS 2 message whose member’s session has ended goes to nobody else', async () => {
    const { topic, ids, join, publisher } = await shareOf(2)
    const first = await join(ids[0])
    publisher.send(publish(topic, 'm', { qos: 2, messageId: 1 }))
    await first.next('publish')
    const second = await join(ids[1])
    await lost(first)
    const anew = await connected(server(), ids[0], 5) // a clean start ends the session
    await settled(anew)
    await published(publisher, topic, 'next')
    await second.next('publish')
    expect(await heard(server(), second)).toEqual(['next'])
    expect(await heard(server(), anew)).toEqual([])
  })

  test.each([
    ['PUBACK', 1, 0x40],
    ['PUBREC', 2, 0x50]
  ])(
    '[MQTT-4.8.2-6] a message that was answered by %s with an error goes to nobody else',
    async (_kind, qos, header) => {
      const { topic, ids, join, publisher } = await shareOf(qos)
      const first = await join(ids[0])
      publisher.send(publish(topic, 'm', { qos, messageId: 1 }))
      const { messageId = 0 } = await first.next('publish')
      const second = await join(ids[1])
      first.sendBytes(packet(header, uint16(messageId), bytes(0x80)))
      await settled(first)
      await lost(first)
      await published(publisher, topic, 'next')
      await second.next('publish')
      expect(await heard(server(), second)).toEqual(['next'])
      const back = await connected(server(), ids[0], 5, durable(5))
      expect(await heard(server(), back)).toEqual([])
    }
  )

  test('a QoS 1 message that a member left unacknowledged goes to another one', async () => {
    const { topic, ids, join, publisher } = await shareOf(1)
    const first = await join(ids[0])
    await published(publisher, topic, 'm')
    await first.next('publish')
    const second = await join(ids[1])
    await lost(first)
    const again = await second.next('publish')
    expect([again.payload.toString(), again.dup]).toEqual(['m', false])
  })

  test('retained messages are not sent for a shared subscription, whatever its Retain Handling', async () => {
    const member = await client(5)
    const topic = name('t')
    await published(member, topic, 'kept', { retain: true })
    for (const rh of [0, 1, 2]) await grants(member, `$share/${name('group')}/${topic}`, { qos: 1, rh })
    expect(await heard(server(), member)).toEqual([])
  })

  test('it is unsubscribed by its whole name', async () => {
    const { topic, filter, join, ids, publisher } = await shareOf(1)
    const member = await join(ids[0])
    member.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: [topic, filter, filter] })
    expect((await member.next('unsuback')).granted).toEqual([0x11, 0, 0x11])
    await published(publisher, topic, 'unheard')
    expect(await heard(server(), member)).toEqual([])
  })

  test('CONNACK says that shared subscriptions are there', async () => {
    const member = await client(5)
    expect(member.all('connack')[0]?.properties?.sharedSubscriptionAvailable ?? true).toBe(true)
  })
})
