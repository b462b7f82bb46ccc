// One event on its way to MQTT subscribers: what they see of it, encoded once for all who see the same.
import { Unpackr } from 'msgpackr'
import type { EventNotification } from '../../store/notification.ts'
import {
  encodePublish,
  type EncodedPublish,
  type OutgoingPublish,
  type WireVersion
} from './publish-encoder.ts'

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })

/** What one subscriber is to get: how its subscriptions see the message. */
export interface View {
  /** Highest QoS among the matching subscriptions. */
  qos: 0 | 1 | 2
  /** Whether the RETAIN flag is passed on. */
  retainAsPublished: boolean
  /** Subscription Identifiers of the matching subscriptions, if they have any. */
  identifiers: readonly number[] | undefined
}

/** An event as MQTT subscribers share it. */
export class Message {
  readonly event: EventNotification
  /** QoS it was published with; what came over TCP or HTTP was acknowledged, so counts as QoS 1. */
  readonly qos: 0 | 1 | 2
  /** Whether it answers a SUBSCRIBE from the retained messages, in place of coming from the log. */
  readonly retained: boolean
  #content: Pick<OutgoingPublish, 'payload' | 'properties'> | null = null
  readonly #encoded: (EncodedPublish | undefined)[] = []

  constructor(event: EventNotification, { retained = false } = {}) {
    this.event = event
    this.qos = event.mqtt?.qos ?? 1
    this.retained = retained
  }

  /** Whether its Message Expiry Interval has passed [MQTT-3.3.2-5]. */
  expired(now: number): boolean {
    const expiresAt = this.event.mqtt?.expiresAt
    return expiresAt !== undefined && expiresAt <= now
  }

  /** The PUBLISH for a view, at QoS `qos`. Shared by all with an equal view: not to be written to. */
  encode(view: View, qos: 0 | 1 | 2, version: WireVersion, now: number): EncodedPublish {
    const retain = this.retained || (view.retainAsPublished && (this.event.mqtt?.retain ?? false))
    if (version === 5 && view.identifiers !== undefined) return this.#encode(view, qos, retain, version, now)
    const variant = qos + (retain ? 3 : 0) + (version === 5 ? 6 : 0)
    return (this.#encoded[variant] ??= this.#encode(view, qos, retain, version, now))
  }

  // Not an options object: this runs for every delivery to subscribers with identifiers.
  #encode(view: View, qos: 0 | 1 | 2, retain: boolean, version: WireVersion, now: number): EncodedPublish {
    const { topic, mqtt } = this.event
    const message: OutgoingPublish = { topic, qos, retain, ...(this.#content ??= contentFor(this.event)) }
    if (version === 5) {
      if (mqtt?.expiresAt !== undefined)
        message.expiryS = Math.max(1, Math.ceil((mqtt.expiresAt - now) / 1000))
      if (view.identifiers !== undefined) message.identifiers = view.identifiers
    }
    return encodePublish(message, version)
  }
}

// MQTT's devices and dashboards read JSON, so a MessagePack value from a TCP device reaches them as JSON, and a lone
// binary value as its bytes. What a publisher sent over MQTT is passed on as it is, whatever it calls it.
function contentFor(event: EventNotification): Pick<OutgoingPublish, 'payload' | 'properties'> {
  const { payload, format, mqtt } = event
  if (format !== 'msgpack' || mqtt !== undefined) {
    return mqtt?.properties === undefined ? { payload } : { payload, properties: mqtt.properties }
  }
  let value: unknown
  try {
    value = unpackr.unpack(payload)
  } catch {
    return { payload, properties: { contentType: 'application/msgpack' } }
  }
  if (value instanceof Uint8Array) return { payload: value }
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'bigint'
      ? part.toString()
      : part instanceof Uint8Array
        ? Buffer.from(part).toString('base64')
        : part
  )
  return { payload: Buffer.from(text ?? 'null'), properties: { contentType: 'application/json' } }
}
