// What one wants to know first: what is wrong now, and how the server does.
import { useEffect, useState } from 'preact/hooks'
import { REFRESH_MS, readRules } from '../../api/alerting.ts'
import { get } from '../../api/requests.ts'
import { sampleColumns, severities } from '../../api/shapes.ts'
import type { Alert, Overview } from '../../api/shapes.ts'
import { AlertRow } from '../../components/alert-row.tsx'
import { AcknowledgeButton, AlertActionDialog } from '../../components/alert-actions.tsx'
import { Chart } from '../../components/chart.tsx'
import { Link } from '../../components/link.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { SeverityMark } from '../../components/severity.tsx'
import { countText } from '../../format.ts'
import { firingCounts, openAlerts, openAlertsLoaded } from '../../state/open-alerts.ts'
import { useSilences } from '../../state/silences.ts'
import { texts } from '../../texts.ts'

const words = texts.overview
const ALERTS_SHOWN = 8

export function OverviewView() {
  const { overview, error, reload } = useOverview()
  return (
    <div class="overview">
      <h1>{words.title}</h1>
      <Verdict />
      {error !== null && <Problem error={error} onRetry={reload} />}
      {overview !== null && !overview.writable && (
        <p class="problem" role="alert">
          {words.unwritable(overview.unwritableReason)}
        </p>
      )}
      <OpenAlerts />
      {overview === null ? error === null && <Loading /> : <Figures overview={overview} />}
    </div>
  )
}

function Verdict() {
  const rules = useLoaded(readRules, { everyMs: REFRESH_MS })
  if (!openAlertsLoaded.value) return <Loading />
  const counts = firingCounts.value
  const firing = severities.reduce((sum, severity) => sum + counts[severity], 0)
  const acknowledged = openAlerts.value.length - firing
  const worst = severities.findLast(severity => counts[severity] > 0)
  // That nothing is wrong is not said before it is known whether anything is looked at.
  if (firing + acknowledged === 0 && rules.value === null && rules.error === null) return <Loading />
  if (rules.value?.length === 0 && firing + acknowledged === 0)
    return (
      <p class="notice" role="status">
        {words.noRules}
      </p>
    )
  return (
    <div class={`verdict verdict-${worst ?? 'well'}`} role="status">
      <span>{firing === 0 ? words.allWell : words.wrong(firing)}</span>
      <span class="counts">
        {severities
          .toReversed()
          .filter(severity => counts[severity] > 0)
          .map(severity => (
            <span key={severity}>
              {counts[severity]} <SeverityMark severity={severity} />
            </span>
          ))}
        {acknowledged > 0 && <span class="quiet">{words.acknowledgedToo(acknowledged)}</span>}
      </span>
    </div>
  )
}

function OpenAlerts() {
  useSilences()
  const alerts = openAlerts.value
  const [asked, ask] = useState<Alert | null>(null)
  return (
    <>
      {alerts.length > 0 && (
        <section class="card" aria-labelledby="open-alerts">
          <h2 id="open-alerts">{words.openAlerts}</h2>
          <ul class="alert-list">
            {alerts.slice(0, ALERTS_SHOWN).map(alert => (
              <AlertRow key={alert.id} alert={alert}>
                <AcknowledgeButton alert={alert} onAsk={ask} />
              </AlertRow>
            ))}
          </ul>
          {alerts.length > ALERTS_SHOWN && (
            <p>
              <Link href="/alerts">
                {words.allAlerts} ({countText(alerts.length)})
              </Link>
            </p>
          )}
        </section>
      )}
      {asked !== null && <AlertActionDialog action="acknowledge" alert={asked} onClose={() => ask(null)} />}
    </>
  )
}

