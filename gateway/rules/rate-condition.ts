// A value changes so much in time, perhaps for a time.
import type { Condition, Happening, KeyState, Step } from './condition.ts'
import { type Hold, holdDueAt, holding } from './hold.ts'
import type { RateRule } from './rule.ts'
import { clear, raise, stay } from './step.ts'

/** Samples lie at least this part of the window apart, except the last: so there are few, however many events come. */
const SPACINGS = 16

interface RateState {
  /** Times and values by turns, in the order of time. */
  samples: number[]
  hold: Hold | null
}

/**
 * The rate is the change from the first to the last sample of the window, per `perMs`. Before the samples span half of the
 * window it is unknown, and nothing changes: two readings a moment apart say little about a trend.
 */
export function rateCondition(rule: RateRule): Condition {
  const { of, perMs, withinMs, when, clear: over, forMs } = rule
  return {
    take(state: KeyState | null, { kind, at, scope, open }: Happening): Step {
      if (kind !== 'event') return stay(state)
      const before = state as RateState | null
      const value = of.evaluate(scope)
      const samples = withSample(before?.samples ?? [], { at, value, withinMs })
      const rate = rateOf(samples, { perMs, withinMs })
      if (rate === null) return stay({ samples, hold: before?.hold ?? null })
      // Expressions of this rule and its texts see it; other types of rule don't know the variable.
      scope.rate = rate
      if (when.evaluate(scope)) {
        const hold = holding(before?.hold ?? null, at, forMs)
        return hold.raised ? raise({ samples, hold }) : stay({ samples, hold })
      }
      const ended = open && (over === null || over.evaluate(scope))
      return ended ? clear({ samples, hold: null }, open) : stay({ samples, hold: null })
    },
    dueAt(state) {
      const { samples, hold } = state as RateState
      const forgetAt = (samples.at(-2) ?? 0) + withinMs
      const holdAt = hold === null ? null : holdDueAt(hold, forMs)
      return holdAt === null ? forgetAt : Math.min(holdAt, forgetAt)
    },
    wake(state, at) {
      const { samples, hold } = state as RateState
      // With no sample left in the window there is no rate, and nothing that could hold.
      if (at - (samples.at(-2) ?? 0) >= withinMs) return stay(null)
      const held = holding(hold, at, forMs)
      return held.raised ? raise({ samples, hold: held }) : stay(state)
    }
  }
}

function withSample(
  samples: readonly number[],
  { at, value, withinMs }: { at: number; value: number; withinMs: number }
): number[] {
  const last = samples.at(-2) ?? at
  if (last > at) return [at, value] // the clock was set back
  let first = 0
  while ((samples[first] ?? at) < at - withinMs) first += 2
  const lastButOne = samples.at(-4) ?? Number.NEGATIVE_INFINITY
  const crowded = samples.length - first >= 4 && last - lastButOne < withinMs / SPACINGS
  return [...samples.slice(first, crowded ? -2 : undefined), at, value]
}

function rateOf(
  samples: readonly number[],
  { perMs, withinMs }: { perMs: number; withinMs: number }
): number | null {
  const [firstAt = 0, first = 0] = samples
  const spanMs = (samples.at(-2) ?? 0) - firstAt
  return spanMs < withinMs / 2 ? null : (((samples.at(-1) ?? 0) - first) / spanMs) * perMs
}
