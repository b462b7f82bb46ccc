// Asks what is to be kept silent, from when and how long, and adds the silence.
import { useState } from 'preact/hooks'
import { post } from '../../api/requests.ts'
import { severities } from '../../api/shapes.ts'
import type { Silence } from '../../api/shapes.ts'
import { AskDialog } from '../../components/ask-dialog.tsx'
import { say } from '../../components/toast.tsx'
import { matchOfFields, noFields } from '../../match/match-fields.ts'
import type { MatchFields } from '../../match/match-fields.ts'
import { matchTest } from '../../match/match-test.ts'
import { matchText } from '../../match/match-words.ts'
import { openAlerts, openAlertsCut, openAlertsLoaded } from '../../state/open-alerts.ts'
import { texts } from '../../texts.ts'

const words = texts.silences
const fieldWords = texts.match.fields
const listFields = ['rules', 'devices', 'topics', 'keys', 'labels'] as const

interface Draft {
  fields: MatchFields
  /** Local times as the browser's field writes them; empty: now, and `duration` counts. */
  from: string
  until: string
  duration: string
  comment: string
}

const emptyDraft: Draft = { fields: noFields, from: '', until: '', duration: '2h', comment: '' }

export function NewSilence({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [draft, setDraft] = useState(emptyDraft)
  const change = (part: Partial<Draft>) => setDraft(before => ({ ...before, ...part }))
  const submit = async () => {
    await post<Silence>('/v1/silences', bodyOf(draft))
    say(words.added)
    onDone()
    onClose()
  }
  return (
    <AskDialog title={words.add} submit={words.add} onClose={onClose} onSubmit={submit}>
      <MatchInputs fields={draft.fields} onChange={fields => change({ fields })} />
      <TimeInputs draft={draft} onChange={change} />
      <label class="field">
        <span>{texts.common.comment}</span>
        <textarea
          rows={2}
          maxLength={2000}
          placeholder={texts.common.commentHint}
          value={draft.comment}
          onInput={event => change({ comment: event.currentTarget.value })}
        />
      </label>
    </AskDialog>
  )
}

function bodyOf({ fields, from, until, duration, comment }: Draft): object {
  return {
    match: matchOfFields(fields),
    ...(from !== '' && { from: new Date(from).toISOString() }),
    ...(until === '' ? { for: duration } : { until: new Date(until).toISOString() }),
    comment
  }
}

interface MatchInputsProps {
  fields: MatchFields
  onChange: (fields: MatchFields) => void
}

function MatchInputs({ fields, onChange }: MatchInputsProps) {
  return (
    <fieldset class="match-inputs">
      <legend>{words.which}</legend>
      <p class="quiet">{texts.match.explained}</p>
      <div class="match-grid">
        <label class="field">
          <span>{fieldWords.severityMin}</span>
          <select
            value={fields.severityMin}
            onChange={event =>
              onChange({
                ...fields,
                severityMin: severities.find(severity => severity === event.currentTarget.value) ?? ''
              })
            }
          >
            <option value="">{fieldWords.anySeverity}</option>
            {severities.slice(1).map(severity => (
              <option key={severity} value={severity}>
                {texts.severities[severity]}
              </option>
            ))}
          </select>
        </label>
        {listFields.map(name => (
          <label key={name} class="field">
            <span>{fieldWords[name]}</span>
            <input
              value={fields[name]}
              placeholder={texts.match.hints[name]}
              spellcheck={false}
              onInput={event => onChange({ ...fields, [name]: event.currentTarget.value })}
            />
          </label>
        ))}
      </div>
      <Preview fields={fields} />
    </fieldset>
  )
}

/** What has been typed, in words, and what it covers already. */
function Preview({ fields }: { fields: MatchFields }) {
  const match = matchOfFields(fields)
  if (Object.keys(match).length === 0) return null
  const count = openAlerts.value.filter(matchTest(match)).length
  return (
    <p class="match-preview" role="status">
      <strong>{matchText(match)}.</strong>{' '}
      {openAlertsLoaded.value && (openAlertsCut.value ? words.coversAtLeast(count) : words.covers(count))}
    </p>
  )
}

function TimeInputs({ draft, onChange }: { draft: Draft; onChange: (part: Partial<Draft>) => void }) {
  const [later, setLater] = useState(false)
  const [toTime, setToTime] = useState(false)
  return (
    <fieldset class="match-inputs">
      <legend>{words.when}</legend>
      <div class="match-grid">
        <div>
          <label class="choice">
            <input
              type="radio"
              name="begin"
              checked={!later}
              onChange={() => {
                setLater(false)
                onChange({ from: '' })
              }}
            />
            {words.fromNow}
          </label>{' '}
          <label class="choice">
            <input type="radio" name="begin" checked={later} onChange={() => setLater(true)} />
            {words.later}
          </label>
          {later && (
            <label class="field">
              <span>{words.fromTime}</span>
              <input
                type="datetime-local"
                required
                value={draft.from}
                onInput={event => onChange({ from: event.currentTarget.value })}
              />
            </label>
          )}
        </div>
        <div>
          <label class="choice">
            <input
              type="radio"
              name="end"
              checked={!toTime}
              onChange={() => {
                setToTime(false)
                onChange({ until: '' })
              }}
            />
            {words.forTime}
          </label>{' '}
          <label class="choice">
            <input type="radio" name="end" checked={toTime} onChange={() => setToTime(true)} />
            {words.untilTime}
          </label>
          {toTime ? (
            <label class="field">
              <span>{words.untilWhen}</span>
              <input
                type="datetime-local"
                required
                value={draft.until}
                onInput={event => onChange({ until: event.currentTarget.value })}
              />
            </label>
          ) : (
            <label class="field">
              <span>{words.howLong}</span>
              <select
                value={draft.duration}
                onChange={event => onChange({ duration: event.currentTarget.value })}
              >
                {Object.entries(texts.actions.durations).map(([value, name]) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
      </div>
    </fieldset>
  )
}
