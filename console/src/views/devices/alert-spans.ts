// When a device's alerts were open, to be drawn behind its values. Pure.
import type { Alert, Severity } from '../../api/shapes.ts'

export interface AlertSpan {
  /** ms since 1970 */
  from: number
  to: number
  severity: Severity
}

/** The spans of those alerts that an event of this topic raised, or none; `now` ends those that are open. */
export function spansOf(alerts: readonly Alert[], topic: string, now: number): AlertSpan[] {
  return alerts
    .filter(({ eventTopic }) => eventTopic === '' || eventTopic === topic)
    .map(({ firstAt, resolved, severity }) => ({
      from: Date.parse(firstAt),
      to: resolved === null ? now : Date.parse(resolved.at),
      severity
    }))
}
