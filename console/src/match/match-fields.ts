// A match as it is typed into fields. Pure.
import type { Match, Severity } from '../api/shapes.ts'

/** Lists have commas between their terms; labels are `name=value`. */
export interface MatchFields {
  severityMin: Severity | ''
  rules: string
  devices: string
  topics: string
  keys: string
  labels: string
}

export const noFields: MatchFields = {
  severityMin: '',
  rules: '',
  devices: '',
  topics: '',
  keys: '',
  labels: ''
}

/** What is typed, as the server wants it; fields that are empty are left out. */
export function matchOfFields({ severityMin, rules, devices, topics, keys, labels }: MatchFields): Match {
  const pairs = listOf(labels).map(pair => labelOf(pair))
  return {
    ...(severityMin !== '' && { severityMin }),
    ...(listOf(rules).length > 0 && { rules: listOf(rules) }),
    ...(listOf(devices).length > 0 && { devices: listOf(devices) }),
    ...(listOf(topics).length > 0 && { topics: listOf(topics) }),
    ...(listOf(keys).length > 0 && { keys: listOf(keys) }),
    ...(pairs.length > 0 && { labels: Object.fromEntries(pairs) })
  }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map(term => term.trim())
    .filter(term => term !== '')
}

/** A name without a value asks for the label's absence, as an empty value does. */
function labelOf(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=')
  return at < 0 ? [pair, ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
}
