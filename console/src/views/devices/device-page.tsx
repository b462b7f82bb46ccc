// One device: whether it is there, what is wrong with it, its values, and all that happened to it.
import { useCallback, useState } from 'preact/hooks'
import { get, RequestError } from '../../api/requests.ts'
import { kinds } from '../../api/shapes.ts'
import type { Alert, Device, Kind } from '../../api/shapes.ts'
import { AcknowledgeButton, AlertActionDialog } from '../../components/alert-actions.tsx'
import { AlertRow } from '../../components/alert-row.tsx'
import { Link } from '../../components/link.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { Ago, Since, Time } from '../../components/time.tsx'
import { everything } from '../../feed/feed-query.ts'
import { countText, roundText } from '../../format.ts'
import { go, pathOf, place } from '../../state/router.ts'
import { may } from '../../state/session.ts'
import { useSilences } from '../../state/silences.ts'
import { texts } from '../../texts.ts'
import { KindsField } from '../feed/feed-filters.tsx'
import { FeedList } from '../feed/feed-list.tsx'
import { FollowState, useFollower } from '../feed/follow-state.tsx'
import { alertsByDevice } from './device-alerts.ts'
import { DeviceValues } from './device-values.tsx'
import { PresenceMark } from './presence-mark.tsx'
import { RegisterDialog, RemoveDialog, RotateDialog } from './registration.tsx'

const REFRESH_MS = 3000
const words = texts.devices

export function DevicePage({ id }: { id: string }) {
  const load = useCallback(
    (signal: AbortSignal) => get<Device>(`/v1/devices/${encodeURIComponent(id)}`, {}, signal),
    [id]
  )
  const { value: device, error, reload } = useLoaded(load, { everyMs: REFRESH_MS })
  const unknown = error instanceof RequestError && error.code === 'device-unknown'
  return (
    <div class="device-page">
      <p>
        <Link href="/devices">← {words.toAll}</Link>
      </p>
      <div class="view-head">
        <h1 class="device-title">{id}</h1>
        {device !== null && !unknown && may('admin') && <Registration device={device} onDone={reload} />}
      </div>
      {unknown && <p class="notice">{words.unknown(id)}</p>}
      {error !== null && !unknown && <Problem error={error} onRetry={reload} />}
      {device === null && error === null && <Loading />}
      {device !== null && !unknown && (
        <div class="device-top">
          <Facts device={device} />
          <OpenAlerts id={id} />
        </div>
      )}
      {device !== null && <DeviceValues id={id} />}
      {device !== null && <TimeLine id={id} />}
    </div>
  )
}

type Asked = 'register' | 'rotate' | 'remove'

function Registration({ device, onDone }: { device: Device; onDone: () => void }) {
  const [asked, ask] = useState<Asked | null>(null)
  const dialog = { id: device.id, onDone, onClose: () => ask(null) }
  return (
    <p class="actions">
      {device.registered ? (
        <>
          <button type="button" class="button" onClick={() => ask('rotate')}>
            {words.rotate}
          </button>
          <button type="button" class="button" onClick={() => ask('remove')}>
            {words.remove}
          </button>
        </>
      ) : (
        <button type="button" class="button" onClick={() => ask('register')}>
          {words.registerThis}
        </button>
      )}
      {asked === 'register' && <RegisterDialog {...dialog} />}
      {asked === 'rotate' && <RotateDialog {...dialog} />}
      {asked === 'remove' && <RemoveDialog {...dialog} />}
    </p>
  )
}

function Facts({ device }: { device: Device }) {
  const { presence, registered, createdAt, firstSeenAt, lastSeenAt, events, eventsPerMinute } = device
  return (
    <section class="card" aria-labelledby="device-facts">
      <h2 id="device-facts">{words.facts}</h2>
      <dl class="facts">
        <div>
          <dt>{words.presence}</dt>
          <dd>
            <PresenceMark presence={presence} />
            {presence !== null && (
              <>
                {' '}
                {words.forSoLong} <Since at={presence.since} /> <span class="quiet">({presence.reason})</span>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>{words.registration}</dt>
          <dd>
            {registered ? words.registered : words.notRegistered}
            {createdAt !== null && (
              <>
                {' '}
                <Ago at={createdAt} />
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>{words.firstSeen}</dt>
          <dd>{firstSeenAt === null ? words.neverSeen : <Time at={firstSeenAt} />}</dd>
        </div>
        <div>
          <dt>{words.lastSeen}</dt>
          <dd>{lastSeenAt === null ? words.neverSeen : <Ago at={lastSeenAt} />}</dd>
        </div>
        <div>
          <dt>{words.events}</dt>
          <dd>{countText(events)}</dd>
        </div>
        <div>
          <dt>{words.eventsPerMinute}</dt>
          <dd>{roundText(eventsPerMinute)}</dd>
        </div>
      </dl>
    </section>
  )
}

function OpenAlerts({ id }: { id: string }) {
  useSilences()
  const alerts = alertsByDevice.value.get(id) ?? []
  const [asked, ask] = useState<Alert | null>(null)
  return (
    <section class="card" aria-labelledby="device-alerts">
      <h2 id="device-alerts">{words.open}</h2>
      {alerts.length === 0 ? (
        <p class="quiet">{words.noOpen}</p>
      ) : (
        <ul class="alert-list device-alert-list" tabIndex={0}>
          {alerts.map(alert => (
            <AlertRow key={alert.id} alert={alert}>
              <AcknowledgeButton alert={alert} onAsk={ask} />
            </AlertRow>
          ))}
        </ul>
      )}
      <p class="device-all-alerts">
        <Link href={`/alerts?show=resolved&device=${encodeURIComponent(id)}`}>{words.resolvedAlerts}</Link>
      </p>
      {asked !== null && <AlertActionDialog action="acknowledge" alert={asked} onClose={() => ask(null)} />}
    </section>
  )
}

/** Everything about the device, newest first, of the kinds that the address names. */
function TimeLine({ id }: { id: string }) {
  const chosen = kinds.filter(kind => place.value.query.getAll('kinds').includes(kind))
  const query = { ...everything, devices: [id], kinds: chosen }
  const address = chosen.join(' ')
  const follower = useFollower(query, address)
  return (
    <section class="card device-time-line" aria-labelledby="device-time-line">
      <div class="view-head">
        <h2 id="device-time-line">{words.timeline}</h2>
        <FollowState follower={follower} />
      </div>
      <div class="filters">
        <KindsField chosen={chosen} onChange={changed => showKinds(id, changed)} />
      </div>
      {follower.problem.value !== null && (
        <Problem error={follower.problem.value} onRetry={() => follower.retry()} />
      )}
      <FeedList key={address} follower={follower} query={query} />
    </section>
  )
}

function showKinds(id: string, chosen: readonly Kind[]): void {
  const query = new URLSearchParams(chosen.map(kind => ['kinds', kind])).toString()
  go(query === '' ? pathOf('devices', id) : `${pathOf('devices', id)}?${query}`, { replace: true })
}
