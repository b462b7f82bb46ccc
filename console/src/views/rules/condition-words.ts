// When a rule raises an alert, in words around its expressions. Pure.
import type { Rule, RuleCondition } from '../../api/shapes.ts'
import { durationText } from '../../format.ts'
import { texts } from '../../texts.ts'

/** Words, or an expression or value that is shown as code. */
export type ConditionPart = string | { code: string }

const words = texts.rules

export function conditionParts({ type, condition }: Pick<Rule, 'type' | 'condition'>): ConditionPart[] {
  const { when = '', of = '', count = 0, withinMs = 0, perMs = 0 } = condition
  switch (type) {
    case 'threshold':
      return [{ code: when }, ...forPart(condition), ...clearParts(condition)]
    case 'count':
      return [{ code: when }, words.times(count, durationText(withinMs)), ...clearParts(condition)]
    case 'rate':
      return [
        words.rateOf,
        { code: of },
        words.ratePer(durationText(perMs), durationText(withinMs)),
        { code: when },
        ...forPart(condition),
        ...clearParts(condition)
      ]
    case 'absent':
      return [words.absent(durationText(condition.absentMs ?? 0))]
    case 'offline':
      return [words.offline(durationText(condition.offlineMs ?? 0))]
    case 'alarm':
      return [
        words.valueOf,
        { code: of },
        words.says,
        meaningsText(condition),
        ...(when === '' ? [] : [words.where, { code: when }])
      ]
  }
}

function forPart({ forMs = 0 }: RuleCondition): string[] {
  return forMs > 0 ? [words.forTime(durationText(forMs))] : []
}

function clearParts({ clear }: RuleCondition): ConditionPart[] {
  return clear === undefined ? [] : [words.clearsWhen, { code: clear }]
}

function meaningsText({ severities = {}, otherwise = 'ignore' }: RuleCondition): string {
  const meaningOf = (meaning: typeof otherwise) =>
    meaning === 'clear' || meaning === 'ignore' ? words.meanings[meaning] : texts.severities[meaning]
  return [
    ...Object.entries(severities).map(([value, meaning]) => words.meaning(value, meaningOf(meaning))),
    words.otherwise(meaningOf(otherwise))
  ].join(', ')
}
