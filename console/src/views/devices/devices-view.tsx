// All devices, by their ids: found by text and presence, read as far as one scrolls, and kept up to date where one looks.
import type { RefObject } from 'preact'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { get } from '../../api/requests.ts'
import type { DevicePage } from '../../api/shapes.ts'
import { Loading } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { useRowHeight } from '../../components/row-height.ts'
import { VirtualList } from '../../components/virtual-list.tsx'
import { countText } from '../../format.ts'
import { useKeys } from '../../state/keys.ts'
import { go, pathOf, place } from '../../state/router.ts'
import { may } from '../../state/session.ts'
import { texts } from '../../texts.ts'
import { alertsByDevice } from './device-alerts.ts'
import { DeviceFilters } from './device-filters.tsx'
import { DeviceFinder } from './device-finder.ts'
import { addressOfDeviceQuery, deviceQueryOfAddress } from './device-query.ts'
import type { DeviceQuery } from './device-query.ts'
import { DeviceRow } from './device-row.tsx'
import { RegisterDialog } from './registration.tsx'

const REFRESH_MS = 3000
/** Rows of a step by Page Up and Page Down. */
const PAGE_ROWS = 12
const words = texts.devices

export function DevicesView() {
  const query = deviceQueryOfAddress(place.value.query)
  const address = addressOfDeviceQuery(query)
  const finder = useFinder(query)
  const [registers, register] = useState(false)
  const activation = useActivation(finder, address)
  return (
    <div class="devices-view">
      <div class="view-head">
        <h1>{words.title}</h1>
        <span class="quiet device-count" role="status">
          {finder.loaded.value && countOf(finder)}
        </span>
        {may('admin') && (
          <button type="button" class="button" onClick={() => register(true)}>
            {words.register}
          </button>
        )}
      </div>
      <DeviceFilters query={query} onChange={showQuery} onLeaveSearch={() => activation.moveTo(0)} />
      {finder.problem.value !== null && (
        <Problem error={finder.problem.value} onRetry={() => void finder.refresh()} />
      )}
      <Devices finder={finder} query={query} address={address} activation={activation} />
      {registers && <RegisterDialog onClose={() => register(false)} onDone={() => void finder.refresh()} />}
    </div>
  )
}

function showQuery(part: Partial<DeviceQuery>): void {
  const query = { ...deviceQueryOfAddress(place.value.query), ...part }
  go(addressOfDeviceQuery(query), { replace: true })
}

function countOf(finder: DeviceFinder): string {
  // Read, so that this is counted anew when the list has changed.
  const count = finder.shown.value < 0 ? 0 : finder.length
  if (count === 0) return ''
  return finder.complete ? words.count(count, countText(count)) : words.countAtLeast(countText(count))
}

/** Finds what the address asks for, and reads anew what is seen while the page is. */
function useFinder(query: DeviceQuery): DeviceFinder {
  const finder = useMemo(
    () =>
      new DeviceFinder({
        read: ({ search, status, cursor, limit }, signal) =>
          get<DevicePage>('/v1/devices', { search, status: status ?? undefined, cursor, limit }, signal)
      }),
    []
  )
  useEffect(() => void finder.find(query), [finder, query.search, query.status])
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void finder.refresh()
    }, REFRESH_MS)
    return () => {
      clearInterval(timer)
      finder.end()
    }
  }, [finder])
  return finder
}

interface Activation {
  /** Index of the row that keys act on; -1: none. */
  active: number
  moveTo: (index: number) => void
  activate: (id: string) => void
  toFocus: RefObject<string | null>
}

