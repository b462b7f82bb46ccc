// A rule as the alerting file would say it, made of what the server tells of it. Pure.
import type { Rule, RuleCondition } from '../../api/shapes.ts'

/** YAML of one rule that means the same; what is the default is left out. */
export function ruleText(rule: Rule): string {
  const { name, topics, devices, type, severity, key, title, detail, labels, runbook, flapping } = rule
  const lines = [
    line('name', scalar(name)),
    topics.length > 0 && line('topics', list(topics)),
    devices.length > 0 && line('devices', list(devices)),
    ...conditionLines(rule),
    type !== 'alarm' && line('severity', severity),
    key !== 'device' && line('key', scalar(key)),
    line('title', scalar(title)),
    detail !== '' && line('detail', scalar(detail)),
    Object.keys(labels).length > 0 && line('labels', mapping(labels)),
    runbook !== '' && line('runbook', scalar(runbook)),
    flapping !== null &&
      line('flapping', `{ count: ${flapping.count}, within: ${durationSpelled(flapping.withinMs)} }`)
  ]
  return `${lines.filter(one => one !== false).join('\n')}\n`
}

/** A duration as the file writes it: `1h30m`. */
export function durationSpelled(ms: number): string {
  let left = ms
  let text = ''
  for (const [unit, unitMs] of units) {
    const amount = Math.floor(left / unitMs)
    left -= amount * unitMs
    if (amount > 0) text += `${amount}${unit}`
  }
  return text === '' ? '0s' : text
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1]
] as const

function conditionLines({ type, condition }: Rule): string[] {
  switch (type) {
    case 'threshold':
      return [...whenLines(condition), ...forLine(condition)]
    case 'count':
      return [
        ...whenLines(condition),
        line('count', String(condition.count)),
        line('within', durationSpelled(condition.withinMs ?? 0))
      ]
    case 'rate':
      return [
        line('rate', scalar(condition.of ?? '')),
        line('per', durationSpelled(condition.perMs ?? 0)),
        line('within', durationSpelled(condition.withinMs ?? 0)),
        ...whenLines(condition),
        ...forLine(condition)
      ]
    case 'absent':
      return [line('absent', durationSpelled(condition.absentMs ?? 0))]
    case 'offline':
      return [line('offline', durationSpelled(condition.offlineMs ?? 0))]
    case 'alarm':
      return [
        ...whenLines(condition),
        line('of', scalar(condition.of ?? '')),
        line('severities', mapping(condition.severities ?? {})),
        ...(condition.otherwise === undefined || condition.otherwise === 'ignore'
          ? []
          : [line('otherwise', condition.otherwise)])
      ]
  }
}

function whenLines({ when, clear }: RuleCondition): string[] {
  return [
    ...(when === undefined ? [] : [line('when', scalar(when))]),
    ...(clear === undefined ? [] : [line('clear', scalar(clear))])
  ]
}

function forLine({ forMs = 0 }: RuleCondition): string[] {
  return forMs > 0 ? [line('for', durationSpelled(forMs))] : []
}

function line(name: string, value: string): string {
  return `${name}: ${value}`
}

/** A text: as it is where YAML reads it as that, or else as JSON, which is YAML too. */
function scalar(text: string): string {
  const isPlain = /^[a-z][\x21-\x7e ]*$/i.test(text) && !/: | #|[: ]$/.test(text) && !isWord(text)
  return isPlain ? text : JSON.stringify(text)
}

/** Within brackets and braces more has a meaning. */
function innerScalar(text: string): string {
  return /^[a-z][\w./#+*-]*$/i.test(text) && !isWord(text) ? text : JSON.stringify(text)
}

function isWord(text: string): boolean {
  return /^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
}

function list(texts: readonly string[]): string {
  return `[${texts.map(innerScalar).join(', ')}]`
}

function mapping(entries: Readonly<Record<string, string>>): string {
  return `{ ${Object.entries(entries)
    .map(([name, value]) => `${innerScalar(name)}: ${innerScalar(value)}`)
    .join(', ')} }`
}
