// Follows the log once and delivers it to every subscription, live or by reading on. It never waits for a subscriber.
import type { Logger } from 'pino'
import { compileFilter } from '../../store/filter.ts'
import type { Batch, Filter, Follower, Log } from '../../store/store.ts'
import type { Notification } from '../../store/notification.ts'
import { filterKey } from './filter.ts'
import { FilterIndex } from './filter-index.ts'
import type { FeedCounts } from './feed-metrics.ts'
import { FlushPace } from '../../store/flush-pace.ts'
import { LiveFilter } from './live-filter.ts'
import { Entry } from './messages.ts'
import { ReadGate } from '../../store/read-gate.ts'
import { RecentBatches } from './recent.ts'
import { Subscription } from './subscription.ts'
import type { SubscriptionOptions } from './subscription.ts'

// One page of catching up: a millisecond of encoding, and well under the bytes a connection may hold back.
const PAGE_ITEMS = 500
const PAGE_BYTES = 128 * 1024
const READS_AT_ONCE = 8

export interface HubOptions {
  log: Log
  flushMs: number
  counts: FeedCounts
  logger: Logger
  /** ms since 1970 */
  now: () => number
}

/**
 * Between flushes, `#position` runs ahead of `#flushed`. A subscription becomes live only when they are equal and it has
 * everything up to there: then nothing pending is older than its place (no repeat) or missing from it (no hole).
 */
export class Hub {
  readonly #options: HubOptions
  readonly #epoch: string
  readonly #index = new FilterIndex<LiveFilter>()
  readonly #filters = new Map<string, LiveFilter>()
  readonly #recent = new RecentBatches()
  readonly #gate = new ReadGate(READS_AT_ONCE)
  readonly #pace: FlushPace
  readonly #follower: Follower
  #dirty: LiveFilter[] = []
  #joining: Subscription[] = []
  /** Highest sequence the log has handed over. */
  #position: number
  /** Live members have everything up to here. */
  #flushed: number
  /** When the first notification that waits for the next flush was received, ms since 1970. */
  #waitsSince = 0

  constructor(options: HubOptions) {
    this.#options = options
    const { epoch, last } = options.log.bounds()
    this.#epoch = epoch
    this.#position = last
    this.#flushed = last
    this.#pace = new FlushPace(() => this.flush(), options.flushMs)
    this.#follower = options.log.follow(last, batch => this.#take(batch))
  }

