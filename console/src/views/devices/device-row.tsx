// One device of the list, on a line (on three in a narrow window).
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Alert, Device } from '../../api/shapes.ts'
import { Link } from '../../components/link.tsx'
import { SeverityMark } from '../../components/severity.tsx'
import { Ago } from '../../components/time.tsx'
import { roundText } from '../../format.ts'
import { pathOf } from '../../state/router.ts'
import { texts } from '../../texts.ts'
import { lastValuesText } from './last-values.ts'
import { PresenceMark } from './presence-mark.tsx'

const words = texts.devices

export interface DeviceRowProps {
  device: Device
  index: number
  /** Its open alerts, the worst first. */
  alerts: readonly Alert[]
  active: boolean
  /** Id of the device whose link gets the focus as soon as it is in the document. */
  toFocus: RefObject<string | null>
  onActive: () => void
}

export function DeviceRow({ device, index, alerts, active, toFocus, onActive }: DeviceRowProps) {
  const { id, presence, lastSeenAt, last, eventsPerMinute, registered } = device
  const row = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!active || toFocus.current !== id) return
    toFocus.current = null
    row.current?.querySelector('a')?.focus({ preventScroll: true })
  })
  return (
    <div
      ref={row}
      class={active ? 'device-row row-selected' : 'device-row'}
      role="row"
      aria-rowindex={index + 2}
      onFocusIn={onActive}
    >
      <span role="cell" class="device-presence">
        <PresenceMark presence={presence} />
      </span>
      <span role="cell" class="device-id" title={id}>
        <Link href={pathOf('devices', id)}>{id}</Link>
      </span>
      <span role="cell" class="device-seen">
        {lastSeenAt === null ? words.neverSeen : <Ago at={lastSeenAt} />}
      </span>
      <span role="cell" class="device-values">
        {last === null ? <span class="quiet">{words.noEvent}</span> : <LastValues last={last} />}
      </span>
      <span role="cell" class="device-rate">
        {words.perMinute(roundText(eventsPerMinute))}
      </span>
      <span role="cell" class={registered ? 'device-registered' : 'device-registered quiet'}>
        {registered ? words.registered : words.notRegistered}
      </span>
      <span role="cell" class="device-alerts">
        <AlertsMark id={id} alerts={alerts} />
      </span>
    </div>
  )
}

function LastValues({ last }: { last: NonNullable<Device['last']> }) {
  const text = lastValuesText(last)
  return (
    <span title={`${last.topic}: ${text}`}>
      {text} <span class="quiet">{last.topic}</span>
    </span>
  )
}

/** A link to the alert, or to all of the device's; nothing where there is none. */
function AlertsMark({ id, alerts }: { id: string; alerts: readonly Alert[] }) {
  const [worst] = alerts
  if (worst === undefined) return null
  const href = alerts.length === 1 ? pathOf('alerts', worst.id) : `/alerts?device=${encodeURIComponent(id)}`
  const says = `${words.openAlerts(alerts.length)}, ${texts.severities[worst.severity]}: ${worst.title}`
  return (
    <Link href={href} label={says}>
      <SeverityMark severity={worst.severity} />
      {alerts.length > 1 && ` ×${alerts.length}`}
    </Link>
  )
}