/** The row that keys act on: it has the focus, and stays the same device when rows before it come or go. */
function useActivation(finder: DeviceFinder, address: string): Activation {
  const [chosen, choose] = useState<{ id: string; address: string } | null>(null)
  const toFocus = useRef<string | null>(null)
  const active = chosen?.address === address && finder.shown.value >= 0 ? finder.indexOf(chosen.id) : -1
  const moveTo = (index: number) => {
    const device = finder.at(Math.max(0, Math.min(finder.length - 1, index)))
    if (device === undefined) return
    toFocus.current = device.id
    choose({ id: device.id, address })
  }
  return { active, moveTo, activate: id => choose({ id, address }), toFocus }
}

interface DevicesProps {
  finder: DeviceFinder
  query: DeviceQuery
  address: string
  activation: Activation
}

function Devices({ finder, query, address, activation }: DevicesProps) {
  const { active, moveTo, activate, toFocus } = activation
  const rowHeightPx = useRowHeight({ widePx: 40, narrowPx: 84 })
  const topSignal = useChanges(address)
  const onSeen = useCallback((first: number, end: number) => void finder.see(first, end), [finder])
  useKeys({ j: () => moveTo(active + 1), k: () => moveTo(active - 1) })
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, () => void> = {
      ArrowDown: () => moveTo(active + 1),
      ArrowUp: () => moveTo(active - 1),
      PageDown: () => moveTo(active + PAGE_ROWS),
      PageUp: () => moveTo(active - PAGE_ROWS),
      Home: () => moveTo(0),
      End: () => moveTo(finder.length - 1)
    }
    const step = steps[event.key]
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    step()
  }
  const count = finder.shown.value < 0 ? 0 : finder.length
  const alerts = alertsByDevice.value
  if (!finder.loaded.value && count === 0) return finder.problem.value === null ? <Loading /> : null
  if (count === 0) return query.search === '' && query.status === null ? <NoDevices /> : <NothingFound />
  return (
    <div
      class="device-list"
      role="table"
      aria-label={words.list}
      aria-rowcount={finder.complete ? count + 1 : -1}
      aria-busy={!finder.loaded.value}
    >
      <div role="rowgroup" class="device-head">
        <div class="device-row device-columns" role="row" aria-rowindex={1}>
          {Object.entries(words.columns).map(([name, title]) => (
            <span key={name} role="columnheader" class={`device-${name}`}>
              {title}
            </span>
          ))}
        </div>
      </div>
      <VirtualList
        count={count}
        rowHeightPx={rowHeightPx}
        keyOf={index => finder.at(index)?.id ?? String(index)}
        indexOf={id => finder.indexOf(id)}
        label={words.list}
        role="rowgroup"
        revealKey={active < 0 ? null : (finder.at(active)?.id ?? null)}
        revealIndex={active}
        topSignal={topSignal}
        onSeen={onSeen}
        onKeyDown={onKeyDown}
        renderRow={index => {
          const device = finder.at(index)
          return (
            device && (
              <DeviceRow
                device={device}
                index={index}
                alerts={alerts.get(device.id) ?? []}
                active={index === active}
                toFocus={toFocus}
                onActive={() => activate(device.id)}
              />
            )
          )
        }}
      />
    </div>
  )
}

/** Counts how often a value has changed. */
function useChanges(value: string): number {
  const last = useRef({ value, changes: 0 })
  if (last.current.value !== value) last.current = { value, changes: last.current.changes + 1 }
  return last.current.changes
}

function NothingFound() {
  return (
    <div class="empty">
      <p>{words.nothingFound}</p>
      <p>
        <button type="button" class="button" onClick={() => go(pathOf('devices'), { replace: true })}>
          {words.clear}
        </button>
      </p>
    </div>
  )
}

function NoDevices() {
  const host = location.hostname
  return (
    <section class="card no-devices">
      <h2>{words.empty}</h2>
      <p>{words.connectLead}</p>
      <pre class="payload" tabIndex={0}>
        {`mosquitto_pub -h ${host} -i pump-7 -t site/1/pump -q 1 \\\n  -m '{"celsius": 21.4, "humidity": 40}'`}
      </pre>
      <p class="quiet">{words.connectRegistered}</p>
    </section>
  )
}
