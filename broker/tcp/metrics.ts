// What the raw TCP server counts.
import { Counter, type Registry } from 'prom-client'
import { registerCounter } from '../../store/figures.ts'
import { byeCodes, errorCodes, type ByeCode, type ErrorCode } from './messages.ts'

export type PauseReason = 'log-full' | 'replies-unread' | 'rate'

/** Plain numbers that the hot path adds to; shown as metrics when they are asked for. */
export class TcpCounters {
  receivedBytes = 0
  repeats = 0
  resultsIgnored = 0
  takeovers = 0
  readonly pauses: Record<PauseReason, number> = { 'log-full': 0, 'replies-unread': 0, rate: 0 }
  readonly errors = zeroes<ErrorCode>(errorCodes)
  readonly byes = zeroes<ByeCode>(byeCodes)

  constructor(registry: Registry) {
    single(registry, 'tocsin_tcp_received_bytes_total', 'Bytes received from raw TCP devices.', () => {
      return this.receivedBytes
    })
    single(registry, 'tocsin_tcp_repeats_total', 'Events that came again and were dropped.', () => {
      return this.repeats
    })
    single(registry, 'tocsin_tcp_results_ignored_total', 'Results to which there was no command.', () => {
      return this.resultsIgnored
    })
    single(
      registry,
      'tocsin_tcp_takeovers_total',
      'Connections ended by a newer one of their device.',
      () => {
        return this.takeovers
      }
    )
    labelled(registry, {
      name: 'tocsin_tcp_pauses_total',
      help: 'Times a connection was not read from, by reason.',
      label: 'reason',
      counts: this.pauses
    })
    labelled(registry, {
      name: 'tocsin_tcp_errors_total',
      help: 'Errors sent to raw TCP devices, by code.',
      label: 'code',
      counts: this.errors
    })
    labelled(registry, {
      name: 'tocsin_tcp_byes_total',
      help: 'Connections ended by the server with a bye, by code.',
      label: 'code',
      counts: this.byes
    })
  }
}

function zeroes<Code extends string>(codes: Record<Code, unknown>): Record<Code, number> {
  return Object.fromEntries(Object.keys(codes).map(code => [code, 0])) as Record<Code, number>
}

function single(registry: Registry, name: string, help: string, read: () => number): void {
  registerCounter(registry, { name, help }, read)
}

function labelled(
  registry: Registry,
  { name, help, label, counts }: { name: string; help: string; label: string; counts: Record<string, number> }
): void {
  registry.registerMetric(
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [],
      collect() {
        this.reset()
        for (const [key, count] of Object.entries(counts)) if (count > 0) this.inc({ [label]: key }, count)
      }
    })
  )
}
