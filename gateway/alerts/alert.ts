// An alert: what is wrong with one thing (the key) by one rule, from the first time to its end.
import type { Severity } from '../../store/notification.ts'

/** `a` and a number that counts the alerts of this log. */
export type AlertId = string & { readonly brand: 'AlertId' }

export type AlertState = 'firing' | 'acknowledged' | 'resolved'

/** Who raised it. For `rule` and `handler`, `rule` is the name of that rule or handler. */
export type AlertOrigin = 'rule' | 'handler' | 'api' | 'alertmanager'

/** Times are ms since 1970 UTC. Read it; only the alert book changes it. */
export interface Alert {
  readonly id: AlertId
  readonly origin: AlertOrigin
  readonly rule: string
  /** At most one alert of a rule and key is open. */
  readonly key: string
  /** The device it is about; empty: none. */
  readonly device: string
  /** Topic of the event that raised it; empty: none. */
  readonly eventTopic: string
  readonly labels: Readonly<Record<string, string>>
  readonly firstAt: number
  readonly state: AlertState
  /** Severity now. */
  readonly severity: Severity
  readonly title: string
  readonly detail: string
  /** Empty: none. */
  readonly runbook: string
  /** How many times its condition was met while it was open. */
  readonly count: number
  /** The last of these times. */
  readonly lastAt: number
  /** The last change of state or severity. */
  readonly changedAt: number
  /** Sequence of the notification that raised it; 0: none. */
  readonly causeSeq: number
  readonly acknowledged: { readonly at: number; readonly actor: string; readonly comment: string } | null
  /** `actor` is empty where its condition ended it. */
  readonly resolved: { readonly at: number; readonly actor: string; readonly comment: string } | null
  /** It fires and clears again and again: it is held open until it has been clear for this long. */
  readonly flapping: boolean
}
