// The values of a device around a firing, with the times behind them in which the rule would have fired.
import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks'
import { readAfter, readBack, readNotification } from '../../api/notifications.ts'
import type { Firing, Notification } from '../../api/shapes.ts'
import { Chart } from '../../components/chart.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { wholeTimeText } from '../../format.ts'
import { texts } from '../../texts.ts'
import { isGone } from './cause-dialog.tsx'
import { rangeOfFiring } from './lanes.ts'
import type { TimeRange } from './lanes.ts'
import { eventsAround, valuesOf } from './values-around.ts'
import type { FoundEvents } from './values-around.ts'

const words = texts.dryRun
const limits = { eventsMax: 1000, pagesMax: 12 }
const PAGE = 200
const FIELDS_MAX = 6

export interface FiringValuesProps {
  /** Around this one the values are read. */
  firing: Firing
  /** All of its key. */
  firings: readonly Firing[]
  range: TimeRange
  /** The rule: what it names is drawn first. */
  text: string
  /** Whether the focus goes here. */
  takesFocus: boolean
}

export function FiringValues({ firing, firings, range, text, takesFocus }: FiringValuesProps) {
  const element = useRef<HTMLElement>(null)
  useEffect(() => {
    element.current?.scrollIntoView({ block: 'nearest' })
    if (takesFocus) element.current?.focus()
  }, [])
  const { cause, device } = firing
  const { from, to } = range
  const load = useCallback(
    (signal: AbortSignal) => readValues(cause, { from, to }, signal),
    [cause, from, to]
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <section
      ref={element}
      tabIndex={-1}
      class="firing-values"
      aria-labelledby="values"
      aria-busy={value === null && error === null}
    >
      <h3 id="values">{words.values(device === '' ? firing.key : device)}</h3>
      {cause === '' && <p class="quiet">{words.noCause}</p>}
      {error !== null &&
        (isGone(error) ? <p class="quiet">{words.causeGone}</p> : <Problem error={error} onRetry={reload} />)}
      {cause !== '' && value === null && error === null && <Loading />}
      {value !== null && cause !== '' && (
        <ValueCharts found={value} firings={firings} range={range} text={text} />
      )}
    </section>
  )
}

/** What the firing's device sent on the topic that made it fire; on any, where no event did. */
async function readValues(cursor: string, range: TimeRange, signal: AbortSignal): Promise<FoundEvents> {
  if (cursor === '') return { events: [], complete: true }
  const cause = await readNotification(cursor, signal)
  const filter = filterOf(cause)
  return eventsAround(cause, {
    range,
    limits,
    reads: {
      before: place => readBack({ before: place }, filter, PAGE, signal),
      after: place => readAfter(place, filter, PAGE, signal)
    }
  })
}

function filterOf(cause: Notification) {
  return {
    kinds: ['event'],
    devices: [cause.device],
    ...(cause.kind === 'event' && { topics: [cause.topic] })
  }
}

interface ValueChartsProps {
  found: FoundEvents
  firings: readonly Firing[]
  range: TimeRange
  text: string
}

function ValueCharts({ found, firings, range, text }: ValueChartsProps) {
  const { events, complete } = found
  const { times, fields } = useMemo(() => valuesOf(events, text), [events, text])
  const spans = useMemo(
    () => firings.map(firing => ({ ...rangeOfFiring(firing, range), severity: firing.severity })),
    [firings.length, range.from, range.to]
  )
  const charts = useMemo(
    () => fields.slice(0, FIELDS_MAX).map(field => ({ name: field.name, series: [field] })),
    [fields]
  )
  const [first] = events
  if (first === undefined || charts.length === 0) return <p class="quiet">{words.valuesNone}</p>
  const topics = new Set(events.map(({ topic }) => topic))
  return (
    <>
      <p class="quiet">
        {topics.size === 1 && words.valuesNear(first.topic)}{' '}
        {!complete && words.valuesCut(wholeTimeText(times[0] ?? 0), wholeTimeText(times.at(-1) ?? 0))}
      </p>
      <div class="value-charts">
        {charts.map(({ name, series }) => (
          <Chart key={name} title={name} times={times} series={series} spans={spans} fromZero={false} />
        ))}
      </div>
      {fields.length > FIELDS_MAX && (
        <p class="quiet">
          {words.valuesMore(
            fields
              .slice(FIELDS_MAX)
              .map(({ name }) => name)
              .join(', ')
          )}
        </p>
      )}
    </>
  )
}
