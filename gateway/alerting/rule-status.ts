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
  condition: Record<string, string | number | Record<string, string>>
  /** Expression, as are the parts in braces of title, detail and labels. */
  key: string
  title: string
  detail: string
  labels: Record<string, string>
  runbook: string
  /** So many raises within this time and it is flapping; null: never. */
  flapping: Rule['flapping']
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
  const { name, type, severity, topics, devices, runbook, flapping, line } = rule
  const labels = Object.entries(rule.labels).map(([label, { source }]): [string, string] => [label, source])
  const said = {
    name,
    type,
    severity,
    topics,
    devices,
    condition: conditionOf(rule),
    key: rule.key.source,
    title: rule.title.source,
    detail: rule.detail.source,
    labels: Object.fromEntries(labels),
    runbook,
    flapping,
    line
  }
  return { ...said, keys, evaluations, errors, lastError, raised, open: book.openCount(name) }
}

function conditionOf(rule: Rule): RuleStatus['condition'] {
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
      return {
        ...(rule.when && { when: rule.when.source }),
        of: rule.of.source,
        severities: Object.fromEntries(rule.severities),
        otherwise: rule.otherwise
      }
  }
}
