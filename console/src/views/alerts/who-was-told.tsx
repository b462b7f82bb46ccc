// Whom each channel has told of an alert, and whom not, and why.
import type { AlertStory } from '../../api/shapes.ts'
import { Time } from '../../components/time.tsx'
import { toldOf } from '../../feed/story-steps.ts'
import { texts } from '../../texts.ts'

const words = texts.alertPage

export function WhoWasTold({ story }: { story: AlertStory }) {
  const told = toldOf(story)
  if (told.length === 0)
    return <p class="quiet">{story.alert.state === 'resolved' ? words.nobodyAtAll : words.nobody}</p>
  return (
    <ul class="told">
      {told.map(({ channel, outcome, at, detail, failures, sent }) => (
        <li key={channel}>
          <p>
            <strong>{channel}</strong>{' '}
            <span class={`outcome outcome-${outcome}`}>{texts.outcomes[outcome]}</span> <Time at={at} />
          </p>
          <p class="quiet">
            {[sent > 1 ? words.sentTimes(sent) : '', failures > 0 ? words.failedTimes(failures) : '', detail]
              .filter(part => part !== '')
              .join(' · ')}
          </p>
        </li>
      ))}
    </ul>
  )
}
