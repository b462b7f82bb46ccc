// What raises an alert and what ends it, as rules, handlers and those outside say it.
import type { Severity } from '../../store/notification.ts'
import type { Alert, AlertOrigin } from './alert.ts'

/** A condition is met. Where its alert is open, this happened again. Times are ms since 1970 UTC. */
export interface Raise {
  origin: AlertOrigin
  rule: string
  key: string
  device: string
  eventTopic: string
  severity: Severity
  title: string
  detail: string
  runbook: string
  labels: Readonly<Record<string, string>>
  at: number
  /** Sequence of the notification that causes it; 0: none. */
  causeSeq: number
  /** So many alerts within this time and it flaps; null: never. */
  flapping: { count: number; withinMs: number } | null
}

/** A condition is over. */
export interface Clear {
  rule: string
  key: string
  at: number
  /** Sequence of the notification that causes it; 0: none. */
  causeSeq: number
  /** How it ended, where there is something to say. */
  detail?: string
}

/** What an operator, or somebody outside, does to an alert. */
export interface Action {
  at: number
  actor: string
  comment: string
}

/** `changed` is false where it was so already: what was first is kept. */
export type Changed =
  { ok: true; alert: Alert; changed: boolean } | { ok: false; code: 'alert-unknown' | 'alert-resolved' }
