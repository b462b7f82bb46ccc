// The wire format of the raw TCP protocol, both ways and for both sides: bytes in, messages out, and back. Pure.
// docs/protocol/tcp.md describes it; docs/protocol/vectors/tcp.json has examples of every message and every error.
import { FrameWriter, textCapacity } from './frame-writer.ts'
import { decode, readDeviceMessage, readServerMessage, type DecodeOptions } from './message-reader.ts'
import {
  messageTypes,
  type Command,
  type DeviceMessage,
  type EventMessage,
  type EventsMessage,
  type FrameProblem,
  type Hello,
  type Result,
  type ServerMessage,
  type Welcome
} from './messages.ts'
import type { FrameExtent } from './value-reader.ts'

export { FrameReader } from './frame-reader.ts'
export type { FrameExtent } from './value-reader.ts'

const INTEGER_BYTES = 9

/** Decodes one frame, without its length, that a device sent. Payloads share memory with the frame. */
export function decodeDeviceFrame(frame: Buffer, options: DecodeOptions): DeviceMessage | FrameProblem {
  return decode(extentOf(frame), options, readDeviceMessage)
}

/** The same where the frame lies; an event's topic is `likelyTopic` itself where it equals that. */
export function decodeDeviceFrameAt(
  frame: FrameExtent,
  options: DecodeOptions,
  likelyTopic: string
): DeviceMessage | FrameProblem {
  return decode(frame, options, readDeviceMessage, likelyTopic)
}

/** Decodes one frame, without its length, that a server sent. Payloads share memory with the frame. */
export function decodeServerFrame(frame: Buffer, options: DecodeOptions): ServerMessage | FrameProblem {
  return decode(extentOf(frame), options, readServerMessage)
}

function extentOf(bytes: Buffer): FrameExtent {
  return { bytes, start: 0, end: bytes.length }
}

/** A device's hello; null fields are left out. */
export function encodeHello({ version, device, token, keepaliveS, stream }: Omit<Hello, 'type'>): Buffer {
  const tokenCapacity =
    token === null ? 0 : typeof token === 'string' ? textCapacity(token) : token.length + 5
  const writer = new FrameWriter(64 + textCapacity(device) + tokenCapacity + textCapacity(stream ?? ''))
  const optional = [token, keepaliveS, stream].filter(value => value !== null).length
  writer
    .array(2)
    .integer(messageTypes.hello)
    .map(2 + optional)
  writer.text('v').integer(version).text('device').text(device)
  if (typeof token === 'string') writer.text('token').text(token)
  else if (token !== null) writer.text('token').bytes(token)
  if (keepaliveS !== null) writer.text('keepaliveS').integer(keepaliveS)
  if (stream !== null) writer.text('stream').text(stream)
  return writer.frame()
}

/** One event; `payload` is one MessagePack value. */
export function encodeEvent({ seq, topic, payload, deviceAt }: Omit<EventMessage, 'type'>): Buffer {
  const writer = new FrameWriter(2 + 2 * INTEGER_BYTES + textCapacity(topic) + payload.length)
  writer.array(deviceAt === undefined ? 4 : 5).integer(messageTypes.event)
  writer.integer(seq).text(topic).encoded(payload)
  if (deviceAt !== undefined) writer.time(deviceAt)
  return writer.frame()
}

/** Several events with consecutive sequence numbers from `firstSeq` on. */
export function encodeEvents({ firstSeq, events }: Omit<EventsMessage, 'type'>): Buffer {
  let capacity = 7 + INTEGER_BYTES
  for (const { topic, payload } of events)
    capacity += 1 + INTEGER_BYTES + textCapacity(topic) + payload.length
  const writer = new FrameWriter(capacity)
  writer.array(3).integer(messageTypes.events).integer(firstSeq).array(events.length)
  for (const { topic, payload, deviceAt } of events) {
    writer
      .array(deviceAt === undefined ? 2 : 3)
      .text(topic)
      .encoded(payload)
    if (deviceAt !== undefined) writer.time(deviceAt)
  }
  return writer.frame()
}

export function encodePing(): Buffer {
  return new FrameWriter(2).array(1).integer(messageTypes.ping).frame()
}

/** Answer to a command; `payload` is one MessagePack value. */
export function encodeResult({ id, ok, payload }: Omit<Result, 'type'>): Buffer {
  const writer = new FrameWriter(3 + INTEGER_BYTES + payload.length)
  return writer.array(4).integer(messageTypes.result).integer(id).boolean(ok).encoded(payload).frame()
}

/** A device's goodbye. */
export function encodeDeviceBye(reason: string): Buffer {
  const writer = new FrameWriter(2 + textCapacity(reason))
  return writer.array(2).integer(messageTypes.bye).text(reason).frame()
}

export function encodeWelcome(welcome: Omit<Welcome, 'type'>): Buffer {
  const { session, lastSeq, windowEvents, frameBytesMax } = welcome
  const writer = new FrameWriter(64 + 3 * INTEGER_BYTES + textCapacity(session))
  writer.array(2).integer(messageTypes.welcome).map(4)
  writer.text('session').text(session).text('lastSeq').integer(lastSeq)
  writer.text('windowEvents').integer(windowEvents).text('frameBytesMax').integer(frameBytesMax)
  return writer.frame()
}

/** Everything up to `seq` is taken. */
export function encodeAck(seq: number): Buffer {
  return new FrameWriter(2 + INTEGER_BYTES).array(2).integer(messageTypes.ack).integer(seq).frame()
}

/** An error about the connection, or about the event `seq`. */
export function encodeError({
  code,
  message,
  seq
}: {
  code: string
  message: string
  seq?: number | undefined
}): Buffer {
  const writer = new FrameWriter(2 + textCapacity(code) + textCapacity(message) + INTEGER_BYTES)
  writer.array(seq === undefined ? 3 : 4).integer(messageTypes.error)
  writer.text(code).text(message)
  if (seq !== undefined) writer.integer(seq)
  return writer.frame()
}

export function encodePong(): Buffer {
  return new FrameWriter(2).array(1).integer(messageTypes.pong).frame()
}

/** A command to a device; `payload` is one MessagePack value. */
export function encodeCommand({ id, topic, payload }: Omit<Command, 'type'>): Buffer {
  const writer = new FrameWriter(2 + INTEGER_BYTES + textCapacity(topic) + payload.length)
  return writer.array(4).integer(messageTypes.command).integer(id).text(topic).encoded(payload).frame()
}

/** A server's goodbye. */
export function encodeServerBye({ code, reason }: { code: string; reason: string }): Buffer {
  const writer = new FrameWriter(2 + textCapacity(code) + textCapacity(reason))
  return writer.array(3).integer(messageTypes.bye).text(code).text(reason).frame()
}
