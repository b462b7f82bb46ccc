// What a run counts and measures.
import { build, type Histogram } from 'hdr-histogram-js'
import type { Protocol } from './fleet-plan.ts'

/** Longest time that is told apart, µs. */
const TIME_MAX_US = 3_600_000_000
/** Most different reasons that are counted one by one. */
const REASONS_MAX = 50

/** Counters of one protocol. */
export class ProtocolStatistics {
  devices = 0
  connected = 0
  connects = 0
  /** Connects of devices that had been connected before. */
  reconnects = 0
  /** Connection attempts that failed, and connections that broke without the simulator's doing. */
  failures = 0
  /** Faults that were played, by their kind. */
  powerCuts = 0
  goodbyes = 0
  repeats = 0
  /** Events made by the devices. */
  made = 0
  /** Events handed to a connection, each counted once. */
  sent = 0
  /** Events handed to a connection again after a loss of the connection. */
  resent = 0
  acknowledged = 0
  refused = 0
  /** Errors by reason. */
  readonly errors = new Map<string, number>()
  /** From the first sending of an event to its acknowledgement, µs; without those that a planned mishap cut off. */
  readonly acknowledgementUs: Histogram = build({
    highestTrackableValue: TIME_MAX_US,
    numberOfSignificantValueDigits: 3
  })

  countError(reason: string): void {
    const name = this.errors.has(reason) || this.errors.size < REASONS_MAX ? reason : 'other'
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1)
  }

  recordAcknowledgement(us: number): void {
    this.acknowledgementUs.recordValue(Math.min(TIME_MAX_US, Math.max(1, Math.round(us))))
  }
}

/** The statistics of a run. */
export class Statistics {
  readonly byProtocol: Record<Protocol, ProtocolStatistics> = {
    mqtt: new ProtocolStatistics(),
    tcp: new ProtocolStatistics()
  }
  /** How late steps were taken after they were due, µs: what the simulator itself can't keep up with. */
  readonly latenessUs: Histogram = build({
    highestTrackableValue: TIME_MAX_US,
    numberOfSignificantValueDigits: 2
  })

  recordLateness(ms: number): void {
    this.latenessUs.recordValue(Math.min(TIME_MAX_US, Math.max(0, Math.round(ms * 1000))))
  }

  /** Sum over both protocols. */
  total(count: (statistics: ProtocolStatistics) => number): number {
    return count(this.byProtocol.mqtt) + count(this.byProtocol.tcp)
  }
}
