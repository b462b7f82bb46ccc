// What an operator does about an alert: acknowledge it, resolve it, keep it silent. Each asks for a comment.
import { useState } from 'preact/hooks'
import { post } from '../api/requests.ts'
import type { Alert, Silence } from '../api/shapes.ts'
import { noteAlert } from '../state/open-alerts.ts'
import { may } from '../state/session.ts'
import { refreshSilences } from '../state/silences.ts'
import { texts } from '../texts.ts'
import { AskDialog } from './ask-dialog.tsx'
import { say } from './toast.tsx'

export const alertActions = ['acknowledge', 'resolve', 'silence'] as const
export type AlertAction = (typeof alertActions)[number]

const words = texts.actions

/** Whether an action can be done to the alert by who is signed in. */
export function canDo(action: AlertAction, { state }: Alert): boolean {
  if (!may('operator')) return false
  return action === 'acknowledge' ? state === 'firing' : state !== 'resolved'
}

/** For a row of a list; the list has the dialog, which is to stay when the row goes. */
export function AcknowledgeButton({ alert, onAsk }: { alert: Alert; onAsk: (alert: Alert) => void }) {
  if (!canDo('acknowledge', alert)) return null
  return (
    <button
      type="button"
      class="button button-small"
      aria-label={`${words.acknowledge}: ${alert.title}`}
      onClick={() => onAsk(alert)}
    >
      {words.acknowledge}
    </button>
  )
}

export interface AlertActionDialogProps {
  action: AlertAction
  alert: Alert
  onClose: () => void
  /** Called with the alert as it is afterwards. */
  onDone?: (alert: Alert) => void
}

/** Asks for a comment (and, for a silence, how long) and does it. */
export function AlertActionDialog({ action, alert, onClose, onDone }: AlertActionDialogProps) {
  const [comment, setComment] = useState('')
  const [duration, setDuration] = useState('2h')
  const [wide, setWide] = useState(false)
  const submit = async () => {
    const changed = await perform(action, alert, { comment, duration, wide })
    onDone?.(changed)
    say(words.done[action](alert.id))
    onClose()
  }
  return (
    <AskDialog
      title={words.titles[action](alert.id)}
      submit={words[action]}
      onClose={onClose}
      onSubmit={submit}
    >
      <p>
        <strong>{alert.title}</strong>
      </p>
      <p class="quiet">{words.explained[action]}</p>
      {action === 'silence' && (
        <>
          <label class="field">
            <span>{words.howLong}</span>
            <select value={duration} onChange={event => setDuration(event.currentTarget.value)}>
              {Object.entries(words.durations).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <fieldset class="field">
            <legend>{words.what}</legend>
            <label class="choice">
              <input type="radio" name="what" checked={!wide} onChange={() => setWide(false)} />
              {words.onlyThis(alert.rule, alert.key)}
            </label>
            {alert.device !== '' && (
              <label class="choice">
                <input type="radio" name="what" checked={wide} onChange={() => setWide(true)} />
                {words.wholeDevice(alert.device)}
              </label>
            )}
          </fieldset>
        </>
      )}
      <label class="field">
        <span>{texts.common.comment}</span>
        <textarea
          rows={3}
          maxLength={2000}
          placeholder={texts.common.commentHint}
          value={comment}
          autoFocus
          onInput={event => setComment(event.currentTarget.value)}
        />
      </label>
    </AskDialog>
  )
}

interface Wish {
  comment: string
  duration: string
  /** Silence everything of the device, not this alert alone. */
  wide: boolean
}

async function perform(action: AlertAction, alert: Alert, { comment, duration, wide }: Wish): Promise<Alert> {
  if (action !== 'silence') {
    const changed = await post<Alert>(`/v1/alerts/${encodeURIComponent(alert.id)}/${action}`, { comment })
    noteAlert(changed)
    return changed
  }
  const match = wide ? { devices: [alert.device] } : { rules: [alert.rule], keys: [alert.key] }
  await post<Silence>('/v1/silences', { match, for: duration, comment })
  void refreshSilences()
  return alert
}
