// What a rule would have done: how often, when and for whom it fired, and why.
import { useState } from 'preact/hooks'
import type { DryRun, Firing } from '../../api/shapes.ts'
import { countText, wholeTimeText } from '../../format.ts'
import { texts } from '../../texts.ts'
import { CauseDialog } from './cause-dialog.tsx'
import { FiringLanes } from './firing-lanes.tsx'
import { FiringTable } from './firing-table.tsx'
import { FiringValues } from './firing-values.tsx'
import { timesText } from './times-text.ts'

const words = texts.dryRun

export interface DryRunResultProps {
  result: DryRun
  /** What was tried, as YAML. */
  text: string
}

/** The firing whose values are shown; one of the table's brings the focus along. */
interface Choice {
  firing: Firing
  fromTable: boolean
}

export function DryRunResult({ result, text }: DryRunResultProps) {
  const [choice, choose] = useState<Choice | null>(null)
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
      {errors > 0 && <p class="rule-error">{words.errors(timesText(errors), lastError ?? '')}</p>}
      {fired > firings.length && <p class="notice">{words.onlyFirst(countText(firings.length))}</p>}
      {firings.length > 0 && (
        <>
          <FiringLanes
            firings={firings}
            range={range}
            chosenKey={choice?.firing.key ?? null}
            onChoose={firing => choose({ firing, fromTable: false })}
          />
          {choice !== null && (
            <FiringValues
              key={`${choice.firing.key} ${choice.firing.at}`}
              firing={choice.firing}
              firings={firings.filter(({ key }) => key === choice.firing.key)}
              range={range}
              text={text}
              takesFocus={choice.fromTable}
            />
          )}
          <FiringTable
            firings={firings}
            onChoose={firing => choose({ firing, fromTable: true })}
            onExplain={explain}
          />
        </>
      )}
      {explained !== null && <CauseDialog firing={explained} onClose={() => explain(null)} />}
    </div>
  )
}

function headline({ fired, firings }: DryRun): string {
  if (fired === 0) return words.firedNever
  const keys = new Set(firings.map(({ key }) => key)).size
  return words.fired(timesText(fired), keys === 1 ? words.oneKey : words.keys(countText(keys)))
}
