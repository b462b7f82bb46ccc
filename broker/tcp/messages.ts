// The messages of the raw TCP protocol, version 1, and its codes. Types and closed vocabularies only; both sides use them.

/** Version that hello names. */
export const PROTOCOL_VERSION = 1

/** Type numbers, the first element of every frame. */
export const messageTypes = {
  hello: 1,
  welcome: 2,
  event: 3,
  events: 4,
  ack: 5,
  error: 6,
  ping: 7,
  pong: 8,
  command: 9,
  result: 10,
  bye: 11
} as const

/** What is wrong with a frame by itself. */
export type FrameErrorCode =
  | 'frame-too-large'
  | 'frame-truncated'
  | 'trailing-bytes'
  | 'not-an-array'
  | 'unknown-type'
  | 'field-invalid'
  | 'value-invalid'
  | 'nesting-too-deep'
  | 'not-utf8'

/**
 * Codes of `error`, and whether the device should come back: `fixed` once its program or settings were changed, `later`
 * by itself after a pause. The two refusals of a single event, `not-authorized` and `topic-invalid` with a `seq`, close
 * nothing.
 */
export const errorCodes = {
  'frame-too-large': 'fixed',
  'frame-truncated': 'fixed',
  'trailing-bytes': 'fixed',
  'not-an-array': 'fixed',
  'unknown-type': 'fixed',
  'field-invalid': 'fixed',
  'value-invalid': 'fixed',
  'nesting-too-deep': 'fixed',
  'not-utf8': 'fixed',
  'version-unsupported': 'fixed',
  'bad-credentials': 'fixed',
  'not-authorized': 'fixed',
  'id-invalid': 'fixed',
  'too-many-streams': 'fixed',
  'topic-invalid': 'fixed',
  'unexpected-message': 'fixed',
  'seq-gap': 'later',
  'window-exceeded': 'later',
  'hello-timeout': 'later',
  'idle-timeout': 'later',
  'keepalive-timeout': 'later',
  'replies-unread': 'later',
  'server-busy': 'later',
  'too-many-connections': 'later',
  'too-many-from-address': 'later',
  'too-many-connects': 'later',
  'connecting-too-often': 'later',
  'store-unavailable': 'later'
} as const
export type ErrorCode = keyof typeof errorCodes

/** Codes of the server's `bye`, and whether the device should come back. */
export const byeCodes = {
  'taken-over': 'fixed',
  'device-removed': 'fixed',
  'token-changed': 'fixed',
  'shutting-down': 'later'
} as const
export type ByeCode = keyof typeof byeCodes

export interface Hello {
  type: 'hello'
  version: number
  device: string
  token: string | Uint8Array | null
  /** Seconds of silence the device will not exceed, or null. */
  keepaliveS: number | null
  /** Name of the stream that goes on over reconnects, or null. */
  stream: string | null
}

/** What one event says. `payload` is one MessagePack value, as bytes. */
export interface EventBody {
  topic: string
  payload: Uint8Array
  /** The device's own time, ms since 1970, where it gave one. */
  deviceAt: number | undefined
}

export interface EventMessage extends EventBody {
  type: 'event'
  seq: number
}

export interface EventsMessage {
  type: 'events'
  firstSeq: number
  events: EventBody[]
}

export interface Ping {
  type: 'ping'
}

export interface Result {
  type: 'result'
  id: number
  ok: boolean
  /** One MessagePack value. */
  payload: Uint8Array
}

export interface DeviceBye {
  type: 'bye'
  reason: string
}

/** Everything a device may send. */
export type DeviceMessage = Hello | EventMessage | EventsMessage | Ping | Result | DeviceBye

export interface Welcome {
  type: 'welcome'
  session: string
  /** Highest sequence of the stream that is durable; the device goes on after it. */
  lastSeq: number
  windowEvents: number
  frameBytesMax: number
}

export interface Ack {
  type: 'ack'
  /** Everything up to and including it is durable, or was refused by an `error` with its `seq`. */
  seq: number
}

export interface ErrorMessage {
  type: 'error'
  /** An `ErrorCode`, or one of a later version. */
  code: string
  message: string
  /** The event it is about; absent: the connection. */
  seq: number | undefined
}

export interface Pong {
  type: 'pong'
}

export interface Command {
  type: 'command'
  id: number
  topic: string
  /** One MessagePack value. */
  payload: Uint8Array
}

export interface ServerBye {
  type: 'bye'
  /** A `ByeCode`, or one of a later version. */
  code: string
  reason: string
}

/** Everything a server may send. */
export type ServerMessage = Welcome | Ack | ErrorMessage | Pong | Command | ServerBye

/** A frame that is no message, with a code to answer and a sentence for the device's developer. */
export interface FrameProblem {
  type: 'problem'
  code: FrameErrorCode
  message: string
}
