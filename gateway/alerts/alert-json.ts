// An alert as HTTP answers show it. Pure.
import type { Alert } from './alert.ts'

/** Times are RFC 3339. */
export interface AlertJson {
  id: string
  origin: Alert['origin']
  rule: string
  key: string
  device: string
  eventTopic: string
  labels: Readonly<Record<string, string>>
  state: Alert['state']
  severity: Alert['severity']
  title: string
  detail: string
  runbook: string
  count: number
  firstAt: string
  lastAt: string
  changedAt: string
  acknowledged: ActionJson | null
  resolved: ActionJson | null
  flapping: boolean
}

/** Who did it, when, and what there is to say; `actor` is empty where the alert's condition ended it. */
export interface ActionJson {
  at: string
  actor: string
  comment: string
}

export function alertJson(alert: Alert): AlertJson {
  const { id, origin, rule, key, device, eventTopic, labels, state, severity, title, detail } = alert
  const { runbook, count, firstAt, lastAt, changedAt, acknowledged, resolved, flapping } = alert
  return {
    id,
    origin,
    rule,
    key,
    device,
    eventTopic,
    labels,
    state,
    severity,
    title,
    detail,
    runbook,
    count,
    firstAt: rfc3339(firstAt),
    lastAt: rfc3339(lastAt),
    changedAt: rfc3339(changedAt),
    acknowledged: actionJson(acknowledged),
    resolved: actionJson(resolved),
    flapping
  }
}

function actionJson(action: Alert['acknowledged']): ActionJson | null {
  return action && { at: rfc3339(action.at), actor: action.actor, comment: action.comment }
}

function rfc3339(at: number): string {
  return new Date(at).toISOString()
}
