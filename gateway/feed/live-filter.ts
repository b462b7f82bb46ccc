// One filter that live subscriptions share: what passed it since the last flush, and who gets it in which form.
import type { Filter } from '../../store/store.ts'
import { cutFrames } from './frames.ts'
import type { FrameCut } from './frames.ts'
import type { Entry } from './messages.ts'
import type { Subscription } from './subscription.ts'

/**
 * Members are grouped by format and subscription id, because the id is part of the message: a group's bytes are built
 * once. Clients of one kind mostly use one id, so there are few groups; the notifications inside are encoded once for
 * each format in any case.
 */
export class LiveFilter {
  readonly key: string
  readonly filter: Filter
  /** Called at the next flush that has something for this filter. */
  readonly waiters = new Set<() => void>()
  /** Subscriptions, live or not, and long-polls that use it; it goes with the last. */
  claims = 0
  readonly #groups = new Map<string, Set<Subscription>>()
  #pending: Entry[] = []

  constructor(key: string, filter: Filter) {
    this.key = key
    this.filter = filter
  }

  /** Notes what passed; true when it is the first since the last flush. */
  take(entry: Entry): boolean {
    if (this.#pending.at(-1) === entry) return false // found by several of its topics
    return this.#pending.push(entry) === 1
  }

  add(subscription: Subscription): void {
    const group = this.#groups.get(subscription.groupKey)
    if (group) group.add(subscription)
    else this.#groups.set(subscription.groupKey, new Set([subscription]))
  }

  remove(subscription: Subscription): void {
    const group = this.#groups.get(subscription.groupKey)
    group?.delete(subscription)
    if (group?.size === 0) this.#groups.delete(subscription.groupKey)
  }

  /**
   * Writes what is pending to every member; they have then seen everything through `through`. Those whose connection is
   * full get nothing and are returned, with how far they came in `reached`.
   */
  flush(epoch: string, through: number): Subscription[] {
    const entries = this.#pending
    this.#pending = []
    const slow: Subscription[] = []
    for (const group of this.#groups.values()) {
      let frames: FrameCut[] | null = null
      for (const member of group) {
        frames ??= cutFrames(entries, { epoch, format: member.outlet.format, id: member.id, through })
        if (!member.sendLive(frames)) slow.push(member)
      }
    }
    for (const wake of this.waiters) wake()
    this.waiters.clear()
    return slow
  }
}
