// An alert and its whole story: since when, why, who did what about it, and who was told.
import { useCallback, useEffect, useState } from 'preact/hooks'
import { get } from '../../api/requests.ts'
import type { Alert, AlertStory } from '../../api/shapes.ts'
import { AlertActionDialog, alertActions, canDo } from '../../components/alert-actions.tsx'
import type { AlertAction } from '../../components/alert-actions.tsx'
import { Link } from '../../components/link.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { Runbook } from '../../components/runbook.tsx'
import { SeverityMark } from '../../components/severity.tsx'
import { Since, Time } from '../../components/time.tsx'
import { durationText } from '../../format.ts'
import { feed } from '../../state/feed.ts'
import { useKeys } from '../../state/keys.ts'
import { pathOf } from '../../state/router.ts'
import { silenceOf, useSilences } from '../../state/silences.ts'
import { texts } from '../../texts.ts'
import { TimeLine } from './time-line.tsx'
import { WhoWasTold } from './who-was-told.tsx'

const words = texts.alertPage

export function AlertPage({ id }: { id: string }) {
  const load = useCallback(
    (signal: AbortSignal) => get<AlertStory>(pathOf('v1', 'alerts', id), {}, signal),
    [id]
  )
  const { value: story, error, reload } = useLoaded(load)
  useStoryNews(id, reload)
  return (
    <div class="alert-page">
      <p>
        <Link href="/alerts">← {texts.nav.alerts}</Link>
      </p>
      {story === null && <h1>{words.title(id)}</h1>}
      {error !== null && <Problem error={error} onRetry={reload} />}
      {story === null ? error === null && <Loading /> : <Story story={story} onChanged={reload} />}
    </div>
  )
}

/** Loads the story anew when something about the alert is new, at most about twice a second. */
function useStoryNews(id: string, reload: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = null
        reload()
      }, 400)
    }
    const subscription = feed.subscribe({ kinds: ['alert', 'delivery'] }, null, {
      onItems: items => {
        const ours = items.some(
          item =>
            (item.kind === 'alert' && item.alert === id) ||
            (item.kind === 'delivery' && (item.alert === id || item.alerts?.includes(id)))
        )
        if (ours) soon()
      },
      onSubscribed: soon, // what happened between the first reading and this place, or while the connection was lost
      onGap: soon
    })
    return () => {
      subscription.end()
      if (timer !== null) clearTimeout(timer)
    }
  }, [id, reload])
}

function Story({ story, onChanged }: { story: AlertStory; onChanged: () => void }) {
  const { alert } = story
  useSilences()
  const [asked, ask] = useState<AlertAction | null>(null)
  const tryTo = (action: AlertAction) => {
    if (canDo(action, alert)) ask(action)
  }
  useKeys({
    a: () => tryTo('acknowledge'),
    r: () => tryTo('resolve'),
    s: () => tryTo('silence')
  })
  return (
    <>
      <header class={`card alert-head state-${alert.state} head-${alert.severity}`}>
        <p class="alert-lead">
          <SeverityMark severity={alert.severity} /> <strong>{texts.states[alert.state]}</strong>{' '}
          <span class="quiet">
            {alert.id}
            {alert.flapping && ` · ${texts.alerts.flapping}`}
          </span>
        </p>
        <h1>{alert.title}</h1>
        {alert.detail !== '' && <p>{alert.detail}</p>}
        <Silenced alert={alert} />
        <p class="actions">
          {alertActions
            .filter(action => canDo(action, alert))
            .map(action => (
              <button
                key={action}
                type="button"
                class={action === 'acknowledge' ? 'button button-main' : 'button'}
                onClick={() => ask(action)}
              >
                {texts.actions[action]}
              </button>
            ))}
          {alert.runbook !== '' && <Runbook url={alert.runbook} button />}
        </p>
      </header>
      <div class="alert-columns">
        <section class="card" aria-labelledby="story">
          <h2 id="story">{words.story}</h2>
          <TimeLine story={story} />
        </section>
        <div class="alert-side">
          <section class="card" aria-labelledby="facts">
            <h2 id="facts">{words.facts}</h2>
            <Facts alert={alert} />
          </section>
          <section class="card" aria-labelledby="told">
            <h2 id="told">{words.told}</h2>
            <WhoWasTold story={story} />
          </section>
        </div>
      </div>
      {asked !== null && (
        <AlertActionDialog action={asked} alert={alert} onClose={() => ask(null)} onDone={onChanged} />
      )}
    </>
  )
}

/** That nobody is told of it now, until when, and who wanted it so. */
function Silenced({ alert }: { alert: Alert }) {
  const silence = silenceOf(alert)
  if (silence === undefined) return null
  const { until, author, comment } = silence
  return (
    <p class="quiet">
      <Link href="/silences">{words.silenced}</Link> <Time at={until} /> · {author}
      {comment !== '' && <q>{comment}</q>}
    </p>
  )
}

function Facts({ alert }: { alert: Alert }) {
  const { rule, origin, key, device, eventTopic, labels, count, firstAt, lastAt, acknowledged, resolved } =
    alert
  return (
    <dl class="facts">
      <div>
        <dt>{words.began}</dt>
        <dd>
          <Time at={firstAt} />{' '}
          <span class="quiet">
            {resolved === null ? (
              <Since at={firstAt} />
            ) : (
              words.lasted(durationText(Date.parse(resolved.at) - Date.parse(firstAt)))
            )}
          </span>
        </dd>
      </div>
      {count > 1 && (
        <div>
          <dt>{words.count}</dt>
          <dd>
            {words.times(count)} <Time at={lastAt} />
          </dd>
        </div>
      )}
      {acknowledged !== null && (
        <div>
          <dt>{texts.states.acknowledged}</dt>
          <dd>
            <Time at={acknowledged.at} /> · {acknowledged.actor}
            {acknowledged.comment !== '' && <q>{acknowledged.comment}</q>}
          </dd>
        </div>
      )}
      {resolved !== null && (
        <div>
          <dt>{texts.states.resolved}</dt>
          <dd>
            <Time at={resolved.at} /> · {resolved.actor === '' ? words.byItself : resolved.actor}
            {resolved.comment !== '' && <q>{resolved.comment}</q>}
          </dd>
        </div>
      )}
      {device !== '' && (
        <div>
          <dt>{texts.details.device}</dt>
          <dd>
            <Link href={pathOf('devices', device)}>{device}</Link>
          </dd>
        </div>
      )}
      <div>
        <dt>{texts.details.rule}</dt>
        <dd>
          {origin === 'rule' ? <Link href={pathOf('rules', rule)}>{rule}</Link> : `${rule} (${origin})`}
        </dd>
      </div>
      {key !== device && (
        <div>
          <dt>{texts.details.key}</dt>
          <dd>{key}</dd>
        </div>
      )}
      {eventTopic !== '' && (
        <div>
          <dt>{texts.details.topic}</dt>
          <dd>{eventTopic}</dd>
        </div>
      )}
      {Object.entries(labels).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
