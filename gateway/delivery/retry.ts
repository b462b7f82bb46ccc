// When a failed delivery is attempted again. Pure: chance comes in as a number.

export interface RetryPlan {
  /** Attempts in all, the first one included. */
  attemptsMax: number
  /** Pause after the first failure; it doubles with each further one. */
  firstMs: number
  /** The longest pause of our own choosing. */
  mostMs: number
  /** The longest that a receiver may make us wait by its Retry-After. */
  retryAfterMaxMs: number
}

export interface FailedAttempt {
  /** Which one failed, from 1. */
  attempt: number
  /** What the receiver asked for, if it did. */
  retryAfterMs?: number | undefined
  /** 0 ≤ random < 1. */
  random: number
}

/**
 * The pause before the next attempt, in ms; null when that was the last one. A pause is between half and the whole of
 * what is due, so that deliveries that failed together don't come back together. What the receiver asked for is never
 * undercut, unless it is more than `retryAfterMaxMs`.
 */
export function retryDelayMs(
  { attempt, retryAfterMs, random }: FailedAttempt,
  plan: RetryPlan
): number | null {
  if (attempt >= plan.attemptsMax) return null
  const due = Math.min(plan.mostMs, plan.firstMs * 2 ** (attempt - 1))
  const pause = due / 2 + (due / 2) * random
  if (retryAfterMs === undefined) return Math.round(pause)
  const asked = Math.min(retryAfterMs, plan.retryAfterMaxMs)
  return Math.round(asked > due ? asked + plan.firstMs * random : Math.max(asked, pause))
}
