// What a simulated device and its connection say to each other, whichever protocol is spoken.
import type { OutgoingEvent, Outbox } from './outbox.ts'

/** A device's connection, to be opened again after each loss. Implemented over MQTT and over raw TCP. */
export interface Link {
  /** Begins to connect. */
  open(): void
  /** Sends what the outbox holds, as far as the server's window allows. Does nothing while the link is not up. */
  pump(): void
  /** Resets the connection without a goodbye. */
  reset(): void
  /** Says goodbye and closes. */
  close(): void
}

/** For the first time, again after a loss, or a second time because the plan says so. */
export type Sending = 'first' | 'again' | 'repeat'

/** The device, as its link sees it. */
export interface LinkOwner {
  readonly outbox: Outbox
  /** The server has let the device in. */
  onUp(): void
  /** The connection is gone or did not come about; called once for each `open`. */
  onDown(): void
  /** An event was handed to the connection. */
  onSent(event: OutgoingEvent, how: Sending): void
  /** The server has acknowledged the event: it is durable. */
  onAcknowledged(n: number): void
  /** The server has answered that it does not take the event. */
  onRefused(n: number, reason: string): void
  /** Something went wrong; `reason` is short and one of few. */
  onError(reason: string): void
}

export interface Target {
  host: string
  port: number
}

export interface LinkIdentity {
  id: string
  token: string | null
  keepaliveS: number
}

/** A short name for what went wrong with a connection, fit for counting. */
export function errorReason(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
