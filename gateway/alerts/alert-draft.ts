// The notification of what happened to an alert. Pure.
import type { AlertChange, AlertDraft } from '../../store/notification.ts'
import type { Alert } from './alert.ts'

/** Tells a change that has been made; `cause` is the cursor of what caused it, empty: nothing did. */
export function alertDraft(alert: Alert, change: AlertChange, cause: string): AlertDraft {
  const { id, rule, key, device, severity, state, title, detail, count, firstAt } = alert
  const { eventTopic, labels, runbook } = alert
  const by = change === 'acknowledged' ? alert.acknowledged : change === 'resolved' ? alert.resolved : null
  return {
    kind: 'alert',
    device,
    severity,
    alert: id,
    rule,
    key,
    state,
    change,
    title,
    detail,
    count,
    firstAt,
    cause,
    ...(eventTopic !== '' && { eventTopic }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(runbook !== '' && { runbook }),
    ...(by && by.actor !== '' && { actor: by.actor }),
    ...(by && by.comment !== '' && { comment: by.comment })
  }
}