function Figures({ overview }: { overview: Overview }) {
  const { samples, devices, behind } = overview
  return (
    <>
      {behind > BEHIND_MUCH && <p class="notice">{words.behind(countText(behind))}</p>}
      <div class="tiles">
        <section class="card">
          <Chart
            title={words.eventsPerSecond}
            times={samples.at}
            series={[{ name: words.eventsPerSecond, values: samples.eventsPerSecond }]}
          />
        </section>
        <section class="card">
          <Chart
            title={`${words.devices} ${words.ofKnown(countText(devices.known))}`}
            times={samples.at}
            series={[{ name: words.devices, values: samples.devicesOnline, steps: true }]}
          />
        </section>
        <section class="card">
          <Chart
            title={words.connections}
            times={samples.at}
            headline={lastSum(samples.mqttConnections, samples.tcpConnections)}
            series={[
              { name: words.mqtt, values: samples.mqttConnections, steps: true },
              { name: words.tcp, values: samples.tcpConnections, steps: true },
              { name: words.subscribers, values: samples.subscribers, steps: true }
            ]}
          />
        </section>
        <section class="card">
          <Chart
            title={words.delivery}
            unit={words.milliseconds}
            times={samples.at}
            series={[
              { name: words.median, values: samples.deliveryMedianMs },
              { name: words.p99, values: samples.deliveryP99Ms },
              { name: words.stored, values: samples.storedP99Ms }
            ]}
          />
        </section>
        <section class="card">
          <Chart
            title={words.loopDelay}
            unit={words.milliseconds}
            times={samples.at}
            series={[{ name: words.loopDelay, values: samples.loopDelayP99Ms }]}
          />
        </section>
        <section class="card">
          <Chart
            title={words.openAlertsChart}
            times={samples.at}
            headline={lastSum(samples.criticalAlerts, samples.majorAlerts, samples.otherAlerts)}
            series={[
              {
                name: texts.severities.critical,
                values: samples.criticalAlerts,
                steps: true,
                colour: '--critical'
              },
              {
                name: texts.severities.major,
                values: samples.majorAlerts,
                steps: true,
                colour: '--major'
              },
              { name: words.otherAlerts, values: samples.otherAlerts, steps: true, colour: '--minor' }
            ]}
          />
        </section>
      </div>
    </>
  )
}

function lastSum(...columns: readonly (number | null)[][]): number {
  return columns.reduce((sum, values) => sum + (values.at(-1) ?? 0), 0)
}

/** Rules that are this many notifications behind are seconds behind on a busy server. */
const BEHIND_MUCH = 10_000
/** An hour at the server's interval, and some more. */
const SAMPLES_MAX = 1500

/** The overview, kept up to date by asking for what is new; samples that are here are not sent again. */
function useOverview(): { overview: Overview | null; error: unknown; reload: () => void } {
  const [state, setState] = useState<{ overview: Overview | null; error: unknown }>({
    overview: null,
    error: null
  })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let overview: Overview | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    const ended = new AbortController()
    const ask = async () => {
      let waitMs = 5000
      try {
        if (!document.hidden || overview === null) {
          const after = overview?.samples.at.at(-1)
          const newer = await get<Overview>('/v1/overview', { after }, ended.signal)
          // Samples that are before those that are here are of a clock that was set back, or of another server.
          const isBehind = after !== undefined && Date.parse(newer.at) < after
          if (isBehind) {
            overview = null
            timer = setTimeout(() => void ask(), 0)
            return
          }
          overview = overview === null ? newer : joined(overview, newer)
          waitMs = newer.intervalMs
          setState({ overview, error: null })
        }
      } catch (error) {
        if (ended.signal.aborted) return
        setState(before => ({ ...before, error }))
      }
      if (!ended.signal.aborted) timer = setTimeout(() => void ask(), waitMs)
    }
    void ask()
    return () => {
      ended.abort()
      clearTimeout(timer)
    }
  }, [turn])
  return { ...state, reload: () => setTurn(turn + 1) }
}

function joined(before: Overview, newer: Overview): Overview {
  const columns = ['at', ...sampleColumns] as const
  const samples = Object.fromEntries(
    columns.map(name => [name, [...before.samples[name], ...newer.samples[name]].slice(-SAMPLES_MAX)])
  ) as unknown as Overview['samples']
  return { ...newer, samples }
}
