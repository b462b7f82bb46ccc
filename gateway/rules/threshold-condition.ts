// `when` holds, perhaps for a time; with `clear`, hysteresis: between the two nothing changes.
import type { Condition, Happening, KeyState, Step } from './condition.ts'
import { type Hold, holdDueAt, holding } from './hold.ts'
import type { ThresholdRule } from './rule.ts'
import { clear, raise, stay } from './step.ts'

/** The state is a `Hold` while `when` holds; without `for` there is none. */
export function thresholdCondition({ when, clear: over, forMs }: ThresholdRule): Condition {
  return {
    take(state: KeyState | null, { kind, at, scope, open }: Happening): Step {
      if (kind !== 'event') return stay(state)
      if (when.evaluate(scope)) {
        if (forMs === 0) return raise(null)
        const hold = holding(state as Hold | null, at, forMs)
        return hold.raised ? raise(hold) : stay(hold)
      }
      return open && (over === null || over.evaluate(scope)) ? clear(null, open) : stay(null)
    },
    dueAt: state => holdDueAt(state as Hold, forMs),
    wake: (state, at) => raise(holding(state as Hold, at, forMs))
  }
}
