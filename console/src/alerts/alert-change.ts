// An alert as it is after one of its notifications. Pure.
import type { Alert, AlertNotification } from '../api/shapes.ts'

/** The alert with what the notification says; made of the notification alone where it was not known. */
export function withChange(known: Alert | undefined, notification: AlertNotification): Alert {
  const { alert: id, rule, key, device, severity, state, change, title, detail, count } = notification
  const at = new Date(notification.at).toISOString()
  const action = { at, actor: notification.actor ?? '', comment: notification.comment ?? '' }
  return {
    id,
    origin: known?.origin ?? '',
    rule,
    key,
    device,
    eventTopic: notification.eventTopic ?? '',
    labels: notification.labels ?? {},
    state,
    severity,
    title,
    detail,
    runbook: notification.runbook ?? '',
    count,
    firstAt: new Date(notification.firstAt).toISOString(),
    lastAt: change === 'raised' || change === 'repeated' ? at : (known?.lastAt ?? at),
    changedAt: change === 'repeated' ? (known?.changedAt ?? at) : at,
    acknowledged: change === 'acknowledged' ? action : (known?.acknowledged ?? null),
    resolved: change === 'resolved' ? action : null,
    flapping: change === 'flapping' || (known?.flapping ?? false)
  }
}
