// What a device may publish and subscribe, by patterns from the configuration. Topics that begin with `$` are nobody's,
// but that a rule may name `$SYS` and `$alerts` topics to be subscribed to. Operators may see everything and publish
// nothing.
import { topicMatches } from '../store/topic-filter.ts'
import type { Identity } from './identity.ts'

/** One access rule. Rules whose `devices` name a device add up. */
export interface AccessRule {
  /** Device ids; `*` stands for any text. */
  devices: string[]
  /** Topic filters; `%c` is the client id, `%u` the user name. */
  publish: string[]
  /** Topic filters, as for `publish`. `$SYS` and `$alerts` topics are covered only by those that begin with them. */
  subscribe: string[]
}

interface Access {
  publish: Patterns
  subscribe: Patterns
  /** Of the patterns to subscribe to, those that are written with `$SYS` or `$alerts` in front. */
  system: Patterns
}

/** Topic filters that apply to one identity; `all` when one of them is `#`. */
interface Patterns {
  all: boolean
  filters: string[]
}

/** Compiles the rules once per identity; a check is then a few string comparisons. */
export class Authorizer {
  #rules: readonly AccessRule[]
  #compiled = new WeakMap<Identity, Access>()

  constructor(rules: readonly AccessRule[]) {
    this.#rules = rules
  }

  /** Whether it may publish to this topic name. */
  mayPublish(identity: Identity, topic: string): boolean {
    if (topic.startsWith('$') || identity.operator !== undefined) return false
    const { all, filters } = this.#access(identity).publish
    return all || filters.some(filter => topicMatches(filter, topic))
  }

  /** Whether it may see every topic that this (valid) filter matches. */
  maySubscribe(identity: Identity, filter: string): boolean {
    if (identity.operator !== undefined) return true
    if (filter.startsWith('$')) return this.#mayWatch(identity, filter)
    const { all, filters } = this.#access(identity).subscribe
    return all || filters.some(pattern => filterCovers(pattern, filter))
  }

  #mayWatch(identity: Identity, filter: string): boolean {
    return this.#access(identity).system.filters.some(pattern => filterCovers(pattern, filter))
  }

  #access(identity: Identity): Access {
    let access = this.#compiled.get(identity)
    if (access === undefined) {
      const rules = this.#rules.filter(rule => rule.devices.some(glob => globMatches(glob, identity.device)))
      const publish = rules.flatMap(rule => rule.publish)
      const subscribe = rules.flatMap(rule => rule.subscribe)
      access = {
        publish: patternsFor(identity, publish),
        subscribe: patternsFor(identity, subscribe),
        system: patternsFor(identity, subscribe.filter(namesSystem)) // by its author, not by an id that is put in
      }
      this.#compiled.set(identity, access)
    }
    return access
  }
}

function patternsFor(identity: Identity, patterns: string[]): Patterns {
  const filters = new Set<string>()
  for (const pattern of patterns) {
    const filter = substitute(pattern, identity)
    if (filter !== null) filters.add(filter)
  }
  return { all: filters.has('#'), filters: [...filters] }
}

function namesSystem(pattern: string): boolean {
  return /^\$(SYS|alerts)(\/|$)/.test(pattern)
}

/**
 * Puts the identity into a pattern, or returns null when the pattern is void for it: an id that holds `+`, `#` or `/`
 * would widen the pattern beyond what its author meant, and a missing one can't fill its place.
 */
function substitute(pattern: string, { clientId, user }: Identity): string | null {
  if (!pattern.includes('%')) return pattern
  if (pattern.includes('%c') && !fitsLevel(clientId)) return null
  if (pattern.includes('%u') && (user === null || !fitsLevel(user))) return null
  return pattern.replace(/%[cu]/g, place => (place === '%c' ? clientId : (user ?? '')))
}

function fitsLevel(id: string): boolean {
  return id.length > 0 && !/[+#/]/.test(id)
}

/** Whether the text matches a pattern in which `*` stands for any text, also none. Linear in the text per `*`. Pure. */
export function globMatches(glob: string, text: string): boolean {
  const [head = '', ...rest] = glob.split('*')
  const tail = rest.pop()
  if (tail === undefined) return glob === text
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false
  const end = text.length - tail.length
  let at = head.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/** Whether every topic that `filter` matches is matched by `pattern` too. Both must be valid topic filters. Pure. */
export function filterCovers(pattern: string, filter: string): boolean {
  if (pattern === filter) return true
  // A wildcard in the first level never matches a topic that begins with `$` [MQTT-4.7.2-1].
  if (filter.startsWith('$') && (pattern.startsWith('+') || pattern.startsWith('#'))) return false
  if (filter === '#') return pattern === '+/#' // as `a/#` matches `a`, `+/#` matches what `#` does
  const wide = pattern.split('/')
  const narrow = filter.split('/')
  for (const [index, level] of wide.entries()) {
    if (level === '#') return true
    const other = narrow[index]
    if (other === undefined || other === '#' || (level !== '+' && level !== other)) return false
  }
  return wide.length === narrow.length
}
