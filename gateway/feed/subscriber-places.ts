// The places that feed connections and long-polls take.
import { GatewayError } from '../errors.ts'
import type { FeedCounts, SubscriberKind } from './feed-metrics.ts'
import type { GatewaySettings } from '../settings.ts'

/** Takes a place, or throws `subscribers-limit`; the result gives it back, once. */
export function enterSubscriber(
  { counts, settings }: { counts: FeedCounts; settings: GatewaySettings },
  kind: SubscriberKind
): () => void {
  if (counts.subscribersInAll >= settings.subscribersMax) {
    const message = `${settings.subscribersMax} subscribers are connected; no more are let in`
    throw new GatewayError('subscribers-limit', message, { headers: { 'retry-after': '5' } })
  }
  counts.subscribers[kind]++
  let left = false
  return () => {
    if (!left) counts.subscribers[kind]--
    left = true
  }
}
