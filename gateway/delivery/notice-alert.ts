// An alert as it is told. Pure.
import { severities } from '../../store/notification.ts'
import type { Severity } from '../../store/notification.ts'
import type { Alert } from '../alerts/alert.ts'
import type { NoticeAlert } from './notice.ts'

/** The alert as it is now. */
export function noticeAlertOf(alert: Alert): NoticeAlert {
  const {
    id,
    rule,
    key,
    device,
    eventTopic,
    labels,
    severity,
    title,
    detail,
    runbook,
    count,
    firstAt,
    lastAt
  } = alert
  return {
    id,
    rule,
    key,
    device,
    eventTopic,
    labels: { ...labels },
    state: alert.state === 'resolved' ? 'resolved' : 'firing',
    severity,
    title,
    detail,
    runbook,
    count,
    firstAt,
    lastAt,
    resolvedAt: alert.resolved?.at ?? 0
  }
}

/** What a delivery's notification says of the alerts that it tells together. */
export function commonOf(alerts: readonly NoticeAlert[]): { device: string; severity: Severity } {
  const [first] = alerts
  const same = alerts.every(({ device }) => device === first?.device)
  const highest = Math.max(0, ...alerts.map(({ severity }) => severities.indexOf(severity)))
  return { device: same ? (first?.device ?? '') : '', severity: severities[highest] ?? 'info' }
}

/** The value of an alert by which a route groups: a field or a label; empty where it has none. */
export function groupValue(alert: Alert, name: string): string {
  switch (name) {
    case 'rule':
    case 'device':
    case 'key':
    case 'severity':
      return alert[name]
    default:
      return alert.labels[name] ?? ''
  }
}
