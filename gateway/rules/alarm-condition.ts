// Events that are alarms already: a value says how severe, or that it is over.
import type { Condition } from './condition.ts'
import type { AlarmRule } from './rule.ts'
import { clear, raise, stay } from './step.ts'

/** Without a state: each event says all there is to know. */
export function alarmCondition({ when, of, severities, otherwise }: AlarmRule): Condition {
  return {
    take(_state, { kind, scope, open }) {
      if (kind !== 'event' || when?.evaluate(scope) === false) return stay(null)
      const meaning = severities.get(of.evaluate(scope)) ?? otherwise
      if (meaning === 'ignore') return stay(null)
      return meaning === 'clear' ? clear(null, open) : raise(null, meaning)
    },
    dueAt: () => null,
    wake: () => stay(null)
  }
}
