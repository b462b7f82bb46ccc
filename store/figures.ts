// Metrics whose values are kept elsewhere as plain numbers, because the hot path counts in those, and read when asked for.
import { Counter, Gauge, type Registry } from 'prom-client'

/** What a metric is called and says. */
export interface Described {
  name: string
  help: string
}

/** Registers a gauge that shows what `read` says. */
export function registerGauge(registry: Registry, { name, help }: Described, read: () => number): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read())
    }
  })
  registry.registerMetric(gauge)
}

/** Registers a counter that shows what `read` says, which never falls. */
export function registerCounter(registry: Registry, { name, help }: Described, read: () => number): void {
  const counter = new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset()
      this.inc(read())
    }
  })
  registry.registerMetric(counter)
}
