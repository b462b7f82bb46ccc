// Which variables each type of rule knows, where.
import { type Language, languageOf, type Variable } from './language.ts'
import type { RuleType } from './rule.ts'

export interface RuleLanguages {
  /** Of what it looks at, and of its key. */
  event: Language
  /** Of `when` and `clear`. */
  condition: Language
  /** Of title, detail and labels. */
  text: Language
}

const event: readonly Variable[] = ['payload', 'topic', 'device', 'at', 'severity']
const named: readonly Variable[] = ['key', 'rule']

const eventLanguage = languageOf(event)
const eventRule: RuleLanguages = {
  event: eventLanguage,
  condition: eventLanguage,
  text: languageOf([...event, ...named])
}
const presence = languageOf(['device'])

export const ruleLanguages: Record<RuleType, RuleLanguages> = {
  threshold: eventRule,
  absent: eventRule,
  alarm: eventRule,
  count: { ...eventRule, text: languageOf([...event, ...named, 'count']) },
  rate: {
    event: eventLanguage,
    condition: languageOf([...event, 'rate']),
    text: languageOf([...event, ...named, 'rate'])
  },
  offline: {
    event: presence,
    condition: presence,
    text: languageOf(['device', 'at', 'severity', 'reason', ...named])
  }
}
