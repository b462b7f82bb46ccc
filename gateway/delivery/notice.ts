// What a channel is given to tell: some alerts of one group, as they were when it was decided to tell them.
import type { Severity } from '../../store/notification.ts'

/** An alert as receivers see it. Times are ms since 1970 UTC. Plain data: a notice is stored until it is delivered. */
export interface NoticeAlert {
  id: string
  rule: string
  key: string
  device: string
  eventTopic: string
  labels: Record<string, string>
  /** An acknowledged alert is told of only where it ends. */
  state: 'firing' | 'resolved'
  severity: Severity
  title: string
  detail: string
  runbook: string
  count: number
  firstAt: number
  lastAt: number
  /** 0 while it fires. */
  resolvedAt: number
}

export interface Notice {
  /** Unique for an intended delivery, the same in each attempt: receivers may use it as an idempotency key. */
  id: string
  /** Why it is told: for a test, the alerts are made up. */
  reason: 'alert' | 'repeat' | 'escalation' | 'test'
  /** `firing` while any of the alerts fires. */
  status: 'firing' | 'resolved'
  /** The route's name or number, and the values by which alerts are grouped. */
  route: string
  group: Record<string, string>
  alerts: NoticeAlert[]
  /** Alerts beyond the most that one notice carries. */
  truncated: number
  /** When it was decided, ms since 1970 UTC. */
  at: number
}

/** What became of one attempt. `detail` is a sentence without secrets. */
export type Outcome =
  | { outcome: 'sent'; detail: string }
  /** It may succeed later; not before `retryAfterMs` where the receiver said so. */
  | { outcome: 'failed'; detail: string; retryAfterMs?: number }
  /** It can't succeed as it is. */
  | { outcome: 'refused'; detail: string }

/** A way to tell somebody. It keeps to its own time limit and never throws. */
export interface Channel {
  readonly name: string
  readonly type: 'webhook' | 'email' | 'mqtt'
  /** Where it leads, without what is secret: shown in lists and logs. */
  readonly target: string
  send(notice: Notice, signal: AbortSignal): Promise<Outcome>
  /** Lets go of connections. */
  close(): void
}
