// What a rule keeps of one key, and what it decides. Pure: time comes in with what happens, nothing is read or written.
import type { Severity } from '../../store/notification.ts'
import type { Scope } from './expression.ts'

/**
 * What one step decides. `raise`: its condition is met (again: the alert book tells a repetition from a first time).
 * `clear`: it is over.
 */
export type Decision = { verdict: 'none' } | { verdict: 'raise'; severity?: Severity } | { verdict: 'clear' }

/** The state of one key: small, plain data of numbers, texts, booleans, arrays; MessagePack stores it. */
export type KeyState = object

export interface Step {
  /** The state after it: the same object, changed, or another; null: nothing need be remembered. */
  state: KeyState | null
  decision: Decision
}

/**
 * One type of rule at work. `open` tells whether the rule's alert of this key is open, as the log says it at this place.
 */
export interface Condition {
  /** Takes an event or a presence that concerns the key. Throws what its expressions throw; then the state is as before. */
  take(state: KeyState | null, happening: Happening): Step
  /** Time at which `wake` must be called unless something is taken before; null: none. */
  dueAt(state: KeyState): number | null
  /** That time has come: called with `at` no earlier than `dueAt`, before anything that is received at or after it. */
  wake(state: KeyState, at: number, open: boolean): Step
}

export interface Happening {
  kind: 'event' | 'online' | 'offline'
  /** Time of receipt. */
  at: number
  scope: Scope
  open: boolean
}
