// What every connection of the raw TCP server is given.
import type { Authenticator } from '../authenticate.ts'
import type { Ingest } from '../ingest.ts'
import type { ConnectionLimits } from '../limits.ts'
import type { Presence } from '../presence.ts'
import type { EventStreams } from './event-stream.ts'
import type { TcpCounters } from './metrics.ts'
import type { TcpSession } from './session.ts'
import type { Turns } from './turns.ts'

/** Limits of each connection; keys and units as in the configuration. */
export interface SessionSettings {
  frameBytesMax: number
  nestingMax: number
  helloTimeoutMs: number
  idleTimeoutMs: number
  windowEvents: number
  /** Most named streams of one device. */
  streamsMax: number
  /** 0 sets no limit. */
  eventsPerSecondMax: number
  unsentBytesMax: number
}

/** What all connections of a server share. */
export interface SessionContext {
  settings: SessionSettings
  ingest: Ingest
  authenticator: Authenticator
  presence: Presence
  limits: ConnectionLimits
  streams: EventStreams
  counters: TcpCounters
  turns: Turns
  /** All connections until their sockets are gone. */
  sessions: Set<TcpSession>
  /** The one connection of each device that said hello, until it is closed. */
  live: Map<string, TcpSession>
}
