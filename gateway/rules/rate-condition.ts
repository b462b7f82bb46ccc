// A value changes so much in time, perhaps for a time.
import type { Condition, Happening, KeyState, Step } from './condition.ts'
import { type Hold, holdDueAt, holding } from './hold.ts'
import type { RateRule } from './rule.ts'
import { clear, raise, stay } from './step.ts'

/** Samples lie at least this part of the window apart, except the last: so there are few, however many events come. */
const SPACINGS = 10

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
      const sample = { at, value: of.evaluate(scope) }
      const first = firstOf(before?.samples ?? [], at, withinMs)
      const rate = rateFrom(before?.samples ?? [], { first, sample, perMs, withinMs })
      if (rate === null) return stay(next(before, { first, sample, withinMs, hold: before?.hold ?? null }))
      // Expressions of this rule and its texts see it; other types of rule don't know the variable.
      scope.rate = rate
      if (when.evaluate(scope)) {
        const hold = holding(before?.hold ?? null, at, forMs)
        const after = next(before, { first, sample, withinMs, hold })
        return hold.raised ? raise(after) : stay(after)
      }
      const ended = open && (over === null || over.evaluate(scope))
      return clear(next(before, { first, sample, withinMs, hold: null }), ended)
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

interface Sample {
  at: number
  value: number
}

/** Index of the first sample that is in the window; as many as there are when none is, or when the clock was set back. */
function firstOf(samples: readonly number[], at: number, withinMs: number): number {
  if ((samples.at(-2) ?? at) > at) return samples.length
  let first = 0
  while ((samples[first] ?? at) < at - withinMs) first += 2
  return first
}

function rateFrom(
  samples: readonly number[],
  { first, sample, perMs, withinMs }: { first: number; sample: Sample; perMs: number; withinMs: number }
): number | null {
  const spanMs = sample.at - (samples[first] ?? sample.at)
  return spanMs < withinMs / 2 ? null : ((sample.value - (samples[first + 1] ?? 0)) / spanMs) * perMs
}

/** The state with one sample more. It is changed in place where the sample takes the place of the last. */
function next(
  before: RateState | null,
  { first, sample, withinMs, hold }: { first: number; sample: Sample; withinMs: number; hold: Hold | null }
): RateState {
  const { at, value } = sample
  if (before === null) return { samples: [at, value], hold }
  const { samples } = before
  const end = samples.length
  const crowded = end - first >= 4 && (samples[end - 2] ?? 0) - (samples[end - 4] ?? 0) < withinMs / SPACINGS
  if (crowded && first === 0) {
    samples[end - 2] = at
    samples[end - 1] = value
  } else before.samples = samples.slice(first, crowded ? -2 : undefined).concat(at, value)
  before.hold = hold
  return before
}
