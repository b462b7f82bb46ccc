// Looks for a case that the server fails, for a time, and shrinks the first that is found.
import fc from 'fast-check'
import type { Arena } from './arena.ts'

/** Cases of one seed; the next ones have the next seed. */
const CASES_PER_SEED = 25
const SHRINK_MS = 60_000

export interface HuntOptions<Case> {
  arena: Arena
  cases: fc.Arbitrary<Case>
  /** Tries one; throws when the server fails it. */
  attempt: (arena: Arena, value: Case) => Promise<void>
  seed: number
  timeMs: number
}

export interface Verdict {
  cases: number
  /** The smallest failing case that was found, with the seed that leads to it. */
  failure: string | null
}

/** Tries cases until the time is up or one fails; the last seed's are tried to their end. */
export async function hunt<Case>({
  arena,
  cases,
  attempt,
  seed,
  timeMs
}: HuntOptions<Case>): Promise<Verdict> {
  const until = performance.now() + timeMs
  let tried = 0
  let shrinkUntil = Infinity
  const property = fc.asyncProperty(cases, async value => {
    if (performance.now() > shrinkUntil) return // as small as the time allows
    tried++
    try {
      await attempt(arena, value)
    } catch (error) {
      shrinkUntil = Math.min(shrinkUntil, performance.now() + SHRINK_MS)
      await arena.renew()
      throw error
    }
  })
  for (let next = seed; performance.now() < until; next++) {
    const found = await fc.check(property, { seed: next, numRuns: CASES_PER_SEED })
    if (!found.failed) continue
    return {
      cases: tried,
      failure: `${String(found.errorInstance)}\n${fc.defaultReportMessage(found) ?? ''}`
    }
  }
  return { cases: tried, failure: null }
}
