// `when` holds so many times within a window.
import type { Condition, Happening, KeyState, Step } from './condition.ts'
import type { CountRule } from './rule.ts'
import { clear, raise, stay } from './step.ts'

/**
 * The state is a list of the last times at which `when` held, no more than are counted. A time is in the window until it is
 * `withinMs` old.
 */
export function countCondition({ when, clear: over, count, withinMs }: CountRule): Condition {
  return {
    take(state: KeyState | null, { kind, at, scope, open }: Happening): Step {
      if (kind !== 'event') return stay(state)
      const met = when.evaluate(scope)
      if (!met && over !== null && open && over.evaluate(scope)) return clear(null, open)
      const before = timesIn(state as number[] | null, at, withinMs)
      if (!met) return before.length < count ? clear(someOf(before), open) : stay(before)
      // Not pushed or spread: a list that grew has room for more than it holds, in each of many keys.
      const times = before.slice(before.length < count ? 0 : 1).concat(at)
      scope.count = times.length // for this rule's texts
      return times.length < count ? stay(times) : raise(times)
    },
    dueAt(state) {
      // When it is full, the first one's end is what clears; else the last one's end is when nothing is left to remember.
      const times = state as number[]
      const next = times.length < count ? times.at(-1) : times[0]
      return next === undefined ? null : next + withinMs
    },
    wake(state, at, open) {
      const times = timesIn(state as number[], at, withinMs)
      return times.length < count ? clear(someOf(times), open) : stay(times)
    }
  }
}

function timesIn(times: readonly number[] | null, at: number, withinMs: number): number[] {
  if (times === null) return []
  const kept = times.filter(time => time > at - withinMs)
  // After the clock was set back they count from now: otherwise they would stay for as long as it was set back.
  return (kept.at(-1) ?? 0) > at ? kept.map(time => Math.min(time, at)) : kept
}

function someOf(times: number[]): number[] | null {
  return times.length > 0 ? times : null
}
