// A rule as it was read from the file, checked and compiled.
import type { Severity } from '../../store/notification.ts'
import type { Expression } from './expression.ts'
import type { Template } from './template.ts'

/** What all types have. */
export interface CommonRule {
  name: string
  /** Topic filters of the events it looks at; empty: any topic. */
  topics: readonly string[]
  /** Globs of the devices it looks at; empty: any device. */
  devices: readonly string[]
  severity: Severity
  key: Expression<string>
  title: Template
  detail: Template
  labels: Readonly<Record<string, Template>>
  runbook: string
  /** So many raises within this time and it is flapping; null: never. */
  flapping: { count: number; withinMs: number } | null
  /** Where it stands in the file, from 1. */
  line: number
  /** Equal for rules that mean the same. */
  fingerprint: string
}

/** `when`, perhaps `clear`, perhaps `for`. */
export interface ThresholdRule extends CommonRule {
  type: 'threshold'
  when: Expression<boolean>
  /** null: not `when`. */
  clear: Expression<boolean> | null
  forMs: number
}

/** `when` so many times within a window. It clears when the window holds fewer, or when `clear` holds. */
export interface CountRule extends CommonRule {
  type: 'count'
  when: Expression<boolean>
  clear: Expression<boolean> | null
  count: number
  withinMs: number
}

/** How much a value changes in time: `when` and `clear` see it as `rate`, the change per `perMs` over the last `withinMs`. */
export interface RateRule extends CommonRule {
  type: 'rate'
  of: Expression<number>
  perMs: number
  withinMs: number
  when: Expression<boolean>
  clear: Expression<boolean> | null
  forMs: number
}

/** No event for so long, of a key that has had one, or of a device that `devices` names without a `*`. */
export interface AbsentRule extends CommonRule {
  type: 'absent'
  absentMs: number
}

/** A device is offline for so long. */
export interface OfflineRule extends CommonRule {
  type: 'offline'
  offlineMs: number
}

/** Events that are alarms already: a value says which severity, or that it is over. */
export interface AlarmRule extends CommonRule {
  type: 'alarm'
  /** Events for which it does not hold are passed by; null: none. */
  when: Expression<boolean> | null
  of: Expression<string>
  severities: ReadonlyMap<string, Severity | 'clear'>
  /** For values that are not mapped. */
  otherwise: Severity | 'clear' | 'ignore'
}

export type Rule = ThresholdRule | CountRule | RateRule | AbsentRule | OfflineRule | AlarmRule
export type RuleType = Rule['type']
