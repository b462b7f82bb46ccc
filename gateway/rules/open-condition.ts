// The condition of a rule, by its type.
import { absentCondition } from './absent-condition.ts'
import { alarmCondition } from './alarm-condition.ts'
import type { Condition } from './condition.ts'
import { countCondition } from './count-condition.ts'
import { offlineCondition } from './offline-condition.ts'
import { rateCondition } from './rate-condition.ts'
import type { Rule } from './rule.ts'
import { thresholdCondition } from './threshold-condition.ts'

export function openCondition(rule: Rule): Condition {
  switch (rule.type) {
    case 'threshold':
      return thresholdCondition(rule)
    case 'count':
      return countCondition(rule)
    case 'rate':
      return rateCondition(rule)
    case 'absent':
      return absentCondition(rule)
    case 'offline':
      return offlineCondition(rule)
    case 'alarm':
      return alarmCondition(rule)
  }
}
