// One alert in the list of them.
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Alert } from '../../api/shapes.ts'
import { alertActions, canDo } from '../../components/alert-actions.tsx'
import type { AlertAction } from '../../components/alert-actions.tsx'
import { Link } from '../../components/link.tsx'
import { SeverityMark } from '../../components/severity.tsx'
import { Since, Time } from '../../components/time.tsx'
import { pathOf } from '../../state/router.ts'
import { silenceOf } from '../../state/silences.ts'
import { texts } from '../../texts.ts'

export interface AlertListRowProps {
  alert: Alert
  index: number
  /** Whether keys act on it. */
  current: boolean
  /** Id of the alert whose link gets the focus as soon as it is in the document. */
  toFocus: RefObject<string | null>
  onCurrent: () => void
  onAct: (action: AlertAction) => void
}

export function AlertListRow({ alert, index, current, toFocus, onCurrent, onAct }: AlertListRowProps) {
  const { id, severity, state, title, device, rule, firstAt, count, acknowledged, resolved, flapping } = alert
  const by = state === 'resolved' ? resolved : state === 'acknowledged' ? acknowledged : null
  const row = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!current || toFocus.current !== id) return
    toFocus.current = null
    row.current?.querySelector('a')?.focus({ preventScroll: true })
  })
  return (
    <div
      ref={row}
      class={`alert-line state-${state}${state === 'firing' ? ` row-${severity}` : ''}${current ? ' row-selected' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      onClick={onCurrent}
      onFocusIn={onCurrent}
    >
      <span role="cell" class="alert-severity">
        <SeverityMark severity={severity} />
      </span>
      <span role="cell" class="alert-what">
        <span class="alert-title">
          <Link href={pathOf('alerts', id)}>{title}</Link>
        </span>
        <span class="alert-about quiet">
          {rule}
          {device !== '' && (
            <>
              {' · '}
              <Link href={pathOf('devices', device)}>{device}</Link>
            </>
          )}
          {count > 1 && ` · ${texts.alerts.times(count)}`}
          {flapping && ` · ${texts.alerts.flapping}`}
          {silenceOf(alert) !== undefined && ` · ${texts.alerts.silenced}`}
        </span>
      </span>
      <span role="cell" class="alert-state">
        {texts.states[state]}
        {by !== null && by.actor !== '' && <span class="quiet"> · {by.actor}</span>}
      </span>
      <span role="cell" class="alert-when">
        {resolved === null ? <Since at={firstAt} /> : <Time at={resolved.at} />}
      </span>
      <span role="cell" class="alert-actions">
        {alertActions
          .filter(action => canDo(action, alert))
          .map(action => (
            <button
              key={action}
              type="button"
              class="button button-small"
              aria-label={`${texts.actions[action]}: ${title}`}
              onClick={event => {
                event.stopPropagation()
                onCurrent()
                onAct(action)
              }}
            >
              {texts.actions[action]}
            </button>
          ))}
      </span>
    </div>
  )
}
