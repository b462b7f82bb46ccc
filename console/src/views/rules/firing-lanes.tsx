// The firings of a dry run drawn over time, a lane for each key. The table below says the same in words.
import { useMemo } from 'preact/hooks'
import { severities } from '../../api/shapes.ts'
import type { Firing } from '../../api/shapes.ts'
import { SeverityMark } from '../../components/severity.tsx'
import { countText, shortTimeText } from '../../format.ts'
import { now } from '../../state/clock.ts'
import { texts } from '../../texts.ts'
import { barOf, lanesOf, rangeWithFirings, ticksOf } from './lanes.ts'
import type { Lane, TimeRange } from './lanes.ts'
import { timesText } from './times-text.ts'

const words = texts.dryRun
const LANES_MAX = 20
/** Width of a lane in the units of its drawing. */
const WIDTH = 1000
/** Narrowest bar, in these: what lasted a moment is seen, too. */
const BAR_MIN = 4

export interface FiringLanesProps {
  firings: readonly Firing[]
  range: TimeRange
  chosenKey: string | null
  /** Called with the first firing of the lane that was chosen. */
  onChoose: (firing: Firing) => void
}

export function FiringLanes({ firings, range: whole, chosenKey, onChoose }: FiringLanesProps) {
  const range = useMemo(() => rangeWithFirings(firings, whole), [firings, whole.from, whole.to])
  const { lanes, otherKeys, otherFirings } = useMemo(() => lanesOf(firings, LANES_MAX), [firings])
  const seen = severities.filter(severity => firings.some(firing => firing.severity === severity))
  return (
    <section aria-labelledby="lanes">
      <h3 id="lanes">{words.lanes}</h3>
      <p class="lane-legend">
        {seen.toReversed().map(severity => (
          <SeverityMark key={severity} severity={severity} />
        ))}
      </p>
      <ul class="lanes">
        {lanes.map(lane => (
          <li key={lane.key}>
            <button
              type="button"
              class="lane"
              aria-pressed={lane.key === chosenKey}
              aria-label={words.lane(lane.key, timesText(lane.firings.length))}
              title={lane.key}
              onClick={() => lane.firings[0] && onChoose(lane.firings[0])}
            >
              <span class="lane-key">{lane.key}</span>
              <LaneBars lane={lane} range={range} />
            </button>
          </li>
        ))}
      </ul>
      <p class="lane-axis" aria-hidden="true">
        {ticksOf(range, 2).map(at => (
          <span key={at}>{shortTimeText(at, now.peek())}</span>
        ))}
      </p>
      {otherKeys > 0 && <p class="quiet">{words.lanesMore(countText(otherKeys), countText(otherFirings))}</p>}
    </section>
  )
}

function LaneBars({ lane, range }: { lane: Lane; range: TimeRange }) {
  return (
    <svg class="lane-bars" viewBox={`0 0 ${WIDTH} 10`} preserveAspectRatio="none" aria-hidden="true">
      {lane.firings.map(firing => {
        const { left, width } = barOf(firing, range)
        const drawn = Math.max(BAR_MIN, width * WIDTH)
        return (
          <rect
            key={firing.at}
            class={`bar-${firing.severity}`}
            x={Math.min(WIDTH - drawn, left * WIDTH)}
            y="0"
            width={drawn}
            height="10"
          />
        )
      })}
    </svg>
  )
}
