// Decodes SUBSCRIBE and UNSUBSCRIBE. Pure.
import { isTopicFilter } from '../../store/topic-filter.ts'
import type {
  SubscribePacket,
  SubscriptionRequest,
  UnsubscribePacket,
  WireVersion
} from './client-packets.ts'
import { place, readProperties } from './properties-decoder.ts'
import { readPacketId } from './publish-decoder.ts'
import { reason } from './reason-codes.ts'
import { innerFilter, isShared } from './shared-filter.ts'
import { protocolError, WireError, type WireReader } from './wire-reader.ts'

const NO_LOCAL = 0x04
const RETAIN_AS_PUBLISHED = 0x08

/** Reads a SUBSCRIBE. `$share/` means a shared subscription in every version. */
export function decodeSubscribe(reader: WireReader, version: WireVersion): SubscribePacket {
  const messageId = readPacketId(reader)
  const properties = version === 5 ? readProperties(reader, place.subscribe) : undefined
  const subscriptions: SubscriptionRequest[] = []
  while (reader.at < reader.end) subscriptions.push(readRequest(reader, version))
  if (subscriptions.length === 0) throw protocolError('there is no topic filter') // [MQTT-3.8.3-2]
  return { cmd: 'subscribe', messageId, subscriptions, properties }
}

/** Reads an UNSUBSCRIBE. */
export function decodeUnsubscribe(reader: WireReader, version: WireVersion): UnsubscribePacket {
  const messageId = readPacketId(reader)
  const properties = version === 5 ? readProperties(reader, place.unsubscribe) : undefined
  const unsubscriptions: string[] = []
  while (reader.at < reader.end) unsubscriptions.push(readFilter(reader))
  if (unsubscriptions.length === 0) throw protocolError('there is no topic filter') // [MQTT-3.10.3-2]
  return { cmd: 'unsubscribe', messageId, unsubscriptions, properties }
}

function readRequest(reader: WireReader, version: WireVersion): SubscriptionRequest {
  const topic = readFilter(reader)
  const options = reader.byte('the subscription options')
  const reserved = version === 5 ? 0xc0 : 0xfc
  if ((options & reserved) !== 0) throw new WireError('a reserved bit of the subscription options is set') // [MQTT-3.8.3-5]
  const qos = options & 3
  const rh = (options >> 4) & 3
  const nl = (options & NO_LOCAL) !== 0
  if (qos === 3) throw protocolError('the QoS of a subscription is 3')
  if (rh === 3) throw protocolError('the retain handling of a subscription is 3')
  if (nl && isShared(topic)) throw protocolError('a shared subscription has no local set') // [MQTT-3.8.3-4]
  return {
    topic,
    qos: qos as 0 | 1 | 2,
    nl,
    rap: (options & RETAIN_AS_PUBLISHED) !== 0,
    rh: rh as 0 | 1 | 2
  }
}

function readFilter(reader: WireReader): string {
  const filter = reader.text('a topic filter')
  if (!isTopicFilter(filter) || (isShared(filter) && innerFilter(filter) === null)) {
    throw new WireError('a topic filter is malformed', reason.topicFilterInvalid)
  }
  return filter
}
