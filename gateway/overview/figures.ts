// One look at the metrics that the overview shows. They are read by name, because whose they are is not the gateway's to
// know; one that is missing is 0.
import type { Registry } from 'prom-client'
import type { HistogramCounts } from './quantile.ts'

/** Numbers of the moment. */
export interface MomentFigures {
  mqttConnections: number
  tcpConnections: number
  subscribers: number
  devicesOnline: number
  criticalAlerts: number
  majorAlerts: number
  otherAlerts: number
}

/** Histograms of seconds. */
export interface DelayFigures {
  loopDelay: HistogramCounts
  stored: HistogramCounts
  delivered: HistogramCounts
}

export interface Figures {
  moment: MomentFigures
  delays: DelayFigures
}

interface Value {
  value: number
  labels: Partial<Record<string, string | number>>
  metricName?: string
}

/** Reads them all. */
export async function readFigures(registry: Registry): Promise<Figures> {
  const connections = await valuesOf(registry, 'tocsin_device_connections')
  const alerts = await valuesOf(registry, 'tocsin_alerts_open')
  const sum = (values: readonly Value[]) => values.reduce((all, { value }) => all + value, 0)
  const of = (severity: string) => sum(alerts.filter(({ labels }) => labels['severity'] === severity))
  const protocol = (name: string) => sum(connections.filter(({ labels }) => labels['protocol'] === name))
  const criticalAlerts = of('critical')
  const majorAlerts = of('major')
  const moment = {
    mqttConnections: protocol('mqtt'),
    tcpConnections: protocol('tcp'),
    subscribers: sum(await valuesOf(registry, 'tocsin_feed_subscribers')),
    devicesOnline: sum(await valuesOf(registry, 'tocsin_devices_connected')),
    criticalAlerts,
    majorAlerts,
    otherAlerts: sum(alerts) - criticalAlerts - majorAlerts
  }
  const delays = {
    loopDelay: await histogramOf(registry, 'tocsin_event_loop_delay_seconds'),
    stored: await histogramOf(registry, 'tocsin_feed_stored_seconds'),
    delivered: await histogramOf(registry, 'tocsin_feed_delivered_seconds')
  }
  return { moment, delays }
}

async function histogramOf(registry: Registry, name: string): Promise<HistogramCounts> {
  const bounds: number[] = []
  const counts: number[] = []
  let count = 0
  for (const { value, labels, metricName } of await valuesOf(registry, name)) {
    if (metricName === `${name}_count`) count = value
    if (metricName !== `${name}_bucket` || typeof labels['le'] !== 'number') continue
    bounds.push(labels['le'])
    counts.push(value)
  }
  return { bounds, counts, count }
}

async function valuesOf(registry: Registry, name: string): Promise<readonly Value[]> {
  const metric = await registry.getSingleMetric(name)?.get()
  return metric?.values ?? []
}
