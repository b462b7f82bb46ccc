// Reads the body of POST /v1/events. Pure.
import type { EventDraft } from '../../store/notification.ts'
import { isTopicName } from '../../store/topic-filter.ts'
import { GatewayError } from '../errors.ts'

/** Longest device id, in bytes of UTF-8. */
export const DEVICE_BYTES_MAX = 256

const fields = new Set(['device', 'topic', 'payload', 'encoding', 'deviceAt'])

/** Whether the text can be a device's id: 1 to 256 bytes, no control characters. */
export function isDeviceId(text: string): boolean {
  return (
    text !== '' && Buffer.byteLength(text) <= DEVICE_BYTES_MAX && !/\p{Cc}/u.test(text) && text.isWellFormed()
  )
}

/** One event, or a list of them, as drafts; throws `request-invalid` with every problem found in the first bad event. */
export function parseEvents(body: unknown): EventDraft[] {
  if (!Array.isArray(body)) return [parseEvent(body, 'body')]
  if (body.length === 0) throw invalid('body', 'the list of events is empty')
  return body.map((event, index) => parseEvent(event, `body/${index}`))
}

function parseEvent(event: unknown, path: string): EventDraft {
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw invalid(path, 'an event must be an object {device, topic, payload}')
  const { device, topic, payload, encoding, deviceAt } = event as Record<string, unknown>
  const unknown = Object.keys(event).find(field => !fields.has(field))
  if (unknown !== undefined) throw invalid(path, `an event has no field "${unknown.slice(0, 40)}"`)
  if (typeof device !== 'string' || !isDeviceId(device))
    throw invalid(
      `${path}/device`,
      `must be a text of 1 to ${DEVICE_BYTES_MAX} bytes without control characters`
    )
  if (typeof topic !== 'string' || !isTopicName(topic) || topic.startsWith('$'))
    throw invalid(`${path}/topic`, 'must be an MQTT topic name: no wildcards, and no $ at its beginning')
  if (deviceAt !== undefined && (typeof deviceAt !== 'number' || !Number.isSafeInteger(deviceAt)))
    throw invalid(`${path}/deviceAt`, 'must be a whole number of ms since 1970')
  const bytes = payloadBytes(payload, encoding, path)
  return {
    kind: 'event',
    device,
    severity: 'info',
    topic,
    payload: bytes,
    format: 'plain',
    source: 'http',
    ...(deviceAt === undefined ? {} : { deviceAt })
  }
}

/** A text goes as it is, any other value as its JSON; with `encoding: "base64"` the bytes that the text stands for. */
function payloadBytes(payload: unknown, encoding: unknown, path: string): Buffer {
  if (payload === undefined) throw invalid(`${path}/payload`, 'is missing; it may be any JSON value')
  if (encoding === undefined)
    return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  if (encoding !== 'base64') throw invalid(`${path}/encoding`, 'must be "base64" or absent')
  if (
    typeof payload !== 'string' ||
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(payload)
  )
    throw invalid(`${path}/payload`, 'is not base64')
  return Buffer.from(payload, 'base64')
}

function invalid(path: string, message: string): GatewayError {
  return new GatewayError('request-invalid', `${path} ${message}`, { extra: { errors: [{ path, message }] } })
}
