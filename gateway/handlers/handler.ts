// What a module of handlers exports, and what its handlers are given. Documented for their writers in docs/handlers.md.
import type { Severity } from '../../store/notification.ts'

/** An event, as a handler sees it. Its payload must not be changed: other handlers and rules see the same. */
export interface HandledEvent {
  readonly cursor: string
  /** Time of receipt, ms since 1970 UTC. */
  readonly at: number
  readonly device: string
  readonly topic: string
  /** The levels that the pattern names: `site/:site/door/:door` gives `site` and `door`; `#` gives `rest`. */
  readonly params: Readonly<Record<string, string>>
  /** JSON's value, a MessagePack value, text, or null for bytes. */
  readonly payload: unknown
  readonly severity: Severity
}

export interface HandlerAlert {
  /** At most one alert of a handler's module and key is open. Default: the event's device. */
  key?: string
  severity: Severity
  title: string
  detail?: string
  labels?: Record<string, string>
  runbook?: string
}

export interface HandlerMessage {
  /** Default 1. */
  qos?: 0 | 1 | 2
  /** Default false. */
  retain?: boolean
}

/**
 * What a handler can do. What it does before it returns is committed together with the place in the log up to which it has
 * seen events, so that it happens exactly once, whenever the process ends. Bad values throw.
 */
export interface HandlerActions {
  /** Raises an alert, or adds to the one that is open. */
  raise(alert: HandlerAlert): void
  /** Ends the open alert of this key, if there is one. Default: the event's device. */
  clear(key?: string): void
  /** Publishes to MQTT subscribers, and so to feeds. Text and bytes go as they are, other values as JSON. */
  publish(topic: string, payload: unknown, message?: HandlerMessage): void
  /** Appends a notification: an event of the handler's own with a severity, for feeds and history. */
  append(notification: { topic: string; payload: unknown; severity: Severity; device?: string }): void
}

export type Handle = (event: HandledEvent, actions: HandlerActions) => unknown

/** A module's `handlers`: functions by topic pattern. */
export type HandlerModule = Readonly<Record<string, Handle>>
