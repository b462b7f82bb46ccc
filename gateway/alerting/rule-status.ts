// A rule as operators see it: what it says, and how it has done since the server started.
import type { Severity } from '../../store/notification.ts'
import type { AlertBook } from '../alerts/alert-book.ts'
import type { RuleAtWork } from '../rules/rule-at-work.ts'
import type { Rule } from '../rules/rule.ts'

export interface RuleStatus {
  name: string
  type: Rule['type']
  severity: Severity
  topics: readonly string[]
  devices: readonly string[]
  /** The condition in words of the file. */
  condition: Record<string, string | number>
  title: string
  runbook: string
  /** Its first line in the file. */
  line: number
  /** Keys with a state. */
  keys: number
  /** Since the server started. */
  evaluations: number
  errors: number
  lastError: string | null
  raised: number
  /** Open alerts. */
  open: number
}

export function describeRule(
  { rule, keys, evaluations, errors, lastError, raised }: RuleAtWork,
  book: AlertBook
): RuleStatus {
  const { name, type, severity, topics, devices, title, runbook, line } = rule
  const said = {
    name,
    type,
    severity,
    topics,
    devices,
    condition: conditionOf(rule),
    title: title.source,
    runbook,
    line
  }
  return { ...said, keys, evaluations, errors, lastError, raised, open: book.openCount(name) }
}

function conditionOf(rule: Rule): Record<string, string | number> {
  switch (rule.type) {
    case 'threshold':
      return { when: rule.when.source, ...(rule.clear && { clear: rule.clear.source }), forMs: rule.forMs }
    case 'count':
      return {
        when: rule.when.source,
        ...(rule.clear && { clear: rule.clear.source }),
        count: rule.count,
        withinMs: rule.withinMs
      }
    case 'rate':
      return {
        of: rule.of.source,
        perMs: rule.perMs,
        withinMs: rule.withinMs,
        when: rule.when.source,
        ...(rule.clear && { clear: rule.clear.source }),
        forMs: rule.forMs
      }
    case 'absent':
      return { absentMs: rule.absentMs }
    case 'offline':
      return { offlineMs: rule.offlineMs }
    case 'alarm':
      return { ...(rule.when && { when: rule.when.source }), of: rule.of.source, otherwise: rule.otherwise }
  }
}
