// An alert's story from its cause to its end; each step opens to all it says.
import type { AlertStory, Notification } from '../../api/shapes.ts'
import { NotificationDetails } from '../../components/notification-details.tsx'
import { stepsOf } from '../../alerts/story-steps.ts'
import type { Step } from '../../alerts/story-steps.ts'
import { clockText, durationText, lineOf, shortTimeText, wholeTimeText } from '../../format.ts'
import { now } from '../../state/clock.ts'
import { texts } from '../../texts.ts'

const words = texts.alertPage

export function TimeLine({ story }: { story: AlertStory }) {
  return (
    <>
      {story.causeGone && <p class="quiet">{texts.details.causeGone}</p>}
      {story.truncated && <p class="quiet">{words.truncated}</p>}
      {story.gone > 0 && <p class="quiet">{words.gone(story.gone)}</p>}
      <ol class="time-line">
        {stepsOf(story).map(step => (
          <StepRow key={step.notification.cursor} step={step} cause={step.notification === story.cause} />
        ))}
      </ol>
    </>
  )
}

function StepRow({ step: { notification, afterMs }, cause }: { step: Step; cause: boolean }) {
  const { at } = notification
  return (
    <li class={`step step-${markOf(notification)}`}>
      <details>
        <summary>
          <time dateTime={new Date(at).toISOString()} title={`${wholeTimeText(at)} (${clockText(at)})`}>
            {shortTimeText(at, now.value)}
          </time>
          <span class="step-text">
            <strong>{headOf(notification, cause)}</strong> <span>{bodyOf(notification)}</span>
          </span>
          {afterMs >= 1000 && <span class="quiet step-after">+{durationText(afterMs)}</span>}
        </summary>
        <NotificationDetails notification={notification} />
      </details>
    </li>
  )
}

/** What the dot on the line looks like. */
function markOf(notification: Notification): string {
  if (notification.kind === 'alert')
    return notification.state === 'resolved'
      ? 'good'
      : notification.change === 'acknowledged'
        ? 'seen'
        : 'bad'
  if (notification.kind === 'delivery')
    return notification.outcome === 'sent'
      ? 'told'
      : notification.outcome === 'suppressed'
        ? 'quiet'
        : 'failed'
  return 'cause'
}

function headOf(notification: Notification, cause: boolean): string {
  switch (notification.kind) {
    case 'alert':
      return words.changes[notification.change]
    case 'delivery':
      return words.outcomes[notification.outcome](notification.channel)
    case 'event':
    case 'presence':
      return cause ? words.cause : texts.kinds[notification.kind]
  }
}

function bodyOf(notification: Notification): string {
  if (notification.kind === 'alert') {
    const { actor = '', comment = '', change, title, severity } = notification
    if (change === 'acknowledged' || change === 'resolved')
      return [actor === '' ? (change === 'resolved' ? words.byItself : '') : actor, comment]
        .filter(part => part !== '')
        .join(': ')
    return change === 'severity' ? texts.severities[severity] : title
  }
  if (notification.kind === 'delivery') return notification.detail
  const { subject, text } = lineOf(notification)
  return [notification.device, subject, text].join(' ')
}
