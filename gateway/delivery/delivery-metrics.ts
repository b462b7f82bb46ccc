// Metrics of deliveries. A channel's name is configuration, so it may be a label.
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import { registerGauge } from '../../store/figures.ts'
import type { DeliveryDraft } from '../../store/notification.ts'
import type { Outlet } from './outlet.ts'

export class DeliveryCounts {
  readonly #outcomes: Counter<'channel' | 'outcome'>
  readonly #durations: Histogram<'channel'>

  constructor(registry: Registry) {
    this.#outcomes = new Counter({
      name: 'tocsin_deliveries_total',
      help: 'Attempts to tell a channel, and deliveries suppressed or given up.',
      labelNames: ['channel', 'outcome'],
      registers: [registry]
    })
    this.#durations = new Histogram({
      name: 'tocsin_delivery_duration_seconds',
      help: 'Time of an attempt to tell a channel.',
      labelNames: ['channel'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
      registers: [registry]
    })
  }

  ended(channel: string, outcome: DeliveryDraft['outcome']): void {
    this.#outcomes.inc({ channel, outcome })
  }

  duration(channel: string, ms: number): void {
    this.#durations.observe({ channel }, ms / 1000)
  }
}

/** Registers what is read from channels when metrics are collected. */
export function registerOutletMetrics(registry: Registry, outlets: () => Iterable<Outlet>): void {
  registerGauge(
    registry,
    { name: 'tocsin_deliveries_waiting', help: 'Deliveries that wait or are under way.' },
    () => [...outlets()].reduce((sum, { waiting }) => sum + waiting, 0)
  )
  const circuits = new Gauge({
    name: 'tocsin_channel_circuit_open',
    help: '1 while a channel is left alone because it fails.',
    labelNames: ['channel'],
    registers: [],
    collect() {
      this.reset()
      for (const { name, circuit } of outlets()) this.set({ channel: name }, circuit === 'closed' ? 0 : 1)
    }
  })
  registry.registerMetric(circuits)
}
