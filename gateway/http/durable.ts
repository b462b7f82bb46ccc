// Whoever changes alerts, silences or deliveries is answered when that is durable, or told that it is not.
import { StoreError } from '../../store/errors.ts'
import type { Log } from '../../store/store.ts'
import type { Ledger } from '../alerting/ledger.ts'
import { GatewayError } from '../errors.ts'

const RETRY = { headers: { 'retry-after': '5' } }

export interface DurableOptions {
  ledger: Pick<Ledger, 'durable'>
  log: Pick<Log, 'health'>
  timeoutMs: number
}

/**
 * Makes a change and resolves with what it gave when it is durable. Rejects with `store-unavailable`, nothing being
 * changed, while nothing can be stored; with `store-timeout` when it takes too long: it may be durable yet.
 */
export async function durably<Result>(
  { ledger, log, timeoutMs }: DurableOptions,
  change: () => Result
): Promise<Result> {
  const health = log.health()
  if (!health.writable)
    throw new GatewayError('store-unavailable', `nothing can be stored: ${health.reason}`, RETRY)
  const result = change()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `it was not stored within ${timeoutMs} ms; it may be yet`
      reject(new GatewayError('store-timeout', message, RETRY))
    }, timeoutMs)
  })
  try {
    await Promise.race([ledger.durable(), late])
    return result
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw new GatewayError('store-unavailable', error.message, { ...RETRY, cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** What `durably` needs of what routes share. */
export function durableOptions({
  alerting: { ledger },
  store: { log },
  settings: { appendTimeoutMs: timeoutMs }
}: {
  alerting: { ledger: Ledger }
  store: { log: Log }
  settings: { appendTimeoutMs: number }
}): DurableOptions {
  return { ledger, log, timeoutMs }
}
