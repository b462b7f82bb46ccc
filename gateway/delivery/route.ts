// Which alerts are told to which channels, how gathered, how often, and to whom next.
import type { Severity } from '../../store/notification.ts'
import type { AlertMatch } from '../alerts/matcher.ts'

/** Times at which a route is quiet. */
export interface QuietHours {
  /** IANA name. */
  timeZone: string
  /** Minutes of the day, from ≤ minute < to; one that ends before it begins goes over midnight. Empty: the whole day. */
  times: readonly { from: number; to: number }[]
  /** Days on which the times begin, 0 is Sunday; empty: every day. */
  days: readonly number[]
  /** Alerts of at least this severity are told all the same; null: none. */
  except: Severity | null
}

export interface EscalationStep {
  /** Time since an alert fired, without being acknowledged, after which this step tells it. */
  afterMs: number
  channels: readonly string[]
}

export interface Route {
  /** Given, or `route-1`, `route-2` … by its place. */
  name: string
  match: AlertMatch
  channels: readonly string[]
  /** What alerts are gathered by: rule, device, key, severity, or a label’s name. Empty: all of a route together. */
  group: readonly string[]
  groupWaitMs: number
  groupIntervalMs: number
  /** 0: never repeated. */
  repeatIntervalMs: number
  escalate: readonly EscalationStep[]
  quiet: readonly QuietHours[]
  sendResolved: boolean
  /** Whether routes after this one are looked at too. */
  continue: boolean
}
