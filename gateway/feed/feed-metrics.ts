// What the feed counts: plain numbers on the hot path, read by Prometheus when it asks.
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import { registerCounter } from '../../store/figures.ts'
import type { Transport } from './outlet.ts'

/** Everything that takes one of `subscribersMax` places. */
export type SubscriberKind = Transport | 'long-poll'

export class FeedCounts {
  readonly subscribers: Record<SubscriberKind, number> = { websocket: 0, sse: 0, 'long-poll': 0 }
  readonly notifications: Record<Transport, number> = { websocket: 0, sse: 0 }
  readonly batches: Record<Transport, number> = { websocket: 0, sse: 0 }
  catchUps = 0
  gaps = 0
  slowLeaves = 0
  flushes = 0
  flushSeconds = 0
  readonly stored = delays(
    'tocsin_feed_stored_seconds',
    'Time from the receipt of a commit’s first notification to its being there for subscribers.'
  )
  readonly delivered = delays(
    'tocsin_feed_delivered_seconds',
    'Time from the receipt of a flush’s first notification to its being written to live subscribers.'
  )

  sent(transport: Transport, count: number): void {
    this.notifications[transport] += count
    this.batches[transport]++
  }

  get subscribersInAll(): number {
    return this.subscribers.websocket + this.subscribers.sse + this.subscribers['long-poll']
  }

  register(registry: Registry): void {
    registry.registerMetric(this.stored)
    registry.registerMetric(this.delivered)
    const by = <Name extends string>(
      help: string,
      name: string,
      values: Record<Name, number>,
      gauge = false
    ) => {
      const collect = function (this: Counter<'transport'> | Gauge<'transport'>) {
        this.reset()
        for (const [transport, value] of Object.entries<number>(values)) this.inc({ transport }, value)
      }
      const options = { name, help, registers: [registry], labelNames: ['transport'] as const, collect }
      if (gauge) new Gauge(options)
      else new Counter(options)
    }
    const counter = (name: string, help: string, read: () => number) =>
      registerCounter(registry, { name, help }, read)
    by('Feed connections that are open.', 'tocsin_feed_subscribers', this.subscribers, true)
    by('Notifications written to subscribers.', 'tocsin_feed_notifications_sent_total', this.notifications)
    by('Batches written to subscribers.', 'tocsin_feed_batches_sent_total', this.batches)
    counter(
      'tocsin_feed_catch_up_reads_total',
      'Pages read from the log for subscribers.',
      () => this.catchUps
    )
    counter('tocsin_feed_gaps_total', 'Gaps that subscribers were told of.', () => this.gaps)
    counter(
      'tocsin_feed_slow_leaves_total',
      'Times a slow subscriber left live delivery.',
      () => this.slowLeaves
    )
    counter('tocsin_feed_flushes_total', 'Flushes of live delivery.', () => this.flushes)
    counter('tocsin_feed_flush_seconds_total', 'Time spent in flushes.', () => this.flushSeconds)
  }
}

function delays(name: string, help: string): Histogram {
  const buckets = [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
  return new Histogram({ name, help, buckets, registers: [] })
}
