// The steps that conditions take.
import type { Severity } from '../../store/notification.ts'
import type { KeyState, Step } from './condition.ts'

/** Nothing is decided. */
export function stay(state: KeyState | null): Step {
  return { state, decision: { verdict: 'none' } }
}

/** The condition is met; by alarm rules with a severity of its own. */
export function raise(state: KeyState | null, severity?: Severity): Step {
  return { state, decision: severity === undefined ? { verdict: 'raise' } : { verdict: 'raise', severity } }
}

/** It is over, where an alert is open. */
export function clear(state: KeyState | null, open: boolean): Step {
  return { state, decision: { verdict: open ? 'clear' : 'none' } }
}
