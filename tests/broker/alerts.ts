// Alerts put into a server's log, and MQTT clients that keep what they get, for tests of this folder.
import type { IClientOptions, IPublishPacket, ISubscriptionMap, MqttClient } from 'mqtt'
import { hashToken, newToken } from '../../store/credentials.ts'
import type { AlertDraft, Draft, EventDraft } from '../../store/notification.ts'
import type { Role, Store } from '../../store/store.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Harness } from './mqtt-harness.ts'

/** A draft of an alert's notification: raised, unless it says otherwise. */
export function alertDraft(changes: Partial<AlertDraft> = {}): AlertDraft {
  return {
    kind: 'alert',
    device: 'freezer-7',
    severity: 'critical',
    alert: 'a1',
    rule: 'too-warm',
    key: 'freezer-7',
    state: 'firing',
    change: 'raised',
    title: 'Freezer 7 is at -9 °C',
    detail: '',
    count: 1,
    firstAt: 1000,
    cause: '',
    ...changes
  }
}

export const resolved: Partial<AlertDraft> = { state: 'resolved', change: 'resolved' }

/** A draft of an event that came over HTTP. */
export function eventDraft(text: string, topic = 't', changes: Partial<EventDraft> = {}): EventDraft {
  const payload = Buffer.from(text)
  const common = { kind: 'event', device: 'pump', severity: 'info', format: 'plain', source: 'http' } as const
  return { ...common, topic, payload, ...changes }
}

/** Appends all, in order, as one commit; resolves when it is durable. */
export function append(store: Store, ...drafts: Draft[]): Promise<void> {
  return new Promise((resolve, reject) => {
    store.log.transact({ drafts, changes: [] }, error => (error ? reject(error) : resolve()))
  })
}

/** Makes a token of an operator. Returns it. */
export async function operatorToken(store: Store, id = 'o1', role: Role = 'viewer'): Promise<string> {
  const token = newToken()
  await store.tokens.put({ id, hash: hashToken(token), role, name: id, createdAt: 0 })
  return token
}

/** A message as a client got it. */
export interface Got {
  topic: string
  text: string
  packet: IPublishPacket
}

/** A client that keeps what it gets. */
export interface Listener {
  client: MqttClient
  got: Got[]
  /** Waits until so many messages came in all. */
  count(count: number): Promise<Got[]>
}

/** Connects an MQTT 5 client, and subscribes where it has no session yet. */
export async function listen(
  mqtt: Harness,
  subscriptions: ISubscriptionMap,
  options: IClientOptions = {}
): Promise<Listener> {
  const client = mqtt.connectLater({ protocolVersion: 5, ...options })
  const got: Got[] = []
  client.on('message', (topic, payload, packet) => got.push({ topic, text: payload.toString(), packet }))
  const present = await new Promise<boolean>((resolve, reject) => {
    client.once('connect', ({ sessionPresent }) => resolve(sessionPresent))
    client.once('error', reject)
  })
  if (!present && Object.keys(subscriptions).length > 0) await client.subscribeAsync(subscriptions)
  const count = (wanted: number) =>
    eventually(() => got.length >= wanted && got, { what: `${wanted} messages` })
  return { client, got, count }
}
