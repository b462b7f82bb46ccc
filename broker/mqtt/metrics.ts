// Metrics of the MQTT server; the hot path counts in plain numbers, read when they are asked for.
import type { Registry } from 'prom-client'
import { registerCounter, registerGauge } from '../../store/figures.ts'

/** What came and went over all MQTT connections since the start. Plain numbers: they are counted for each packet. */
export interface TrafficCounts {
  /** Sockets and WebSockets that were accepted. */
  socketsOpened: number
  /** CONNECT packets, refused ones too. */
  connectsReceived: number
  /** Control packets of every kind. */
  packetsReceived: number
  packetsSent: number
  /** Bytes of control packets, headers included. */
  bytesReceived: number
  bytesSent: number
  /** PUBLISH packets. */
  publishReceived: number
  publishSent: number
  /** Bytes of their payloads. */
  publishBytesReceived: number
  publishBytesSent: number
}

/** All counts at 0. */
export function newTrafficCounts(): TrafficCounts {
  return {
    socketsOpened: 0,
    connectsReceived: 0,
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    publishReceived: 0,
    publishSent: 0,
    publishBytesReceived: 0,
    publishBytesSent: 0
  }
}

/** Clients whose CONNECT was accepted, and the most that were there at a time. */
export class ClientCount {
  readonly #connected = new Set<object>()
  #maximum = 0

  get connected(): number {
    return this.#connected.size
  }

  get maximum(): number {
    return this.#maximum
  }

  opened(connection: object): void {
    this.#connected.add(connection)
    this.#maximum = Math.max(this.#maximum, this.#connected.size)
  }

  /** Counts a connection out, if it was in. */
  closed(connection: object): void {
    this.#connected.delete(connection)
  }
}

export interface MqttFigures {
  /** Durable sessions. */
  sessions: () => number
  /** Shared subscriptions, by share name and filter. */
  shares: () => number
  retained: { readonly count: number; readonly bytes: number; readonly expiredCount: number }
  wills: { readonly count: number; readonly bytes: number }
  delivered: () => number
  counts: { catchUps: number; gaps: number; tooLarge: number; expired: number; takenOver: number }
  traffic: TrafficCounts
}

/** Registers the MQTT server's metrics. */
export function registerMetrics(
  registry: Registry,
  { sessions, shares, retained, wills, delivered, counts, traffic }: MqttFigures
): void {
  const gauges: [string, string, () => number][] = [
    ['sessions', 'Durable MQTT sessions, connected or not.', sessions],
    ['shares', 'Shared subscriptions, by share name and filter.', shares],
    ['retained_messages', 'Topics with a retained message, without alerts.', () => retained.count],
    ['retained_bytes', 'Bytes of retained messages, without alerts.', () => retained.bytes],
    ['wills', 'Wills of connected clients, and those that wait for their delay.', () => wills.count],
    ['wills_bytes', 'Bytes of wills.', () => wills.bytes]
  ]
  const counters: [string, string, () => number][] = [
    ['messages_dispatched', 'Messages handed to live MQTT subscribers.', delivered],
    ['catch_ups', 'Times a session began to read on from the log.', () => counts.catchUps],
    ['gaps', 'Times retention was faster than a session.', () => counts.gaps],
    ['messages_expired', 'Messages that expired before they could be sent.', () => counts.expired],
    ['retained_expired', 'Retained messages removed because they had expired.', () => retained.expiredCount],
    [
      'messages_taken_over',
      'Messages of shared subscriptions that were sent again, to another member.',
      () => counts.takenOver
    ],
    [
      'messages_too_large',
      'Messages not sent because the subscriber takes no packet of that size.',
      () => counts.tooLarge
    ],
    [
      'sockets',
      'MQTT connections that were accepted, before anything was read.',
      () => traffic.socketsOpened
    ],
    ['connects', 'CONNECT packets received, refused ones too.', () => traffic.connectsReceived],
    ['packets_received', 'MQTT packets received.', () => traffic.packetsReceived],
    ['packets_sent', 'MQTT packets sent.', () => traffic.packetsSent],
    ['received_bytes', 'Bytes of MQTT packets received.', () => traffic.bytesReceived],
    ['sent_bytes', 'Bytes of MQTT packets sent.', () => traffic.bytesSent],
    ['publishes_received', 'PUBLISH packets received.', () => traffic.publishReceived],
    ['publishes_sent', 'PUBLISH packets sent.', () => traffic.publishSent]
  ]
  for (const [name, help, read] of gauges)
    registerGauge(registry, { name: `tocsin_mqtt_${name}`, help }, read)
  for (const [name, help, read] of counters)
    registerCounter(registry, { name: `tocsin_mqtt_${name}_total`, help }, read)
}
