// What the conformance tests share: one server for the tests of a file, connected bare clients, and short packets.
import { afterAll, beforeAll } from '@jest/globals'
import { eventually } from '../../helpers/eventually.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { startMqtt, type Harness, type HarnessOptions } from '../mqtt-harness.ts'
import { connectPacket, rawMqtt, type RawMqtt } from '../raw-mqtt.ts'
import type { Version } from './wire.ts'

/** Starts one server for the tests of a describe block or file; tests keep apart by ids and topics of their own. */
export function sharedServer(options: Omit<HarnessOptions, 'dir'> = {}): () => Harness {
  let stack: AsyncDisposableStack | null = null
  let mqtt: Harness | null = null
  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    mqtt = stack.use(await startMqtt({ dir: folder.path, ...options }))
  })
  afterAll(() => stack?.disposeAsync())
  return () => {
    if (mqtt === null) throw new Error('the server is there in tests only')
    return mqtt
  }
}

/** A connection whose CONNECT was answered. `more` goes into the CONNECT. */
export async function connected(
  mqtt: Harness,
  clientId: string,
  version: Version,
  more: object = {}
): Promise<RawMqtt> {
  const client = await rawMqtt(mqtt.port, version)
  client.send(connectPacket(clientId, version, more))
  await client.next('connack')
  return client
}

/** A client that has subscribed to `filter`. */
export async function subscribed(
  mqtt: Harness,
  {
    clientId,
    version,
    filter,
    qos = 2
  }: { clientId: string; version: Version; filter: string; qos?: number },
  more: object = {}
): Promise<RawMqtt> {
  const client = await connected(mqtt, clientId, version, more)
  client.send(subscribe(filter, qos))
  await client.next('suback')
  return client
}

export function publish(topic: string, payload: string, more: object = {}): object {
  return { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false, ...more }
}

/** SUBSCRIBE for one filter; `more` are its subscription options. */
export function subscribe(topic: string, qos: number, more: object = {}): object {
  return { cmd: 'subscribe', messageId: 7, subscriptions: [{ topic, qos, ...more }] }
}

/** The code of the CONNACK that is asked for next, whichever its version calls it. */
export async function connackCode(client: RawMqtt): Promise<number | undefined> {
  const { reasonCode, returnCode } = await client.next('connack')
  return reasonCode ?? returnCode
}

/** Waits for the end of the connection; what the last DISCONNECT or refusing CONNACK said, or null without one. */
export async function endCode(client: RawMqtt): Promise<number | null> {
  await client.end()
  const last = client.packets.at(-1)
  if (last?.cmd === 'disconnect') return last.reasonCode ?? 0
  if (last?.cmd !== 'connack') return null
  return (last.reasonCode ?? last.returnCode) || null
}

/** How a connection ends where MQTT 5 has a reason code to tell and earlier versions have none. */
export function told(version: Version, code: number): number | null {
  return version === 5 ? code : null
}

/** What a client is sent up to a message that is published now, which its subscriptions must match. */
export async function receivedUntilNow(mqtt: Harness, client: RawMqtt, topic: string): Promise<string[]> {
  const payloads = () => client.all('publish').map(({ payload }) => payload.toString())
  const ends = () => payloads().filter(payload => payload === 'end').length
  const earlier = ends()
  const publisher = await connected(mqtt, `publisher of ${topic}`, 4)
  publisher.send(publish(topic, 'end', { qos: 1, messageId: 1 }))
  await publisher.next('puback')
  publisher.socket.end()
  await eventually(() => ends() > earlier && payloads().at(-1) === 'end', {
    what: `the last message on ${topic}`
  })
  return payloads().slice(0, -1)
}

/** Resolves when the server has handled everything this client sent before. */
export async function settled(client: RawMqtt): Promise<void> {
  client.send({ cmd: 'pingreq' })
  await client.next('pingresp')
}
