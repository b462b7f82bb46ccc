// Whom each channel has told of an alert, and whom not, and why.
import type { AlertStory } from '../../api/shapes.ts'
import { Time } from '../../components/time.tsx'
import { toldOf } from '../../alerts/story-steps.ts'
import type { Told } from '../../alerts/story-steps.ts'
import { texts } from '../../texts.ts'

const words = texts.alertPage

export function WhoWasTold({ story }: { story: AlertStory }) {
  const told = toldOf(story)
  if (told.length === 0)
    return <p class="quiet">{story.alert.state === 'resolved' ? words.nobodyAtAll : words.nobody}</p>
  return (
    <ul class="told">
      {told.map(channel => (
        <ChannelTold key={channel.channel} told={channel} />
      ))}
    </ul>
  )
}

/** That it was told comes first: what happened later does not undo it. */
function ChannelTold({ told }: { told: Told }) {
  const { channel, outcome, at, detail, failures, sent, lastSentAt } = told
  const counts = [sent > 1 ? words.sentTimes(sent) : '', failures > 0 ? words.failedTimes(failures) : '']
  return (
    <li>
      <p>
        <strong>{channel}</strong>{' '}
        {lastSentAt === null ? (
          <Outcome outcome={outcome} at={at} />
        ) : (
          <Outcome outcome="sent" at={lastSentAt} />
        )}
      </p>
      {lastSentAt !== null && outcome !== 'sent' && (
        <p>
          {words.laterOutcome} <Outcome outcome={outcome} at={at} />
        </p>
      )}
      <p class="quiet">{[...counts, detail].filter(part => part !== '').join(' · ')}</p>
    </li>
  )
}

function Outcome({ outcome, at }: Pick<Told, 'outcome' | 'at'>) {
  return (
    <>
      <span class={`outcome outcome-${outcome}`}>{texts.outcomes[outcome]}</span> <Time at={at} />
    </>
  )
}
