// What each type of rule says besides what all rules say.
import { severities } from '../../store/notification.ts'
import type { Severity } from '../../store/notification.ts'
import type { Fields, Place } from '../alerting/yaml-reader.ts'
import type { RuleLanguages } from './rule-languages.ts'
import {
  given,
  needed,
  readCondition,
  readCount,
  readNumber,
  readSpanMs,
  readText,
  whole
} from './rule-reader.ts'
import type { CommonRule, Rule, RuleType } from './rule.ts'

const SEVERITIES_MAX = 1000

/** The keys of each type. The first tells the type and must be there; without one of the others' it is a threshold. */
export const typeKeys: Record<RuleType, readonly [string, ...string[]]> = {
  threshold: ['when', 'clear', 'for', 'topics', 'severity'],
  count: ['count', 'within', 'when', 'clear', 'topics', 'severity'],
  rate: ['rate', 'per', 'within', 'when', 'clear', 'for', 'topics', 'severity'],
  absent: ['absent', 'topics', 'severity'],
  offline: ['offline', 'severity'],
  alarm: ['severities', 'of', 'otherwise', 'when', 'topics']
}

type Own<Type extends Rule> = Type extends Rule ? Omit<Type, keyof CommonRule> : never

/** What the type of rule adds; undefined where something is wrong, which has been noted. */
export function readType(type: RuleType, fields: Fields, languages: RuleLanguages): Own<Rule> | undefined {
  const { event, condition } = languages
  const when = () => needed(fields.need('when'), place => readCondition(place, condition))
  const clear = () => given(fields.at('clear'), place => readCondition(place, condition), null)
  const forMs = () => given(fields.at('for'), place => place.durationMs(), 0)
  const spanMs = (name: string) => needed(fields.need(name), readSpanMs)
  switch (type) {
    case 'threshold':
      return whole({ type, when: when(), clear: clear(), forMs: forMs() })
    case 'count': {
      const count = needed(fields.need('count'), readCount)
      return whole({ type, when: when(), clear: clear(), count, withinMs: spanMs('within') })
    }
    case 'rate': {
      const of = needed(fields.need('rate'), place => readNumber(place, event))
      const over = { perMs: spanMs('per'), withinMs: spanMs('within') }
      return whole({ type, of, ...over, when: when(), clear: clear(), forMs: forMs() })
    }
    case 'absent':
      return whole({ type, absentMs: spanMs('absent') })
    case 'offline':
      return whole({ type, offlineMs: needed(fields.need('offline'), place => place.durationMs()) })
    case 'alarm': {
      const of = needed(fields.need('of'), place => readText(place, event))
      const mapped = needed(fields.need('severities'), readSeverities)
      const otherwise = given(
        fields.at('otherwise'),
        place => place.oneOf([...severities, 'clear', 'ignore']),
        'ignore' as const
      )
      const optional = given(fields.at('when'), place => readCondition(place, event), null)
      return whole({ type, when: optional, of, severities: mapped, otherwise })
    }
  }
}

function readSeverities(place: Place): Map<string, Severity | 'clear'> | undefined {
  const entries = place.entries()
  if (entries === undefined) return undefined
  if (entries.length === 0) return place.problem('must name one value at least')
  if (entries.length > SEVERITIES_MAX) return place.problem(`must be at most ${SEVERITIES_MAX} values`)
  const mapped = new Map<string, Severity | 'clear'>()
  for (const [value, meaning] of entries) {
    const word = meaning.oneOf([...severities, 'clear'])
    if (word !== undefined) mapped.set(value, word)
  }
  return mapped.size === entries.length ? mapped : undefined
}