  /** Begins a subscription; what lies between its place and now comes first. */
  subscribe(filter: Filter, options: SubscriptionOptions): Subscription {
    const live = this.#liveFilter(filter)
    const subscription = new Subscription(options, { live, epoch: this.#epoch, counts: this.#options.counts })
    live.claims++
    this.#advance(subscription)
    return subscription
  }

  unsubscribe(subscription: Subscription): void {
    if (subscription.state === 'ended') return
    if (subscription.state === 'live') subscription.live.remove(subscription)
    subscription.state = 'ended'
    this.#release(subscription.live)
  }

  /** Where this subscription stands. */
  reached(subscription: Subscription): number {
    return subscription.state === 'live' ? this.#flushed : subscription.reached
  }

  /** Resolves when something that passes the filter comes after `after`, which must be what a read has just returned. */
  async changed(filter: Filter, after: number, signal: AbortSignal): Promise<void> {
    if (after < this.#position || signal.aborted) return
    const live = this.#liveFilter(filter)
    live.claims++
    await new Promise<void>(resolve => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        live.waiters.delete(wake)
        resolve()
      }
      live.waiters.add(wake)
      signal.addEventListener('abort', wake)
    })
    this.#release(live)
  }

  /** Writes what is pending to everybody now. */
  flush(): void {
    const startedMs = performance.now()
    const through = this.#position
    const dirty = this.#dirty
    this.#dirty = []
    const slow = dirty.flatMap(live => live.flush(this.#epoch, through))
    if (dirty.length > 0) this.#observe(this.#options.counts.delivered, this.#waitsSince)
    for (const subscription of slow) this.#leave(subscription)
    this.#flushed = through
    const joining = this.#joining
    this.#joining = []
    for (const subscription of joining) if (subscription.state === 'joining') this.#advance(subscription)
    this.#options.counts.flushes++
    this.#options.counts.flushSeconds += (performance.now() - startedMs) / 1000
  }

  stop(): void {
    this.#follower.stop()
    this.#pace.stop()
  }

  #take(batch: Batch): void {
    this.#recent.push(batch)
    this.#position = batch.last
    const first = batch.items[0]
    if (first !== undefined) this.#observe(this.#options.counts.stored, first.at)
    if (this.#index.size > 0) for (const notification of batch.items) this.#dispatch(notification)
    if (this.#dirty.length > 0 || this.#joining.length > 0) this.#pace.request()
    else this.#flushed = batch.last
  }

  #dispatch(notification: Notification): void {
    let entry: Entry | null = null
    this.#index.match(notification, live => {
      entry ??= new Entry(notification)
      if (!live.take(entry)) return
      if (this.#dirty.push(live) === 1) this.#waitsSince = notification.at
    })
  }

  /** Once a commit and once a flush, not for each notification. A clock that was set back counts as no time. */
  #observe(delays: FeedCounts['stored'], since: number): void {
    delays.observe(Math.max(0, this.#options.now() - since) / 1000)
  }

  /** Takes a subscription as far as it can go now: into the live ones, or to what it has to wait for. */
  #advance(subscription: Subscription): void {
    while (subscription.state !== 'ended') {
      if (subscription.outlet.full) return this.#block(subscription)
      const { reached } = subscription
      if (reached < this.#position && !this.#recent.holdsAfter(reached)) return this.#read(subscription)
      if (this.#flushed !== this.#position || reached > this.#position) {
        subscription.state = 'joining'
        this.#joining.push(subscription)
        return
      }
      if (reached === this.#position || this.#sendRecent(subscription)) {
        subscription.state = 'live'
        subscription.live.add(subscription)
        return
      }
    }
  }

  #sendRecent(subscription: Subscription): boolean {
    const passes = compileFilter(subscription.live.filter)
    const items: Notification[] = []
    for (const item of this.#recent.after(subscription.reached)) if (passes(item)) items.push(item)
    return subscription.send(items, this.#position)
  }

  #leave(subscription: Subscription): void {
    if (subscription.state !== 'live') return
    this.#options.counts.slowLeaves++
    subscription.live.remove(subscription)
    subscription.reached = Math.max(subscription.reached, this.#flushed)
    this.#block(subscription)
  }

  #block(subscription: Subscription): void {
    subscription.state = 'blocked'
    subscription.outlet.whenDrained(() => {
      if (subscription.state === 'blocked') this.#advance(subscription)
    })
  }

  #read(subscription: Subscription): void {
    subscription.state = 'reading'
    this.#options.counts.catchUps++
    this.#readPage(subscription).then(
      () => {
        if (subscription.state === 'reading') this.#advance(subscription)
      },
      (error: unknown) => {
        if (subscription.state === 'ended') return
        this.#options.logger.warn({ err: error }, 'the log could not be read for a subscriber')
        this.unsubscribe(subscription)
        subscription.onError(error)
      }
    )
  }

  async #readPage(subscription: Subscription): Promise<void> {
    const { log } = this.#options
    const { filter } = subscription.live
    const page = await this.#gate.run(async () => {
      if (subscription.state === 'ended') return null
      return log.read(subscription.reached, { limit: PAGE_ITEMS, bytesMax: PAGE_BYTES, filter })
    })
    if (page === null || subscription.state === 'ended') return
    if (page.gap) subscription.tellGap(page.gap)
    subscription.send(page.items, page.next)
  }

  #liveFilter(filter: Filter): LiveFilter {
    const key = filterKey(filter)
    let live = this.#filters.get(key)
    if (live === undefined) {
      live = new LiveFilter(key, filter)
      this.#filters.set(key, live)
      this.#index.add(live)
    }
    return live
  }

  #release(live: LiveFilter): void {
    if (--live.claims > 0) return
    this.#filters.delete(live.key)
    this.#index.remove(live)
  }
}
