// What a rule would have done: how often, when and for whom it fired, and why.
import { useState } from 'preact/hooks'
import type { DryRun, Firing } from '../../api/shapes.ts'
import { countText, wholeTimeText } from '../../format.ts'
import { texts } from '../../texts.ts'
import { CauseDialog } from './cause-dialog.tsx'
import { FiringLanes } from './firing-lanes.tsx'
import { FiringTable } from './firing-table.tsx'
import { FiringValues } from './firing-values.tsx'

const words = texts.dryRun

export function DryRunResult({ result }: { result: DryRun }) {
  const [chosen, choose] = useState<Firing | null>(null)
  const [explained, explain] = useState<Firing | null>(null)
  const { firings, fired, errors, lastError } = result
  const range = { from: Date.parse(result.from), to: Date.parse(result.to) }
  const timeText = (time: string) => wholeTimeText(Date.parse(time))
  return (
    <div class="dry-run-result">
      <h3>{headline(result)}</h3>
      <p class="quiet">
        {words.looked(countText(result.looked), timeText(result.from), timeText(result.to))}
      </p>
      {!result.complete && <p class="notice">{words.incomplete(timeText(result.to))}</p>}
      {errors > 0 && <p class="rule-error">{words.errors(countText(errors), lastError ?? '')}</p>}
      {fired > firings.length && <p class="notice">{words.onlyFirst(countText(firings.length))}</p>}
      {firings.length > 0 && (
        <>
          <FiringLanes firings={firings} range={range} chosenKey={chosen?.key ?? null} onChoose={choose} />
          {chosen !== null && (
            <FiringValues
              key={`${chosen.key} ${chosen.at}`}
              firing={chosen}
              firings={firings.filter(({ key }) => key === chosen.key)}
              range={range}
            />
          )}
          <FiringTable firings={firings} onChoose={choose} onExplain={explain} />
        </>
      )}
      {explained !== null && <CauseDialog firing={explained} onClose={() => explain(null)} />}
    </div>
  )
}

function headline({ fired, firings }: DryRun): string {
  if (fired === 0) return words.firedNever
  if (fired === 1) return words.firedOnce
  return words.fired(countText(fired), countText(new Set(firings.map(({ key }) => key)).size))
}
