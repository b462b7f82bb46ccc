// One entry of a block: a MessagePack array
//   event:  [kind, at, device, severity, topic, payload, format, source, deviceAt | nil, mqtt | nil]
//   others: [kind, at, device, severity, packed rest]
// where kind, severity, format and source are indexes of their vocabularies, mqtt is
// [qos, retain, session, expiresAt | nil, packed properties | nil], and "packed" is MessagePack inside a bin.
import { Packr } from 'msgpackr'
import { kinds, severities, sources } from './notification.ts'
import type {
  Draft,
  EventDraft,
  EventNotification,
  Kind,
  MqttDetails,
  MqttProperties,
  Notification,
  Severity,
  Source
} from './notification.ts'
import { StoreError } from './errors.ts'
import type { MsgpackReader } from './msgpack-reader.ts'
import type { MsgpackWriter } from './msgpack-writer.ts'

const packr = new Packr({ useRecords: false })
const kindIndexes = { event: 0, presence: 1, alert: 2, delivery: 3 } satisfies Record<Kind, number>
const severityIndexes = { info: 0, warning: 1, minor: 2, major: 3, critical: 4 } satisfies Record<
  Severity,
  number
>
const sourceIndexes = { mqtt: 0, tcp: 1, http: 2, server: 3 } satisfies Record<Source, number>
const HEAD_BYTES = 96 // upper bound of an event's fixed parts and headers

/** Index of a kind, as stored. */
export function kindIndex(kind: Kind): number {
  return kindIndexes[kind]
}

/** Index of a severity, as stored. */
export function severityIndex(severity: Severity): number {
  return severityIndexes[severity]
}

/** Writes one entry. Returns where an event's payload begins in the block, or -1. */
export function writeEntry(writer: MsgpackWriter, draft: Draft, at: number): number {
  if (draft.kind === 'event') return writeEvent(writer, draft, at)
  const { kind, device, severity, ...rest } = draft
  const packed = packr.pack(rest)
  writer.reserve(HEAD_BYTES + device.length * 3 + packed.length)
  writer.byte(0x95)
  writer.byte(kindIndexes[kind])
  writer.uint64(at)
  writer.text(device)
  writer.byte(severityIndexes[severity])
  writer.binary(packed)
  return -1
}

function writeEvent(writer: MsgpackWriter, draft: EventDraft, at: number): number {
  const { device, topic, payload, mqtt } = draft
  writer.reserve(HEAD_BYTES + (device.length + topic.length) * 3 + payload.length)
  writer.byte(0x9a)
  writer.byte(0)
  writer.uint64(at)
  writer.text(device)
  writer.byte(severityIndexes[draft.severity])
  writer.text(topic)
  writer.binary(payload)
  const payloadAt = writer.length - payload.length
  writer.byte(draft.format === 'msgpack' ? 1 : 0)
  writer.byte(sourceIndexes[draft.source])
  if (draft.deviceAt === undefined) writer.nil()
  else writer.float64(draft.deviceAt)
  if (mqtt === undefined) writer.nil()
  else writeMqtt(writer, mqtt)
  return payloadAt
}

function writeMqtt(writer: MsgpackWriter, mqtt: MqttDetails): void {
  const packed = mqtt.properties === undefined ? null : packr.pack(mqtt.properties)
  writer.reserve(HEAD_BYTES + mqtt.session.length * 3 + (packed?.length ?? 0))
  writer.byte(0x95)
  writer.byte(mqtt.qos)
  writer.byte(mqtt.retain ? 1 : 0)
  writer.text(mqtt.session)
  if (mqtt.expiresAt === undefined) writer.nil()
  else writer.float64(mqtt.expiresAt)
  if (packed === null) writer.nil()
  else writer.binary(packed)
}

/** What filters look at, read without the rest of the entry. */
export interface EntryHead {
  kind: Kind
  device: string
  severity: Severity
  topic?: string
}

/** Reads what filters look at, an event's topic only where it is wanted, and steps over the rest of the entry. */
export function readHead(reader: MsgpackReader, withTopic: boolean): EntryHead {
  reader.array()
  const kind = vocabulary(kinds, reader.number())
  reader.number()
  const device = reader.text()
  const severity = vocabulary(severities, reader.number())
  if (kind !== 'event') {
    reader.skipBinary()
    return { kind, device, severity }
  }
  if (withTopic) {
    const topic = reader.text()
    skipAfterTopic(reader)
    return { kind, device, severity, topic }
  }
  reader.skipText()
  skipAfterTopic(reader)
  return { kind, device, severity }
}

/** Steps over one entry. */
export function skipEntry(reader: MsgpackReader): void {
  reader.array()
  const kind = reader.number()
  reader.number()
  reader.skipText()
  reader.number()
  if (kind !== kindIndexes.event) return reader.skipBinary()
  reader.skipText()
  skipAfterTopic(reader)
}

function skipAfterTopic(reader: MsgpackReader): void {
  reader.skipBinary()
  reader.number()
  reader.number()
  reader.number()
  skipMqtt(reader)
}

function skipMqtt(reader: MsgpackReader): void {
  if (reader.nil()) return
  reader.array()
  reader.number()
  reader.number()
  reader.skipText()
  reader.number()
  if (!reader.nil()) reader.skipBinary()
}

/** Reads one entry whole. An event's payload shares the reader's memory. */
export function readEntry(reader: MsgpackReader, seq: number): Notification {
  reader.array()
  const kind = vocabulary(kinds, reader.number())
  const at = reader.number() ?? 0
  const device = reader.text()
  const severity = vocabulary(severities, reader.number())
  if (kind !== 'event') {
    const rest = reader.packed() as object
    return { seq, at, kind, device, severity, ...rest } as Notification
  }
  const topic = reader.text()
  const payload = reader.binary()
  const format = reader.number() === 1 ? 'msgpack' : 'plain'
  const source = vocabulary(sources, reader.number())
  const event: EventNotification = { seq, at, kind, device, severity, topic, payload, format, source }
  const deviceAt = reader.number()
  if (deviceAt !== null) event.deviceAt = deviceAt
  const mqtt = readMqtt(reader)
  if (mqtt !== null) event.mqtt = mqtt
  return event
}

function readMqtt(reader: MsgpackReader): MqttDetails | null {
  if (reader.nil()) return null
  reader.array()
  const qos = reader.number() as MqttDetails['qos']
  const retain = reader.number() === 1
  const details: MqttDetails = { qos, retain, session: reader.text() }
  const expiresAt = reader.number()
  if (expiresAt !== null) details.expiresAt = expiresAt
  if (!reader.nil()) details.properties = reader.packed() as MqttProperties
  return details
}

function vocabulary<Word>(words: readonly Word[], index: number | null): Word {
  const word = words[index ?? -1]
  if (word === undefined)
    throw new StoreError('store-unreadable', `a block of the log is damaged: unknown index ${index}`)
  return word
}

/** MessagePack of MQTT details, for the tables. */
export function packMqtt(mqtt: MqttDetails): Uint8Array {
  return packr.pack(mqtt)
}
