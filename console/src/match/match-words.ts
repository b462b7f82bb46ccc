// Which alerts a silence or a route is for, in words. Pure.
import type { Match } from '../api/shapes.ts'
import { texts } from '../texts.ts'

const words = texts.match

/** Such as `severity Major or worse, rule too-warm or door-*`. */
export function matchText({ severityMin, rules, devices, topics, keys, labels }: Match): string {
  const parts = [
    severityText(severityMin),
    rules && words.rules(rules.join(words.or)),
    devices && words.devices(devices.join(words.or)),
    topics && words.topics(topics.join(words.or)),
    keys && words.keys(keys.join(words.or)),
    ...Object.entries(labels ?? {}).map(([name, value]) =>
      value === '' ? words.noLabel(name) : words.label(name, value)
    )
  ].filter(part => part !== undefined)
  return parts.length === 0 ? words.everything : parts.join(words.and)
}

function severityText(severity: Match['severityMin']): string | undefined {
  if (severity === undefined || severity === 'info') return undefined // every alert has at least that
  const name = texts.severities[severity]
  return severity === 'critical' ? words.severityMost(name) : words.severityMin(name)
}
