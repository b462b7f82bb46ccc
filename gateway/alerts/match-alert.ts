// Whether an alert is what a route, a silence or an inhibition is for. Pure.
import { severityIndex } from '../../store/entry-codec.ts'
import { compileGlobs } from '../../store/glob.ts'
import { topicMatches } from '../../store/topic-filter.ts'
import type { Alert } from './alert.ts'
import type { AlertMatch } from './matcher.ts'

/** Tells whether an alert, as it is now, matches. */
export type AlertTest = (alert: Alert) => boolean

/** Prepares a match that many alerts are held against. */
export function compileMatch({ severityMin, rules, devices, topics, keys, labels }: AlertMatch): AlertTest {
  const tests: AlertTest[] = []
  if (severityMin !== undefined) {
    const least = severityIndex(severityMin)
    tests.push(({ severity }) => severityIndex(severity) >= least)
  }
  if (rules !== undefined) {
    const matches = compileGlobs(rules)
    tests.push(({ rule }) => matches(rule))
  }
  if (devices !== undefined) {
    const matches = compileGlobs(devices)
    tests.push(({ device }) => matches(device))
  }
  if (keys !== undefined) {
    const matches = compileGlobs(keys)
    tests.push(({ key }) => matches(key))
  }
  for (const [name, glob] of Object.entries(labels ?? {})) {
    const matches = compileGlobs([glob])
    tests.push(alert => matches(labelOf(alert, name)))
  }
  if (topics !== undefined)
    tests.push(
      ({ eventTopic }) => eventTopic !== '' && topics.some(filter => topicMatches(filter, eventTopic))
    )
  return alert => tests.every(holds => holds(alert))
}

/** Whether the alert, as it is now, matches. */
export function alertMatches(match: AlertMatch, alert: Alert): boolean {
  return compileMatch(match)(alert)
}

/** An alert's label; one that it has not is empty. */
export function labelOf({ labels }: Alert, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''
}
