// The feed's messages as bytes and text: notifications, batches of them, and control messages. Pure.
import { alertFields } from '../../store/alert-message.ts'
import { formatCursor } from '../../store/cursor.ts'
import type { Notification } from '../../store/notification.ts'
import { pack, payloadJson, payloadMessagePack } from './payload.ts'

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
  const { seq, at, kind, device, severity } = notification
  const head = `{"cursor":"${formatCursor(epoch, seq)}","at":${at},"kind":"${kind}","device":${JSON.stringify(device)},"severity":"${severity}"`
  if (notification.kind !== 'event') return `${head},${JSON.stringify(ownFields(notification)).slice(1)}`
  const { topic, deviceAt, source } = notification
  const { json, base64 } = payloadJson(notification)
  const time = deviceAt === undefined ? '' : `,"deviceAt":${jsonNumber(deviceAt)}`
  return `${head},"topic":${JSON.stringify(topic)},"payload":${json}${base64 ? ',"encoding":"base64"' : ''}${time},"source":"${source}"}`
}

function jsonNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
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

/** The fields that the kind adds to those all notifications have. */
function ownFields(notification: Exclude<Notification, { kind: 'event' }>): object {
  switch (notification.kind) {
    case 'presence': {
      const { status, reason, session, order } = notification
      return { status, reason, session, order }
    }
    case 'alert':
      return alertFields(notification)
    case 'delivery': {
      const { alert, alerts, delivery, channel, attempt, outcome, detail, cause } = notification
      return { alert, ...(alerts && { alerts }), delivery, channel, attempt, outcome, detail, cause }
    }
  }
}

/** A notification on its way to subscribers: encoded when first asked for, once for each form. */
export class Entry {
  readonly notification: Notification
  #json: string | null = null
  #msgpack: Buffer | null = null

  constructor(notification: Notification) {
    this.notification = notification
  }

  json(epoch: string): string {
    return (this.#json ??= notificationJson(epoch, this.notification))
  }

  msgpack(epoch: string): Buffer {
    return (this.#msgpack ??= notificationMessagePack(epoch, this.notification))
  }
}

export interface BatchOptions {
  epoch: string
  /** The subscription's id; unused by `sse`. */
  id: string
  /** Everything up to here was sent or filtered out. */
  through: number
}

/** A batch of notifications as the bytes to write to a connection: a whole WebSocket frame, or events. */
export function encodeBatch(format: Format, entries: readonly Entry[], options: BatchOptions): Buffer {
  const { epoch, id, through } = options
  const cursor = formatCursor(epoch, through)
  switch (format) {
    case 'json': {
      const items = entries.map(entry => entry.json(epoch)).join(',')
      const head = `{"type":"notifications","id":${JSON.stringify(id)},"items":[`
      return textFrame([head, items, `],"cursor":"${cursor}"}`])
    }
    case 'msgpack': {
      const items = entries.map(entry => entry.msgpack(epoch))
      const head = Buffer.concat([HEAD, pack(id), ITEMS_KEY, arrayHeader(items.length)])
      return binaryFrame([head, ...items, CURSOR_KEY, pack(cursor)])
    }
    case 'sse':
      return Buffer.from(entries.map(entry => sseNotification(epoch, entry)).join(''))
  }
}

const HEAD = Buffer.from('\x84\xa4type\xadnotifications\xa2id', 'latin1')
const ITEMS_KEY = Buffer.from('\xa5items', 'latin1')
const CURSOR_KEY = Buffer.from('\xa6cursor', 'latin1')

function arrayHeader(count: number): Buffer {
  if (count < 16) return Buffer.of(0x90 | count)
  const header = Buffer.alloc(5, 0xdd)
  header.writeUInt32BE(count, 1)
  return header
}

function sseNotification(epoch: string, entry: Entry): string {
  return `id: ${formatCursor(epoch, entry.notification.seq)}\nevent: notification\ndata: ${entry.json(epoch)}\n\n`
}

/** A control message as the bytes to write to a connection. */
export function encodeControl(format: Format, message: ControlMessage): Buffer {
  switch (format) {
    case 'json':
      return textFrame([JSON.stringify(message)])
    case 'msgpack':
      return binaryFrame([pack(message)])
    case 'sse': {
      const { type, id: _, ...fields } = { id: '', ...message } // a stream is one subscription
      return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(fields)}\n\n`)
    }
  }
}

/**
 * Tells a quiet subscriber how far it has come, so that it resumes from there and not from a place that retention may
 * have passed: a batch without items, or an event without data, which moves `Last-Event-ID` and fires nothing.
 */
export function encodeProgress(format: Format, options: BatchOptions): Buffer {
  if (format !== 'sse') return encodeBatch(format, [], options)
  return Buffer.from(`: heartbeat\nid: ${formatCursor(options.epoch, options.through)}\n\n`)
}

const FIN_TEXT = 0x81
const FIN_BINARY = 0x82

/** The parts one after the other. Joined as text first, the largest of them would be copied once more. */
function textFrame(parts: readonly string[]): Buffer {
  const lengths = parts.map(part => Buffer.byteLength(part))
  const whole = allocateFrame(
    FIN_TEXT,
    lengths.reduce((sum, length) => sum + length, 0)
  )
  let at = whole.at
  for (const [index, part] of parts.entries()) {
    const ascii = lengths[index] === part.length // ASCII throughout when the lengths agree
    at += whole.frame.write(part, at, ascii ? 'latin1' : 'utf8')
  }
  return whole.frame
}

function binaryFrame(parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const whole = allocateFrame(FIN_BINARY, length)
  let at = whole.at
  for (const part of parts) {
    whole.frame.set(part, at)
    at += part.length
  }
  return whole.frame
}

/** An unmasked WebSocket frame (RFC 6455 section 5.2) with room for its payload at `at`. */
function allocateFrame(head: number, length: number): { frame: Buffer; at: number } {
  const at = length < 126 ? 2 : length < 65_536 ? 4 : 10
  // Memory of its own: a part of a shared pool would keep the pool alive while one slow socket holds it.
  const frame = Buffer.allocUnsafeSlow(at + length)
  frame[0] = head
  frame[1] = at === 2 ? length : at === 4 ? 126 : 127
  if (at === 4) frame.writeUInt16BE(length, 2)
  if (at === 10) frame.writeBigUInt64BE(BigInt(length), 2)
  return { frame, at }
}
