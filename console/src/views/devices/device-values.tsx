// The numbers that a device sends, a small chart for each, with its alerts behind them.
import { useCallback, useEffect, useMemo } from 'preact/hooks'
import { readBack } from '../../api/notifications.ts'
import { get } from '../../api/requests.ts'
import type { Alert, AlertPage } from '../../api/shapes.ts'
import { Chart } from '../../components/chart.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { feed } from '../../state/feed.ts'
import { texts } from '../../texts.ts'
import { spansOf } from './alert-spans.ts'
import { alertsByDevice } from './device-alerts.ts'
import { ValueFollower } from './value-follower.ts'
import type { ValueSeries } from './value-series.ts'

/** The newest alerts are drawn. */
const ALERTS_MAX = 100
const words = texts.devices

export function DeviceValues({ id }: { id: string }) {
  const follower = useMemo(() => new ValueFollower({ feed, readBack, device: id }), [id])
  useEffect(() => {
    follower.start()
    return () => follower.end()
  }, [follower])
  const alerts = useAlertsOf(id)
  const version = follower.shown.value
  const all = follower.series.all
  return (
    <section class="card" aria-labelledby="device-values">
      <h2 id="device-values">{words.charts}</h2>
      {follower.problem.value !== null && (
        <Problem error={follower.problem.value} onRetry={() => void follower.load()} />
      )}
      {!follower.loaded.value && follower.problem.value === null && <Loading />}
      {follower.loaded.value && all.length === 0 && <p class="quiet">{words.noCharts}</p>}
      <div class="device-charts">
        {all.map(series => (
          <ValueChart
            key={`${series.topic}\n${series.field}`}
            series={series}
            alerts={alerts}
            version={version}
          />
        ))}
      </div>
      {alerts.length > 0 && all.length > 0 && <p class="quiet">{words.spans}</p>}
      {follower.series.leftOut > 0 && <p class="quiet">{words.chartsLeftOut(follower.series.leftOut)}</p>}
    </section>
  )
}

interface ValueChartProps {
  series: ValueSeries
  alerts: readonly Alert[]
  /** Grows when `series` has changed. */
  version: number
}

function ValueChart({ series, alerts, version }: ValueChartProps) {
  const { topic, field, times, values } = series
  const title = field === 'value' ? topic : `${field} · ${topic}`
  const drawn = useMemo(
    () => ({
      times: [...times],
      series: [{ name: title, values: [...values] }],
      spans: spansOf(alerts, topic, Date.now())
    }),
    [version, alerts, series]
  )
  return <Chart title={title} fromZero={false} heightPx={120} {...drawn} />
}

const none: readonly Alert[] = []

/** The newest alerts of the device, open or over; asked for anew when its open ones change. */
function useAlertsOf(id: string): readonly Alert[] {
  const open = (alertsByDevice.value.get(id) ?? none).map(alert => alert.id).join(' ')
  const load = useCallback(
    (signal: AbortSignal) => get<AlertPage>('/v1/alerts', { devices: [id], limit: ALERTS_MAX }, signal),
    [id]
  )
  const { value, reload } = useLoaded(load)
  useEffect(reload, [open])
  return value?.items ?? none
}
