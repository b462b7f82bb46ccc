// The log's metrics. What is counted on the way of an event are plain numbers; Prometheus collects them when asked.
import { Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { LogSize } from './engine.ts'
import { registerCounter, registerGauge } from './figures.ts'
import type { Log } from './store.ts'

/** Plain counts of commits. */
export class LogCounts {
  commits = 0
  failures = 0
  events = 0
  bytes = 0
  size: LogSize
  /** First sequences of blocks that were found damaged. */
  readonly damagedBlocks = new Set<number>()
  readonly #durations: Histogram
  readonly #sizes: Histogram

  constructor(registry: Registry, size: LogSize) {
    this.size = size
    this.#durations = new Histogram({
      name: 'tocsin_log_commit_duration_seconds',
      help: 'Time from forming a commit to its being durable.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
      registers: [registry]
    })
    this.#sizes = new Histogram({
      name: 'tocsin_log_commit_notifications',
      help: 'Notifications in one commit.',
      buckets: [1, 4, 16, 64, 256, 1024, 4096],
      registers: [registry]
    })
  }

  committed(notifications: number, bytes: number, durationMs: number): void {
    this.commits++
    this.events += notifications
    this.bytes += bytes
    if (notifications > 0) this.size.blocks++
    this.#durations.observe(durationMs / 1000)
    this.#sizes.observe(notifications)
  }
}

/** Registers what is read from the counts and the log when metrics are collected. */
export function registerLogMetrics(registry: Registry, counts: LogCounts, log: Log): void {
  const counters: [string, string, () => number][] = [
    ['tocsin_log_commits_total', 'Commits that succeeded.', () => counts.commits],
    ['tocsin_log_commit_failures_total', 'Commits that failed and are tried again.', () => counts.failures],
    ['tocsin_log_notifications_total', 'Notifications committed.', () => counts.events],
    ['tocsin_log_bytes_total', 'Bytes of blocks committed.', () => counts.bytes]
  ]
  const gauges: [string, string, () => number][] = [
    ['tocsin_log_waiting_bytes', 'Bytes that wait for commit.', () => log.waitingBytes()],
    ['tocsin_log_unwritable', '1 while the log cannot be written.', () => (log.health().writable ? 0 : 1)],
    ['tocsin_log_first_sequence', 'Lowest sequence that is kept.', () => log.bounds().first],
    ['tocsin_log_last_sequence', 'Highest committed sequence.', () => log.bounds().last],
    [
      'tocsin_log_damaged_blocks',
      'Blocks that were found damaged when they were read, since the start.',
      () => counts.damagedBlocks.size
    ],
    ['tocsin_log_blocks', 'Blocks in the log.', () => counts.size.blocks],
    ['tocsin_log_blocks_bytes', 'Bytes of blocks, as of the last maintenance.', () => counts.size.blockBytes],
    [
      'tocsin_database_bytes',
      'Bytes of the database, as of the last maintenance.',
      () => counts.size.databaseBytes
    ]
  ]
  for (const [name, help, read] of counters) registerCounter(registry, { name, help }, read)
  for (const [name, help, read] of gauges) registerGauge(registry, { name, help }, read)
}
