// An open alert in a short list.
import type { ComponentChildren } from 'preact'
import type { Alert } from '../api/shapes.ts'
import { pathOf } from '../state/router.ts'
import { silenceOf } from '../state/silences.ts'
import { texts } from '../texts.ts'
import { Link } from './link.tsx'
import { SeverityMark } from './severity.tsx'
import { Since } from './time.tsx'

export function AlertRow({ alert, children }: { alert: Alert; children?: ComponentChildren }) {
  const { id, severity, title, state, firstAt } = alert
  return (
    <li class={`alert-row state-${state}`}>
      <SeverityMark severity={severity} />
      <span class="alert-title">
        <Link href={pathOf('alerts', id)}>{title}</Link>
        {state === 'acknowledged' && <span class="quiet"> · {texts.states.acknowledged}</span>}
        {silenceOf(alert) !== undefined && <span class="quiet"> · {texts.alerts.silenced}</span>}
      </span>
      <span class="alert-when">
        <Since at={firstAt} />
      </span>
      {children}
    </li>
  )
}
