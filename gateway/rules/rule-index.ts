// Finds the rules that look at an event or a presence, without asking each of them.
import { compileGlobs, type GlobTest } from '../../store/glob.ts'
import { TopicTrie } from '../../store/topic-trie.ts'
import type { Rule } from './rule.ts'

/** Topics whose rules are remembered. Fleets have a few topics a device; made-up ones must not fill the memory. */
const TOPICS_MAX = 50_000
/** Longer topics are looked up each time. */
const TOPIC_CHARS_MAX = 256

interface Indexed<Value> {
  value: Value
  place: number
  /** null: any device. */
  devices: GlobTest | null
}

/** An index of whatever has a rule; what it finds comes in the order in which it was given. */
export class RuleIndex<Value extends { readonly rule: Rule }> {
  readonly #topics = new TopicTrie<Indexed<Value>>()
  readonly #anyTopic: Indexed<Value>[] = []
  readonly #presence: Indexed<Value>[] = []
  readonly #byTopic = new Map<string, Found<Value>>()
  /** What topics have in common, by the places of the rules. */
  readonly #found = new Map<string, Found<Value>>()

  constructor(values: readonly Value[]) {
    for (const [place, value] of values.entries()) {
      const { type, topics, devices } = value.rule
      const indexed = { value, place, devices: devices.length === 0 ? null : compileGlobs(devices) }
      if (type === 'offline') this.#presence.push(indexed)
      else if (topics.length === 0) this.#anyTopic.push(indexed)
      else for (const topic of topics) this.#topics.add(topic, indexed)
    }
  }

  /** Those that look at an event. */
  ofEvent(topic: string, device: string): readonly Value[] {
    return this.#ofTopic(topic).of(device)
  }

  /** Those that look at whether a device is online. */
  ofPresence(device: string): Value[] {
    return valuesFor(this.#presence, device)
  }

  #ofTopic(topic: string): Found<Value> {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known
    const found = this.#findTopic(topic)
    if (topic.length <= TOPIC_CHARS_MAX) {
      if (this.#byTopic.size >= TOPICS_MAX) {
        this.#byTopic.clear()
        this.#found.clear()
      }
      this.#byTopic.set(topic, found)
    }
    return found
  }

  #findTopic(topic: string): Found<Value> {
    // A set: two topic filters of a rule may match.
    const matching = [...new Set([...this.#topics.match(topic), ...this.#anyTopic])]
    matching.sort((one, other) => one.place - other.place)
    const places = matching.map(({ place }) => place).join()
    const known = this.#found.get(places)
    if (known !== undefined) return known
    const found = new Found(matching)
    if (this.#found.size < TOPICS_MAX) this.#found.set(places, found)
    return found
  }
}

/** What a topic's rules are, for any device and for one. */
class Found<Value> {
  readonly #indexed: readonly Indexed<Value>[]
  /** null: it depends on the device. */
  readonly #all: readonly Value[] | null

  constructor(indexed: readonly Indexed<Value>[]) {
    this.#indexed = indexed
    this.#all = indexed.every(({ devices }) => devices === null) ? indexed.map(({ value }) => value) : null
  }

  of(device: string): readonly Value[] {
    return this.#all ?? valuesFor(this.#indexed, device)
  }
}

function valuesFor<Value>(indexed: readonly Indexed<Value>[], device: string): Value[] {
  const values: Value[] = []
  for (const { value, devices } of indexed) if (devices === null || devices(device)) values.push(value)
  return values
}
