// Finds the live filters that a notification passes, in time that grows with how many do, not with how many there are.
import { compileFilter } from '../../store/filter.ts'
import type { Test } from '../../store/filter.ts'
import type { Notification } from '../../store/notification.ts'
import type { Filter } from '../../store/store.ts'
import { TopicTrie } from '../../store/topic-trie.ts'

interface Indexed<Value> {
  value: Value
  /** Conditions beyond the one it was found by; null: none. */
  rest: Test | null
}

/**
 * A set of values, each with a filter. One with devices is found by device, else one with topics by topic; what names
 * neither is tried each time, and of those only a few dozen different ones can exist.
 */
export class FilterIndex<Value extends { readonly filter: Filter }> {
  readonly #byDevice = new Map<string, Set<Indexed<Value>>>()
  readonly #byTopic = new TopicTrie<Indexed<Value>>()
  #topicFilters = 0
  readonly #others = new Set<Indexed<Value>>()
  readonly #indexed = new Map<Value, Indexed<Value>>()

  get size(): number {
    return this.#indexed.size
  }

  add(value: Value): void {
    const { topics, kinds, devices, severityMin } = value.filter
    const rest: Filter = {
      ...(devices && topics && { topics }),
      ...(kinds && { kinds }),
      ...(severityMin && { severityMin })
    }
    const indexed = { value, rest: Object.keys(rest).length > 0 ? compileFilter(rest) : null }
    this.#indexed.set(value, indexed)
    if (devices) for (const device of devices) this.#addDevice(device, indexed)
    else if (topics) {
      for (const topic of topics) this.#byTopic.add(topic, indexed)
      this.#topicFilters++
    } else this.#others.add(indexed)
  }

  remove(value: Value): void {
    const indexed = this.#indexed.get(value)
    if (indexed === undefined) return
    this.#indexed.delete(value)
    this.#others.delete(indexed)
    const { topics, devices } = value.filter
    if (!devices && topics) {
      for (const topic of topics) this.#byTopic.remove(topic, indexed)
      this.#topicFilters--
    }
    for (const device of devices ?? []) {
      const found = this.#byDevice.get(device)
      found?.delete(indexed)
      if (found?.size === 0) this.#byDevice.delete(device)
    }
  }

  /** Calls `visit` for each value whose filter passes; more than once where several of its topics match. */
  match(notification: Notification, visit: (value: Value) => void): void {
    const byDevice = this.#byDevice.get(notification.device)
    if (byDevice) visitAll(byDevice, notification, visit)
    if (this.#others.size > 0) visitAll(this.#others, notification, visit)
    if (notification.kind === 'event' && this.#topicFilters > 0)
      visitAll(this.#byTopic.match(notification.topic), notification, visit)
  }

  #addDevice(device: string, indexed: Indexed<Value>): void {
    const found = this.#byDevice.get(device)
    if (found) found.add(indexed)
    else this.#byDevice.set(device, new Set([indexed]))
  }
}

function visitAll<Value>(
  found: Iterable<Indexed<Value>>,
  notification: Notification,
  visit: (value: Value) => void
): void {
  for (const { value, rest } of found) if (rest === null || rest(notification)) visit(value)
}
