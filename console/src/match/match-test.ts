// Whether an alert is what a silence is for, as the server judges it. Pure.
import { severities } from '../api/shapes.ts'
import type { Alert, Match } from '../api/shapes.ts'

/** Tells whether an alert matches: all that is given must hold; of a list, any. */
export function matchTest({
  severityMin,
  rules,
  devices,
  topics,
  keys,
  labels
}: Match): (alert: Alert) => boolean {
  const least = severityMin === undefined ? 0 : severities.indexOf(severityMin)
  const tests: ((alert: Alert) => boolean)[] = []
  if (least > 0) tests.push(({ severity }) => severities.indexOf(severity) >= least)
  if (rules) tests.push(({ rule }) => rules.some(glob => globMatches(glob, rule)))
  if (devices) tests.push(({ device }) => devices.some(glob => globMatches(glob, device)))
  if (keys) tests.push(({ key }) => keys.some(glob => globMatches(glob, key)))
  if (topics)
    tests.push(({ eventTopic }) => eventTopic !== '' && topics.some(one => topicMatches(one, eventTopic)))
  for (const [name, glob] of Object.entries(labels ?? {}))
    tests.push(alert => globMatches(glob, labelOf(alert, name))) // one that it has not is empty
  return alert => tests.every(holds => holds(alert))
}

/** Whether the glob matches the whole text; `*` stands for any text. */
export function globMatches(glob: string, text: string): boolean {
  const [head = '', ...parts] = glob.split('*')
  const tail = parts.pop()
  if (tail === undefined) return text === glob
  const end = text.length - tail.length
  if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return false
  let at = head.length
  // What is found first leaves the most for the parts behind it.
  for (const part of parts) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= end
}

/** Whether an MQTT topic filter matches a topic. */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  const wanted = filter.split('/')
  const levels = topic.split('/')
  const hash = wanted.indexOf('#')
  if (hash < 0 && wanted.length !== levels.length) return false
  if (levels.length < hash) return false
  return wanted.every((level, at) => at === hash || level === '+' || level === levels[at])
}

function labelOf({ labels }: Alert, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''
}
