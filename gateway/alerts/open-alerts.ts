// The alerts that are not resolved, found by rule and key and by id.
import type { Appointment } from '../alerting/agenda.ts'
import type { Alert } from './alert.ts'
import type { AlertRecord } from './alert-row.ts'

/** An open alert in the hands of the book, which alone changes it. */
export interface OpenAlert extends AlertRecord {
  readonly alert: { -readonly [Field in keyof Alert]: Alert[Field] }
  /** When it ends unless it is raised before; of those that flap and are clear. */
  ending: Appointment | null
}

export class OpenAlerts {
  readonly #byId = new Map<string, OpenAlert>()
  // Rules ask for each event: nothing is put together for that, as one map by both would need.
  readonly #byRule = new Map<string, Map<string, OpenAlert>>()

  get size(): number {
    return this.#byId.size
  }

  /** How many are a rule's. */
  sizeOf(rule: string): number {
    return this.#byRule.get(rule)?.size ?? 0
  }

  find(rule: string, key: string): OpenAlert | undefined {
    return this.#byRule.get(rule)?.get(key)
  }

  byId(id: string): OpenAlert | undefined {
    return this.#byId.get(id)
  }

  *alerts(): IterableIterator<Alert> {
    for (const { alert } of this.#byId.values()) yield alert
  }

  add(open: OpenAlert): void {
    const { id, rule, key } = open.alert
    this.#byId.set(id, open)
    const keys = this.#byRule.get(rule) ?? new Map<string, OpenAlert>()
    this.#byRule.set(rule, keys)
    keys.set(key, open)
  }

  remove({ alert: { id, rule, key } }: OpenAlert): void {
    this.#byId.delete(id)
    const keys = this.#byRule.get(rule)
    keys?.delete(key)
    if (keys?.size === 0) this.#byRule.delete(rule)
  }
}
