// One channel: whether it works, a test of it, and what was given up and can be sent again.
import { useState } from 'preact/hooks'
import { post } from '../../api/requests.ts'
import type { Channel } from '../../api/shapes.ts'
import { AlertLink } from '../../components/notification-details.tsx'
import { problemText } from '../../components/problem.tsx'
import { Ago, Time } from '../../components/time.tsx'
import { say } from '../../components/toast.tsx'
import { countText } from '../../format.ts'
import { may } from '../../state/session.ts'
import { texts } from '../../texts.ts'
import { channelState } from './channel-words.ts'
import type { ChannelState } from './channel-words.ts'

const words = texts.channels
const stateTexts: Record<ChannelState, string> = {
  fine: words.fine,
  unused: words.unused,
  failing: words.failing,
  'left-alone': words.leftAlone,
  trying: words.trying
}
const stateSigns: Record<ChannelState, string> = {
  fine: '✓',
  unused: '–',
  failing: '✕',
  'left-alone': '✕',
  trying: '…'
}

interface ChannelCardProps {
  channel: Channel
  /** Called when something was done that changes how it does. */
  onChanged: () => void
}

export function ChannelCard({ channel, onChanged }: ChannelCardProps) {
  const { name, type, target, waiting, lastAttempt, failed } = channel
  const state = channelState(channel)
  return (
    <li class="card channel">
      <header class="channel-head">
        <h2>{name}</h2>
        <span class="quiet">{words.types[type]}</span>
        <span class={`channel-state channel-${state}`}>
          <span aria-hidden="true">{stateSigns[state]}</span> {stateTexts[state]}
        </span>
        {waiting > 0 && <span>{words.waiting(countText(waiting))}</span>}
        {may('operator') && <ChannelTest name={name} onDone={onChanged} />}
      </header>
      <dl class="facts">
        <div>
          <dt>{words.target}</dt>
          <dd>{target}</dd>
        </div>
        <div>
          <dt>{words.lastAttempt}</dt>
          <dd>
            {lastAttempt === null ? (
              words.never
            ) : (
              <>
                <Ago at={lastAttempt.at} />: {words.outcomes[lastAttempt.outcome]}
                {lastAttempt.detail !== '' && ` (${lastAttempt.detail})`}
              </>
            )}
          </dd>
        </div>
      </dl>
      {failed.length > 0 && <Failed failed={failed} channel={name} onChanged={onChanged} />}
    </li>
  )
}

interface TestResult {
  text: string
  good: boolean
}

function ChannelTest({ name, onDone }: { name: string; onDone: () => void }) {
  const [busy, setBusy] = useState(false)
  const [result, setResult] = useState<TestResult | null>(null)
  const send = async () => {
    setBusy(true)
    setResult(null)
    try {
      const { outcome, detail } = await post<{ outcome: 'sent' | 'failed' | 'refused'; detail: string }>(
        `/v1/channels/${encodeURIComponent(name)}/test`
      )
      setResult(
        outcome === 'failed'
          ? { text: words.testFailed(detail), good: false }
          : { text: words.tested(words.outcomes[outcome], detail), good: outcome === 'sent' }
      )
      onDone()
    } catch (error) {
      setResult({ text: problemText(error), good: false })
    }
    setBusy(false)
  }
  return (
    <>
      <button
        type="button"
        class="button button-small channel-test"
        aria-label={words.testLabel(name)}
        disabled={busy}
        onClick={() => void send()}
      >
        {busy ? words.testing : words.test}
      </button>
      <p class={result?.good === false ? 'test-result test-bad' : 'test-result'} role="status">
        {result?.text}
      </p>
    </>
  )
}

interface FailedProps {
  failed: Channel['failed']
  channel: string
  onChanged: () => void
}

function Failed({ failed, channel, onChanged }: FailedProps) {
  const [busyId, setBusyId] = useState('')
  const resend = async (id: string) => {
    setBusyId(id)
    try {
      await post(`/v1/deliveries/${encodeURIComponent(id)}/resend`)
      say(words.resent)
    } catch (error) {
      say(problemText(error), { bad: true })
    }
    setBusyId('')
    onChanged()
  }
  return (
    <details class="failed" open={failed.length <= 5}>
      <summary>{words.failed(countText(failed.length))}</summary>
      <ul aria-label={`${channel}: ${words.failed(countText(failed.length))}`}>
        {failed.map(({ id, failedAt, alerts }) => (
          <li key={id}>
            <span>
              <Time at={failedAt} />
            </span>
            <span class="failed-alerts">
              {alerts.map(alert => (
                <AlertLink key={alert} alert={alert} />
              ))}
            </span>
            {may('operator') && (
              <button
                type="button"
                class="button button-small"
                aria-label={words.resendLabel(id)}
                disabled={busyId === id}
                onClick={() => void resend(id)}
              >
                {words.resend}
              </button>
            )}
          </li>
        ))}
      </ul>
    </details>
  )
}
