// The report at the end of a run, as an object and as text. Pure.
import type { Histogram } from 'hdr-histogram-js'
import type { ProtocolStatistics, Statistics } from './statistics.ts'

export interface TimesReport {
  count: number
  p50Ms: number
  p90Ms: number
  p99Ms: number
  p999Ms: number
  maxMs: number
}

export interface ProtocolReport {
  devices: number
  connects: number
  reconnects: number
  failures: number
  powerCuts: number
  goodbyes: number
  made: number
  sent: number
  resent: number
  repeats: number
  acknowledged: number
  refused: number
  unacknowledged: number
  errors: Record<string, number>
  timeToAcknowledgement: TimesReport
}

export interface Report {
  profile: string
  seed: string
  devices: number
  durationS: number
  acknowledgedPerSecond: number
  mqtt: ProtocolReport
  tcp: ProtocolReport
  /** How late the simulator itself was; large values mean that it was the bottleneck. */
  lateness: TimesReport
  cpuS: number
  /** Of one core. */
  cpuPercent: number
}

export interface RunFacts {
  profile: string
  seed: string
  devices: number
  durationS: number
  cpuS: number
}

/** Sums a run up. */
export function createReport(statistics: Statistics, run: RunFacts): Report {
  const { mqtt, tcp } = statistics.byProtocol
  const acknowledged = mqtt.acknowledged + tcp.acknowledged
  return {
    profile: run.profile,
    seed: run.seed,
    devices: run.devices,
    durationS: round(run.durationS, 3),
    acknowledgedPerSecond: round(acknowledged / Math.max(0.001, run.durationS), 1),
    mqtt: protocolReport(mqtt),
    tcp: protocolReport(tcp),
    lateness: timesReport(statistics.latenessUs),
    cpuS: round(run.cpuS, 3),
    cpuPercent: round((100 * run.cpuS) / Math.max(0.001, run.durationS), 1)
  }
}

function protocolReport(counts: ProtocolStatistics): ProtocolReport {
  return {
    devices: counts.devices,
    connects: counts.connects,
    reconnects: counts.reconnects,
    failures: counts.failures,
    powerCuts: counts.powerCuts,
    goodbyes: counts.goodbyes,
    made: counts.made,
    sent: counts.sent,
    resent: counts.resent,
    repeats: counts.repeats,
    acknowledged: counts.acknowledged,
    refused: counts.refused,
    unacknowledged: counts.made - counts.acknowledged - counts.refused,
    errors: Object.fromEntries([...counts.errors].sort(([, one], [, other]) => other - one)),
    timeToAcknowledgement: timesReport(counts.acknowledgementUs)
  }
}

function timesReport(histogramUs: Histogram): TimesReport {
  const ms = (percentile: number) => round(histogramUs.getValueAtPercentile(percentile) / 1000, 3)
  return {
    count: histogramUs.totalCount,
    p50Ms: ms(50),
    p90Ms: ms(90),
    p99Ms: ms(99),
    p999Ms: ms(99.9),
    maxMs: histogramUs.totalCount === 0 ? 0 : round(histogramUs.maxValue / 1000, 3)
  }
}

/** The report for people. */
export function formatReport(report: Report): string {
  const { mqtt, tcp } = report
  const row = (name: string, pick: (protocol: ProtocolReport) => number) =>
    [name.padEnd(16), count(pick(mqtt)), count(pick(tcp)), count(pick(mqtt) + pick(tcp))].join('')
  const times = (name: string, { p50Ms, p90Ms, p99Ms, p999Ms, maxMs }: TimesReport) =>
    [name.padEnd(16), ...[p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map(milliseconds)].join('')
  const lines = [
    `${report.devices} devices of "${report.profile}" for ${report.durationS.toFixed(1)} s, seed ${report.seed}: ` +
      `${report.acknowledgedPerSecond} events/s acknowledged`,
    '',
    ['', 'MQTT', 'TCP', 'both'].map((title, index) => (index ? title.padStart(12) : ' '.repeat(16))).join(''),
    row('devices', each => each.devices),
    row('connects', each => each.connects),
    row('reconnects', each => each.reconnects),
    row('failures', each => each.failures),
    row('power cuts', each => each.powerCuts),
    row('goodbyes', each => each.goodbyes),
    row('sent', each => each.sent),
    row('sent again', each => each.resent),
    row('repeats', each => each.repeats),
    row('acknowledged', each => each.acknowledged),
    row('refused', each => each.refused),
    row('unacknowledged', each => each.unacknowledged),
    '',
    ['', 'p50', 'p90', 'p99', 'p99.9', 'max']
      .map((title, index) => (index ? title.padStart(12) : 'ms to ack'.padEnd(16)))
      .join(''),
    times('MQTT', mqtt.timeToAcknowledgement),
    times('TCP', tcp.timeToAcknowledgement),
    times('simulator late', report.lateness),
    '',
    `The simulator took ${report.cpuS.toFixed(1)} s of CPU time, ${report.cpuPercent} % of one core.`
  ]
  for (const [name, { errors }] of [['MQTT', mqtt] as const, ['TCP', tcp] as const]) {
    const list = Object.entries(errors).map(([reason, times]) => `${reason} ×${times}`)
    if (list.length > 0) lines.push(`Errors over ${name}: ${list.join(', ')}`)
  }
  return `${lines.join('\n')}\n`
}

function count(value: number): string {
  return String(value).padStart(12)
}

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0).padStart(12)
}

function round(value: number, decimals: number): number {
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor
}
