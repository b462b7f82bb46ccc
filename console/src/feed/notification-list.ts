// What the feed shows: notifications in the log's order with the gaps between them, newest first, and no more of them
// than fit. Pure.
import type { Notification } from '../api/shapes.ts'

/** Something is missing: what came after `from`, up to and including `to`. */
export interface GapEntry {
  kind: 'gap'
  /** As that of a notification: where it stands. */
  cursor: string
  from: string
  to: string
}

export type ListEntry = Notification | GapEntry

export interface NotificationListOptions {
  /** Most entries while they come live; the oldest make room. */
  liveMax: number
  /** Most entries when older ones are added by hand. */
  historyMax: number
}

export class NotificationList {
  readonly #options: NotificationListOptions
  /** Oldest first, so that what comes is pushed. */
  #entries: ListEntry[] = []

  constructor(options: NotificationListOptions) {
    this.#options = options
  }

  get length(): number {
    return this.#entries.length
  }

  /** The entry at an index that counts from the newest. */
  at(index: number): ListEntry | undefined {
    return this.#entries[this.#entries.length - 1 - index]
  }

  /** Index from the newest of the entry with this cursor; -1: it is not there. */
  indexOf(cursor: string): number {
    const index = this.#entries.findLastIndex(entry => entry.cursor === cursor)
    return index < 0 ? -1 : this.#entries.length - 1 - index
  }

  get oldest(): ListEntry | undefined {
    return this.#entries[0]
  }

  /** Whether older ones may still be added. */
  get takesOlder(): boolean {
    return this.#entries.length < this.#options.historyMax
  }

  /** Adds what came, in the log's order; true when the oldest had to go. */
  append(entries: readonly ListEntry[]): boolean {
    const { liveMax } = this.#options
    for (const entry of entries) this.#entries.push(entry)
    const surplus = this.#entries.length - liveMax
    if (surplus <= 0) return false
    this.#entries.splice(0, surplus)
    return true
  }

  /** Adds a page of older ones, newest first; those that are here already (they came live meanwhile) are passed by. */
  addOlder(page: readonly ListEntry[]): void {
    const known = new Set(this.#entries.map(({ cursor }) => cursor))
    const older = page.filter(({ cursor }) => !known.has(cursor)).toReversed()
    const room = Math.max(0, this.#options.historyMax - this.#entries.length)
    this.#entries.unshift(...older.slice(Math.max(0, older.length - room)))
  }
}
