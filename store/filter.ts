// Turns a filter into a test. What an entry is asked first is what costs least.
import { severities } from './notification.ts'
import type { Kind, Severity } from './notification.ts'
import type { Filter } from './store.ts'
import { TopicTrie } from './topic-trie.ts'
import { topicMatches } from './topic-filter.ts'

/** The parts of a notification that a filter looks at; any `Notification` is one. */
export interface Filterable {
  kind: Kind
  device: string
  severity: Severity
  topic?: string
}

export type Test = (notification: Filterable) => boolean

const compiled = new WeakMap<Filter, Test>()

/** A test for the filter. Compiled once for each filter object, so a filter must not be changed after its first use. */
export function compileFilter(filter: Filter): Test {
  let test = compiled.get(filter)
  if (test === undefined) compiled.set(filter, (test = compile(filter)))
  return test
}

function compile({ topics, kinds, devices, severityMin }: Filter): Test {
  const tests: Test[] = []
  if (kinds) tests.push(notification => kinds.includes(notification.kind))
  if (severityMin && severityMin !== 'info') {
    const passing = new Set(severities.slice(severities.indexOf(severityMin)))
    tests.push(notification => passing.has(notification.severity))
  }
  if (devices) {
    const passing = new Set(devices)
    tests.push(notification => passing.has(notification.device))
  }
  if (topics) tests.push(topicTest(topics))
  const [first, second, ...rest] = tests
  if (!first) return () => true
  if (!second) return first
  if (rest.length === 0) return notification => first(notification) && second(notification)
  return notification => tests.every(test => test(notification))
}

function topicTest(topics: readonly string[]): Test {
  const [only] = topics
  if (only !== undefined && topics.length === 1) {
    if (only === '#') return ({ topic }) => topic !== undefined && !topic.startsWith('$')
    return ({ topic }) => topic !== undefined && topicMatches(only, topic)
  }
  const trie = new TopicTrie<true>()
  for (const topic of topics) trie.add(topic, true)
  return ({ topic }) => topic !== undefined && trie.match(topic).length > 0
}
