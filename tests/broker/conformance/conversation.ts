// Turns of a conversation that the tests of sessions, subscriptions and acknowledgements have in common.
import { randomUUID } from 'node:crypto'
import { expect } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import type { Harness } from '../mqtt-harness.ts'
import type { RawMqtt } from '../raw-mqtt.ts'
import { publish } from './suite.ts'
import type { Version } from './wire.ts'

/** Names that no other test of a file uses. */
export function names(): (name: string) => string {
  let count = 0
  return name => `${name}-${++count}`
}

/** What makes a session outlive its connection; goes into CONNECT. */
export function durable(version: Version): object {
  return version === 5 ? { clean: false, properties: { sessionExpiryInterval: 1000 } } : { clean: false }
}

/** Subscribes and gives back SUBACK's codes. */
export async function grants(
  client: RawMqtt,
  filters: string | readonly string[],
  { qos = 0, properties, ...options }: { qos?: number; properties?: object; [option: string]: unknown } = {}
): Promise<readonly unknown[]> {
  const subscriptions = [filters].flat().map(topic => ({ topic, qos, ...options }))
  client.send({ cmd: 'subscribe', messageId: 1234, subscriptions, ...(properties && { properties }) })
  return (await client.next('suback')).granted
}

/** Publishes at QoS 1 and waits until that is durable. */
export async function published(
  client: RawMqtt,
  topic: string,
  payload: string,
  more: object = {}
): Promise<void> {
  client.send(publish(topic, payload, { qos: 1, messageId: 4321, ...more }))
  await client.next('puback')
}

/** Publishes one message at QoS 2, whole. */
export async function publishedTwice(client: RawMqtt, topic: string, payload: string): Promise<void> {
  client.send(publish(topic, payload, { qos: 2, messageId: 4322 }))
  await client.next('pubrec')
  client.send({ cmd: 'pubrel', messageId: 4322 })
  await client.next('pubcomp')
}

/** Ends the connection without a word, as a lost network does. */
export async function lost(client: RawMqtt): Promise<void> {
  client.socket.resetAndDestroy()
  await client.end()
}

/** Ends the connection with a plain DISCONNECT. */
export async function left(client: RawMqtt): Promise<void> {
  client.send({ cmd: 'disconnect' })
  await client.end()
}

/** The server ended the connection: in MQTT 5 with DISCONNECT and one of these codes, in the older versions without a word. */
export async function refused(client: RawMqtt, version: Version, ...codes: number[]): Promise<void> {
  await client.end()
  const goodbyes = client.all('disconnect')
  expect(goodbyes).toHaveLength(version === 5 ? 1 : 0)
  for (const goodbye of goodbyes) expect(codes).toContain(goodbye.reasonCode)
}

const MARKER = 'marker/'

/** The payloads of what was received so far. */
export function payloads(client: RawMqtt): string[] {
  const messages = client.all('publish').filter(({ topic }) => !topic.startsWith(MARKER))
  return messages.map(({ payload }) => payload.toString())
}

/**
 * The payloads of everything that was published for a client before. The log delivers in order: when a message that is
 * published now has arrived, nothing older is on its way.
 */
export async function heard(mqtt: Harness, client: RawMqtt): Promise<string[]> {
  const marker = `${MARKER}${randomUUID()}`
  await grants(client, marker)
  mqtt.store.log.append(
    {
      kind: 'event',
      device: 'marker',
      severity: 'info',
      topic: marker,
      payload: Buffer.alloc(0),
      format: 'plain',
      source: 'mqtt',
      mqtt: { qos: 0, retain: false, session: '' }
    },
    null
  )
  await eventually(() => client.all('publish').some(({ topic }) => topic === marker), { what: 'the marker' })
  return payloads(client)
}
