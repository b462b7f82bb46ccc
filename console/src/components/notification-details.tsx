// Everything that a notification says, and the chain of what caused it.
import { useCallback } from 'preact/hooks'
import { readNotification } from '../api/notifications.ts'
import { RequestError } from '../api/requests.ts'
import type { Notification } from '../api/shapes.ts'
import { everything } from '../feed/feed-query.ts'
import type { FeedQuery } from '../feed/feed-query.ts'
import { lineOf, wholeTimeText, clockText } from '../format.ts'
import { pathOf } from '../state/router.ts'
import { texts } from '../texts.ts'
import { Facts } from './facts.tsx'
import type { Fact } from './facts.tsx'
import { Link } from './link.tsx'
import { Loading, useLoaded } from './loading.tsx'
import { Problem } from './problem.tsx'
import { SeverityMark } from './severity.tsx'

/** Causes that are followed; a delivery is caused by an alert, which is caused by an event: there are no longer chains. */
const CAUSES_MAX = 8
const words = texts.details

export interface NotificationDetailsProps {
  notification: Notification
  /** Where it can narrow what is shown; absent: it can't. */
  onFilter?: (query: FeedQuery) => void
  query?: FeedQuery
}

export function NotificationDetails({
  notification,
  onFilter,
  query = everything
}: NotificationDetailsProps) {
  return (
    <div class="details">
      <p class="details-lead">
        <SeverityMark severity={notification.severity} /> {texts.kinds[notification.kind]}
      </p>
      <Facts facts={factsOf(notification)} />
      {notification.kind === 'event' && <Payload event={notification} />}
      {onFilter && (
        <p class="actions">
          {notification.kind === 'event' && (
            <button
              type="button"
              class="button button-small"
              onClick={() => onFilter({ ...query, topics: [notification.topic] })}
            >
              {words.onlyTopic}
            </button>
          )}
          {notification.device !== '' && (
            <button
              type="button"
              class="button button-small"
              onClick={() => onFilter({ ...query, devices: [notification.device] })}
            >
              {words.onlyDevice}
            </button>
          )}
        </p>
      )}
      {causeOf(notification) !== '' && <Causes cursor={causeOf(notification)} />}
    </div>
  )
}

function causeOf(notification: Notification): string {
  return notification.kind === 'alert' || notification.kind === 'delivery' ? notification.cause : ''
}

function Payload({ event }: { event: Notification & { kind: 'event' } }) {
  const { payload, encoding } = event
  return (
    <>
      <h3>
        {words.payload}
        {encoding === 'base64' && <span class="quiet"> ({words.base64})</span>}
      </h3>
      <pre class="payload" tabIndex={0}>
        {typeof payload === 'string' ? payload : JSON.stringify(payload, null, 2)}
      </pre>
    </>
  )
}

function Causes({ cursor }: { cursor: string }) {
  const load = useCallback((signal: AbortSignal) => readCauses(cursor, signal), [cursor])
  const { value, error, reload } = useLoaded(load)
  return (
    <>
      <h3>{words.causes}</h3>
      {error !== null && <Problem error={error} onRetry={reload} />}
      {value === null && error === null && <Loading />}
      {value !== null && (
        <ol class="causes">
          {value.causes.map(cause => (
            <Cause key={cause.cursor} cause={cause} />
          ))}
          {value.gone && <li class="quiet">{words.causeGone}</li>}
        </ol>
      )}
    </>
  )
}

function Cause({ cause }: { cause: Notification }) {
  const { subject, text } = lineOf(cause)
  return (
    <li>
      <details>
        <summary>
          <time dateTime={new Date(cause.at).toISOString()}>{clockText(cause.at)}</time>{' '}
          {texts.kinds[cause.kind]} {cause.device} {subject} <span class="quiet">{text}</span>
        </summary>
        <Facts facts={factsOf(cause)} />
        {cause.kind === 'event' && <Payload event={cause} />}
      </details>
    </li>
  )
}

/** The cause at a cursor, its cause, and so on; `gone` when retention has taken the next. */
async function readCauses(
  cursor: string,
  signal: AbortSignal
): Promise<{ causes: Notification[]; gone: boolean }> {
  const causes: Notification[] = []
  for (let next = cursor; next !== '' && causes.length < CAUSES_MAX;) {
    try {
      const cause = await readNotification(next, signal)
      causes.push(cause)
      next = causeOf(cause)
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) return { causes, gone: true }
      throw error
    }
  }
  return { causes, gone: false }
}

function factsOf(notification: Notification): Fact[] {
  const { at, device, cursor } = notification
  const facts: Fact[] = [
    [words.receivedAt, `${wholeTimeText(at)} (${clockText(at)})`],
    ...(device === '' ? [] : ([[words.device, <DeviceLink device={device} />]] satisfies Fact[])),
    ...ownFacts(notification),
    [words.cursor, <code>{cursor}</code>]
  ]
  return facts.filter(([, value]) => value !== undefined && value !== '')
}

function ownFacts(notification: Notification): Fact[] {
  switch (notification.kind) {
    case 'event': {
      const { topic, source, deviceAt } = notification
      return [
        [words.topic, topic],
        [words.source, source],
        [words.deviceAt, deviceAt === undefined ? '' : wholeTimeText(deviceAt)]
      ]
    }
    case 'presence': {
      const { status, reason, session } = notification
      return [
        [words.status, status],
        [words.reason, reason],
        [words.session, session]
      ]
    }
    case 'alert': {
      const { alert, title, change, rule, key, detail, count, actor = '', comment = '' } = notification
      return [
        [words.alert, <AlertLink alert={alert} />],
        [words.title, title],
        [words.change, texts.changes[change]],
        [words.by, actor],
        [words.comment, comment],
        [words.detail, detail],
        [words.rule, rule],
        [words.key, key],
        [words.count, String(count)]
      ]
    }
    case 'delivery': {
      const { alert, alerts = [alert], channel, attempt, outcome, detail } = notification
      return [
        [words.channel, channel],
        [words.outcome, texts.outcomes[outcome]],
        [words.detail, detail],
        [words.attempt, String(attempt)],
        [alerts.length > 1 ? words.alerts : words.alert, alerts.map(id => <AlertLink key={id} alert={id} />)]
      ]
    }
  }
}

function DeviceLink({ device }: { device: string }) {
  return <Link href={pathOf('devices', device)}>{device}</Link>
}

export function AlertLink({ alert }: { alert: string }) {
  return (
    <>
      <Link href={pathOf('alerts', alert)}>{alert}</Link>{' '}
    </>
  )
}
