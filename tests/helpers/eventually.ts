// Waiting for a condition, in place of sleeping.
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Resolves with the first value of `probe` that is neither undefined, null nor false; throws after `timeoutMs`. That is long:
 * on a busy machine a process may not run for seconds, and whoever waits for what comes loses nothing.
 */
export async function eventually<Value>(
  probe: () => Value | Promise<Value>,
  { timeoutMs = 60_000, everyMs = 5, what = 'the condition' } = {}
): Promise<NonNullable<Exclude<Value, false>>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== null && value !== false)
      return value as NonNullable<Exclude<Value, false>>
    if (performance.now() > deadline) throw new Error(`${what} did not come about within ${timeoutMs} ms`)
    await delay(everyMs)
  }
}
