// No event for so long.
import type { Condition, Happening, KeyState, Step } from './condition.ts'
import type { AbsentRule } from './rule.ts'
import { clear, raise, stay } from './step.ts'

interface AbsentState {
  /** Of the last event, or when waiting for one began. */
  lastAt: number
  raised: boolean
}

/** One that was raised is not raised again before there has been an event. */
export function absentCondition({ absentMs }: AbsentRule): Condition {
  return {
    take(state: KeyState | null, { kind, at, open }: Happening): Step {
      if (kind !== 'event') return stay(state)
      const waiting = (state ?? { lastAt: at, raised: false }) as AbsentState
      waiting.lastAt = at
      waiting.raised = false
      return clear(waiting, open)
    },
    dueAt(state) {
      const { lastAt, raised } = state as AbsentState
      return raised ? null : lastAt + absentMs
    },
    wake: state => raise({ lastAt: (state as AbsentState).lastAt, raised: true } satisfies AbsentState)
  }
}
