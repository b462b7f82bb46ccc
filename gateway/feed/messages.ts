// The feed's messages as bytes and text: notifications and control messages. Pure.
import { formatCursor } from '../../store/cursor.ts'
import type { Notification } from '../../store/notification.ts'
import { JsonWriter } from './json-writer.ts'
import { writeNotification } from './notification-json.ts'
import { ownFields } from './own-fields.ts'
import { pack, payloadMessagePack } from './payload.ts'
import { binaryFrame, textFrame } from './web-socket-frame.ts'

/** The forms in which a feed is written. `sse` is JSON inside server-sent events. */
export type Format = 'json' | 'msgpack' | 'sse'

/** What the server says besides notifications. */
export type ControlMessage =
  | { type: 'subscribed'; id: string; cursor: string; recovered: boolean }
  | { type: 'gap'; id: string; from: string; to: string }
  | { type: 'error'; id?: string; code: string; message: string }
  | { type: 'pong' }

/** One notification of the log `epoch` as JSON text on a single line. */
export function notificationJson(epoch: string, notification: Notification): string {
  return notificationListJson(epoch, [notification])
}

/** Notifications of the log `epoch` as `notificationJson` writes each, with commas between them. */
export function notificationListJson(epoch: string, notifications: readonly Notification[]): string {
  const writer = new JsonWriter()
  for (const notification of notifications) {
    if (writer.length > 0) writer.json(',')
    writeNotification(writer, epoch, notification)
  }
  return writer.since(0).toString('utf8')
}

/** One notification of the log `epoch` as a MessagePack map. */
export function notificationMessagePack(epoch: string, notification: Notification): Buffer {
  const { seq, at, kind, device, severity } = notification
  const head = { cursor: formatCursor(epoch, seq), at, kind, device, severity }
  if (notification.kind !== 'event') return pack({ ...head, ...ownFields(notification) })
  const { topic, deviceAt, source } = notification
  // Packed as a map of one field fewer, to which the payload, packed already, is added at the end.
  const map = pack({ ...head, topic, source, ...(deviceAt === undefined ? {} : { deviceAt }) })
  const payload = payloadMessagePack(notification)
  const whole = Buffer.allocUnsafe(map.length + PAYLOAD_KEY.length + payload.length)
  whole.set(map)
  whole[0] = (map[0] ?? 0) + 1 // a fixmap of 7 or 8 fields
  whole.set(PAYLOAD_KEY, map.length)
  whole.set(payload, map.length + PAYLOAD_KEY.length)
  return whole
}

const PAYLOAD_KEY = Buffer.from('\xa7payload', 'latin1')

/** A notification on its way to subscribers: encoded when first asked for, once for each form. */
export class Entry {
  readonly notification: Notification
  readonly #shared: boolean
  #json: Buffer | null = null
  #msgpack: Buffer | null = null

  /** Not `shared`: it is written once, so that nothing is gained by keeping its JSON. */
  constructor(notification: Notification, { shared = true } = {}) {
    this.notification = notification
    this.#shared = shared
  }

  /** Writes it as JSON on a single line. */
  writeJson(writer: JsonWriter, epoch: string): void {
    if (this.#json !== null) return writer.raw(this.#json)
    const from = writer.length
    writeNotification(writer, epoch, this.notification)
    if (this.#shared) this.#json = Buffer.from(writer.since(from))
  }

  msgpack(epoch: string): Buffer {
    return (this.#msgpack ??= notificationMessagePack(epoch, this.notification))
  }
}

/** A control message as the bytes to write to a connection. */
export function encodeControl(format: Format, message: ControlMessage): Buffer {
  switch (format) {
    case 'json':
      return textFrame([Buffer.from(JSON.stringify(message))])
    case 'msgpack':
      return binaryFrame([pack(message)])
    case 'sse': {
      const { type, id: _, ...fields } = { id: '', ...message } // a stream is one subscription
      return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(fields)}\n\n`)
    }
  }
}
