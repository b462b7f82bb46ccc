// Metrics of the MQTT server; the hot path counts in plain numbers, read when they are asked for.
import type { Registry } from 'prom-client'
import { registerCounter, registerGauge } from '../../store/figures.ts'

export interface MqttFigures {
  /** Durable sessions. */
  sessions: () => number
  retained: () => { count: number; bytes: number }
  delivered: () => number
  counts: { catchUps: number; gaps: number; tooLarge: number; expired: number }
}

/** Registers the MQTT server's metrics. */
export function registerMetrics(
  registry: Registry,
  { sessions, retained, delivered, counts }: MqttFigures
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    registerGauge(registry, { name, help }, read)
  const counter = (name: string, help: string, read: () => number) =>
    registerCounter(registry, { name, help }, read)
  gauge('tocsin_mqtt_sessions', 'Durable MQTT sessions, connected or not.', sessions)
  gauge('tocsin_mqtt_retained_messages', 'Topics with a retained message.', () => retained().count)
  gauge('tocsin_mqtt_retained_bytes', 'Bytes of retained messages.', () => retained().bytes)
  counter('tocsin_mqtt_messages_dispatched_total', 'Messages handed to live MQTT subscribers.', delivered)
  counter(
    'tocsin_mqtt_catch_ups_total',
    'Times a session began to read on from the log.',
    () => counts.catchUps
  )
  counter('tocsin_mqtt_gaps_total', 'Times retention was faster than a session.', () => counts.gaps)
  counter(
    'tocsin_mqtt_messages_expired_total',
    'Messages that expired before they could be sent.',
    () => counts.expired
  )
  counter(
    'tocsin_mqtt_messages_too_large_total',
    'Messages not sent because the subscriber takes no packet of that size.',
    () => counts.tooLarge
  )
}
