// What is wrong, the worst first, live; and what was wrong before. Acted on by buttons or keys.
import { useMemo, useRef, useState } from 'preact/hooks'
import type { Alert } from '../../api/shapes.ts'
import { AlertActionDialog, canDo } from '../../components/alert-actions.tsx'
import type { AlertAction } from '../../components/alert-actions.tsx'
import { FilterForm } from '../../components/filter-form.tsx'
import { Link } from '../../components/link.tsx'
import { Loading } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { useRowHeight } from '../../components/row-height.ts'
import { SeveritySelect } from '../../components/severity-select.tsx'
import { TypedField } from '../../components/typed-field.tsx'
import { VirtualList } from '../../components/virtual-list.tsx'
import { addressOfAlertQuery, alertPasses, alertQueryOfAddress } from '../../alerts/alert-query.ts'
import type { AlertQuery } from '../../alerts/alert-query.ts'
import { termsOf } from '../../feed/feed-query.ts'
import { countText } from '../../format.ts'
import { useKeys } from '../../state/keys.ts'
import { openAlerts, openAlertsCut, openAlertsLoaded } from '../../state/open-alerts.ts'
import { go, pathOf, place } from '../../state/router.ts'
import { useSilences } from '../../state/silences.ts'
import { texts } from '../../texts.ts'
import { AlertListRow } from './alert-list-row.tsx'
import { useResolvedAlerts } from './resolved-alerts.ts'

const words = texts.alerts

export function AlertsView() {
  useSilences()
  const query = alertQueryOfAddress(place.value.query)
  return (
    <div class="feed-view">
      <div class="view-head">
        <h1>{words.title}</h1>
        <ShowChoice query={query} />
      </div>
      <Filters query={query} />
      {query.show === 'open' ? <OpenAlerts query={query} /> : <ResolvedAlerts query={query} />}
    </div>
  )
}

function show(query: AlertQuery): void {
  const address = addressOfAlertQuery(query)
  go(address === '' ? '/alerts' : `/alerts?${address}`, { replace: true })
}

function ShowChoice({ query }: { query: AlertQuery }) {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{words.show}</legend>
      {(['open', 'resolved'] as const).map(choice => (
        <label key={choice} class="segment">
          <input
            type="radio"
            name="show"
            checked={query.show === choice}
            onChange={() => show({ ...query, show: choice })}
          />
          <span>
            {words.shows[choice]}
            {choice === 'open' && openAlertsLoaded.value && ` (${countText(openAlerts.value.length)})`}
          </span>
        </label>
      ))}
    </fieldset>
  )
}

function Filters({ query }: { query: AlertQuery }) {
  return (
    <FilterForm label={words.title} active={addressOfAlertQuery({ ...query, show: 'open' }) !== ''}>
      <SeveritySelect value={query.severityMin} onChange={severityMin => show({ ...query, severityMin })} />
      <TypedField
        label={words.rules}
        hint={words.rulesHint}
        value={query.rules.join(', ')}
        onTyped={text => show({ ...query, rules: termsOf(text) })}
        search
      />
      <TypedField
        label={texts.feed.devices}
        hint={texts.feed.devicesHint}
        value={query.devices.join(', ')}
        onTyped={text => show({ ...query, devices: termsOf(text) })}
      />
      {addressOfAlertQuery({ ...query, show: 'open' }) !== '' && (
        <button
          type="button"
          class="button"
          onClick={() => show({ show: query.show, severityMin: 'info', rules: [], devices: [] })}
        >
          {texts.feed.clear}
        </button>
      )}
    </FilterForm>
  )
}

function OpenAlerts({ query }: { query: AlertQuery }) {
  const all = openAlerts.value
  const address = addressOfAlertQuery(query)
  const alerts = useMemo(() => all.filter(alert => alertPasses(query, alert)), [all, address])
  if (!openAlertsLoaded.value) return <Loading />
  if (alerts.length === 0) return <p class="empty">{all.length === 0 ? words.none : words.nonePass}</p>
  return (
    <>
      {openAlertsCut.value && <p class="notice">{words.cut}</p>}
      <AlertList alerts={alerts} />
    </>
  )
}

function ResolvedAlerts({ query }: { query: AlertQuery }) {
  const { alerts, ended, error, loadMore } = useResolvedAlerts(query)
  if (error !== null) return <Problem error={error} onRetry={loadMore} />
  if (alerts.length === 0) return ended ? <p class="empty">{words.noneResolved}</p> : <Loading />
  return <AlertList alerts={alerts} onNearEnd={loadMore} />
}

function AlertList({ alerts, onNearEnd }: { alerts: readonly Alert[]; onNearEnd?: () => void }) {
  const rowHeightPx = useRowHeight({ widePx: 46, narrowPx: 84 })
  const [current, setCurrent] = useState<string | null>(null)
  const toFocus = useRef<string | null>(null)
  const [asked, ask] = useState<{ action: AlertAction; alert: Alert } | null>(null)
  const index = alerts.findIndex(({ id }) => id === current)
  const moveTo = (to: number) => {
    const alert = alerts[Math.max(0, Math.min(alerts.length - 1, to))]
    if (alert === undefined) return
    toFocus.current = alert.id
    setCurrent(alert.id)
  }
  const act = (action: AlertAction) => {
    const alert = alerts[index]
    if (alert !== undefined && canDo(action, alert)) ask({ action, alert })
  }
  const open = () => {
    if (current !== null && index >= 0) go(pathOf('alerts', current))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, () => void> = {
      ArrowDown: () => moveTo(index + 1),
      ArrowUp: () => moveTo(index - 1),
      Home: () => moveTo(0),
      End: () => moveTo(alerts.length - 1)
    }
    // Enter on a button or link inside a row is that button's.
    if (event.target === event.currentTarget) steps['Enter'] = open
    const step = steps[event.key]
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    step()
  }
  useKeys({
    j: () => moveTo(index + 1),
    k: () => moveTo(index - 1),
    Enter: open,
    a: () => act('acknowledge'),
    r: () => act('resolve'),
    s: () => act('silence')
  })
  return (
    <>
      <div class="feed-list" role="table" aria-label={words.list} aria-rowcount={alerts.length + 1}>
        <div role="rowgroup" class="visually-hidden">
          <div role="row" aria-rowindex={1}>
            {Object.entries(words.columns).map(([name, title]) => (
              <span key={name} role="columnheader">
                {title}
              </span>
            ))}
          </div>
        </div>
        <VirtualList
          count={alerts.length}
          rowHeightPx={rowHeightPx}
          keyOf={at => alerts[at]?.id ?? String(at)}
          label={words.list}
          role="rowgroup"
          revealKey={current}
          revealIndex={index}
          onKeyDown={onKeyDown}
          {...(onNearEnd && { onNearEnd })}
          renderRow={at => {
            const alert = alerts[at]
            if (alert === undefined) return null
            return (
              <AlertListRow
                alert={alert}
                index={at}
                current={alert.id === current}
                toFocus={toFocus}
                onCurrent={() => setCurrent(alert.id)}
                onAct={action => ask({ action, alert })}
              />
            )
          }}
        />
      </div>
      {asked !== null && <AlertActionDialog {...asked} onClose={() => ask(null)} />}
      <p class="quiet keys-hint">
        {words.keysHint} <Link href="/feed?kinds=alert&kinds=delivery">{words.inFeed}</Link>
      </p>
    </>
  )
}
