// One notification as JSON on a single line, as bytes. Pure.
import { kinds, severities, sources } from '../../store/notification.ts'
import type { EventNotification, Notification } from '../../store/notification.ts'
import type { JsonWriter } from './json-writer.ts'
import { ownFields } from './own-fields.ts'
import { writePayload } from './payload.ts'

// What stands between the values.
const CURSOR = Buffer.from('{"cursor":"')
const DASH = Buffer.from('-')
const AT = Buffer.from('","at":')
const KIND_DEVICE = partsOf(kinds, kind => `,"kind":"${kind}","device":`)
const SEVERITY = partsOf(severities, severity => `,"severity":"${severity}"`)
const TOPIC = Buffer.from(',"topic":')
const PAYLOAD = Buffer.from(',"payload":')
const ENCODING = Buffer.from(',"encoding":"base64"')
const DEVICE_AT = Buffer.from(',"deviceAt":')
const SOURCE_END = partsOf(sources, source => `,"source":"${source}"}`)

/** Writes a notification of the log `epoch`, its cursor as `formatCursor` would. */
export function writeNotification(writer: JsonWriter, epoch: string, notification: Notification): void {
  writer.raw(CURSOR)
  writer.json(epoch)
  writer.raw(DASH)
  writer.base36(notification.seq)
  writer.raw(AT)
  writer.number(notification.at)
  writer.raw(KIND_DEVICE[notification.kind])
  writer.text(notification.device)
  writer.raw(SEVERITY[notification.severity])
  if (notification.kind === 'event') writeEventFields(writer, notification)
  else writer.json(`,${JSON.stringify(ownFields(notification)).slice(1)}`)
}

function writeEventFields(writer: JsonWriter, event: EventNotification): void {
  const { topic, deviceAt, source } = event
  writer.raw(TOPIC)
  writer.text(topic)
  writer.raw(PAYLOAD)
  if (writePayload(writer, event) === 'base64') writer.raw(ENCODING)
  if (deviceAt !== undefined) {
    writer.raw(DEVICE_AT)
    writer.number(deviceAt)
  }
  writer.raw(SOURCE_END[source])
}

/** The text of each word, as bytes. */
function partsOf<Word extends string>(
  words: readonly Word[],
  text: (word: Word) => string
): Record<Word, Buffer> {
  return Object.fromEntries(words.map(word => [word, Buffer.from(text(word))])) as Record<Word, Buffer>
}
