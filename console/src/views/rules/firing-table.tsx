// The firings of a dry run, one by one.
import { useState } from 'preact/hooks'
import type { Firing } from '../../api/shapes.ts'
import { SeverityMark } from '../../components/severity.tsx'
import { Time } from '../../components/time.tsx'
import { countText, durationText, wholeTimeText } from '../../format.ts'
import { texts } from '../../texts.ts'

const words = texts.dryRun
const SHOWN_FIRST = 25
const SHOWN_MORE = 100

export interface FiringTableProps {
  firings: readonly Firing[]
  /** Called to draw the values around one. */
  onChoose: (firing: Firing) => void
  /** Called to show what caused one. */
  onExplain: (firing: Firing) => void
}

export function FiringTable({ firings, onChoose, onExplain }: FiringTableProps) {
  const [shown, show] = useState(SHOWN_FIRST)
  return (
    <section aria-labelledby="firings">
      <h3 id="firings">{words.table}</h3>
      <div class="table-scroll" tabIndex={0} role="group" aria-labelledby="firings">
        <table class="table firing-table">
          <thead>
            <tr>
              <th scope="col">{words.at}</th>
              <th scope="col">{words.lasted}</th>
              <th scope="col">{words.severity}</th>
              <th scope="col">{words.key}</th>
              <th scope="col">{words.titleColumn}</th>
              <th scope="col" class="number">
                {words.count}
              </th>
              <th scope="col">
                <span class="visually-hidden">{words.cause}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {firings.slice(0, shown).map(firing => (
              <FiringRow
                key={`${firing.key} ${firing.at}`}
                firing={firing}
                onChoose={onChoose}
                onExplain={onExplain}
              />
            ))}
          </tbody>
        </table>
      </div>
      {firings.length > shown && (
        <p>
          <button type="button" class="button" onClick={() => show(shown + SHOWN_MORE)}>
            {texts.common.more} ({countText(firings.length - shown)})
          </button>
        </p>
      )}
    </section>
  )
}

function FiringRow({ firing, onChoose, onExplain }: Omit<FiringTableProps, 'firings'> & { firing: Firing }) {
  const { at, clearedAt, severity, key, title, count } = firing
  const atText = wholeTimeText(Date.parse(at))
  return (
    <tr>
      <td class="no-wrap">
        <Time at={at} />
      </td>
      <td class="no-wrap">
        {clearedAt === null ? words.still : durationText(Date.parse(clearedAt) - Date.parse(at))}
      </td>
      <td>
        <SeverityMark severity={severity} />
      </td>
      <td class="firing-key">{key}</td>
      <td class="firing-title">{title}</td>
      <td class="number">{countText(count)}</td>
      <td class="no-wrap">
        <button
          type="button"
          class="button button-small"
          aria-label={words.showValuesOf(key, atText)}
          onClick={() => onChoose(firing)}
        >
          {words.showValues}
        </button>{' '}
        <button
          type="button"
          class="button button-small"
          aria-label={words.showCauseOf(key, atText)}
          onClick={() => onExplain(firing)}
        >
          {words.showCause}
        </button>
      </td>
    </tr>
  )
}
