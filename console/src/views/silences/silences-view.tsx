// What is kept silent now, what will be, and what was.
import { useMemo, useState } from 'preact/hooks'
import { REFRESH_MS, readSilences } from '../../api/alerting.ts'
import { remove } from '../../api/requests.ts'
import type { Silence } from '../../api/shapes.ts'
import { AskDialog } from '../../components/ask-dialog.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { Time } from '../../components/time.tsx'
import { say } from '../../components/toast.tsx'
import { countText, durationText } from '../../format.ts'
import { matchTest } from '../../match/match-test.ts'
import { matchText } from '../../match/match-words.ts'
import { now } from '../../state/clock.ts'
import { openAlerts, openAlertsCut, openAlertsLoaded } from '../../state/open-alerts.ts'
import { may } from '../../state/session.ts'
import { texts } from '../../texts.ts'
import { NewSilence } from './new-silence.tsx'

const words = texts.silences

export function SilencesView() {
  const { value: silences, error, reload } = useLoaded(readSilences, { everyMs: REFRESH_MS })
  const [adding, add] = useState(false)
  const [ending, end] = useState<Silence | null>(null)
  return (
    <div class="view-stack">
      <div class="view-head">
        <h1>{words.title}</h1>
        {may('operator') && (
          <button type="button" class="button button-main" onClick={() => add(true)}>
            {words.add}
          </button>
        )}
      </div>
      <p class="quiet">{words.lead}</p>
      {error !== null && <Problem error={error} onRetry={reload} />}
      {silences === null ? error === null && <Loading /> : <Groups silences={silences} onEnd={end} />}
      {adding && <NewSilence onClose={() => add(false)} onDone={reload} />}
      {ending !== null && <EndSilence silence={ending} onClose={() => end(null)} onDone={reload} />}
    </div>
  )
}

interface GroupsProps {
  silences: readonly Silence[]
  onEnd: (silence: Silence) => void
}

function Groups({ silences, onEnd }: GroupsProps) {
  const of = (state: Silence['state']) => silences.filter(silence => silence.state === state)
  const [active, pending, ended] = [of('active'), of('pending'), of('ended')]
  return (
    <>
      <section aria-labelledby="active">
        <h2 id="active">{words.active}</h2>
        {active.length === 0 && <p class="quiet">{words.noneActive}</p>}
        <SilenceList silences={active} onEnd={onEnd} />
      </section>
      {pending.length > 0 && (
        <section aria-labelledby="pending">
          <h2 id="pending">{words.pending}</h2>
          <SilenceList silences={pending} onEnd={onEnd} />
        </section>
      )}
      {ended.length > 0 && (
        <details class="ended">
          <summary>{words.ended(countText(ended.length))}</summary>
          <SilenceList silences={ended} onEnd={onEnd} />
        </details>
      )}
    </>
  )
}

function SilenceList({ silences, onEnd }: GroupsProps) {
  if (silences.length === 0) return null
  return (
    <ul class="silence-list">
      {silences.map(silence => (
        <SilenceRow key={silence.id} silence={silence} onEnd={onEnd} />
      ))}
    </ul>
  )
}

function SilenceRow({ silence, onEnd }: { silence: Silence; onEnd: GroupsProps['onEnd'] }) {
  const { state, match, from, until, comment, author, ended } = silence
  const said = matchText(match)
  return (
    <li class={`card silence silence-${state}`}>
      <div class="silence-main">
        <h3>{said}</h3>
        <p class="silence-times">
          {state === 'pending' && (
            <span>
              {words.from} <Time at={from} />{' '}
              <span class="quiet">({words.begins(durationText(Date.parse(from) - now.value))})</span>
            </span>
          )}
          <span>
            {words.until} <Time at={ended?.at ?? until} />{' '}
            <span class="quiet">({remainText(silence, now.value)})</span>
          </span>
          <span>
            {words.by} {author}
          </span>
        </p>
        {comment !== '' && <p class="silence-comment">{comment}</p>}
        {state === 'active' && <Covered silence={silence} />}
      </div>
      {state !== 'ended' && may('operator') && (
        <button
          type="button"
          class="button button-small"
          aria-label={words.endLabel(said)}
          onClick={() => onEnd(silence)}
        >
          {words.end}
        </button>
      )}
    </li>
  )
}

function remainText({ state, from, until, ended }: Silence, at: number): string {
  if (state === 'pending') return durationText(Date.parse(until) - Date.parse(from))
  if (state === 'active') return words.left(durationText(Date.parse(until) - at))
  return ended === null ? words.ranOut : words.endedBy(ended.actor)
}

/** How many of the open alerts it matches. */
function Covered({ silence: { match } }: { silence: Silence }) {
  const said = JSON.stringify(match)
  const matches = useMemo(() => matchTest(match), [said])
  if (!openAlertsLoaded.value) return null
  const count = openAlerts.value.filter(matches).length
  return <p class="quiet">{openAlertsCut.value ? words.coversAtLeast(count) : words.covers(count)}</p>
}

interface EndSilenceProps {
  silence: Silence
  onClose: () => void
  onDone: () => void
}

function EndSilence({ silence, onClose, onDone }: EndSilenceProps) {
  const end = async () => {
    await remove<Silence>(`/v1/silences/${encodeURIComponent(silence.id)}`)
    say(words.endDone)
    onDone()
    onClose()
  }
  return (
    <AskDialog title={words.endTitle} submit={words.end} onClose={onClose} onSubmit={end}>
      <p>{words.endAsk(matchText(silence.match))}</p>
    </AskDialog>
  )
}
