// What the alert book counts, for Prometheus.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { registerCounter } from '../../store/figures.ts'
import { alertChanges, severities } from '../../store/notification.ts'
import type { AlertChange } from '../../store/notification.ts'
import type { Alert } from './alert.ts'

export class BookCounts {
  readonly changes = Object.fromEntries(alertChanges.map(change => [change, 0])) as Record<
    AlertChange,
    number
  >
  /** Alerts that were not opened because too many are. */
  refused = 0

  register(registry: Registry, open: () => Iterable<Alert>): void {
    const { changes } = this
    new Gauge({
      name: 'tocsin_alerts_open',
      help: 'Alerts that are not resolved.',
      labelNames: ['severity', 'state'] as const,
      registers: [registry],
      collect() {
        // Counted in plain numbers first: there may be very many.
        const counts = Object.fromEntries(
          severities.map(name => [name, { firing: 0, acknowledged: 0, resolved: 0 }])
        )
        for (const { severity, state } of open()) {
          const count = counts[severity]
          if (count !== undefined) count[state]++
        }
        for (const [severity, { firing, acknowledged }] of Object.entries(counts)) {
          this.set({ severity, state: 'firing' }, firing)
          this.set({ severity, state: 'acknowledged' }, acknowledged)
        }
      }
    })
    new Counter({
      name: 'tocsin_alerts_changes_total',
      help: 'Notifications of what happened to alerts.',
      labelNames: ['change'] as const,
      registers: [registry],
      collect() {
        this.reset()
        for (const change of alertChanges) this.inc({ change }, changes[change])
      }
    })
    registerCounter(
      registry,
      {
        name: 'tocsin_alerts_refused_total',
        help: 'Alerts that were not opened because alerting.openMax were open.'
      },
      () => this.refused
    )
  }
}
