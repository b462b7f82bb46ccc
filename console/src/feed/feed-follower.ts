// Follows the feed for one query: what came before, then live; pausing, resuming and reading further back, by cursors.
import { signal } from '@preact/signals'
import type { Notification, NotificationPage } from '../api/shapes.ts'
import type { FeedConnection, FeedFilter, FeedSubscription } from './feed-connection.ts'
import { filterOfQuery, textTest } from './feed-query.ts'
import type { FeedQuery } from './feed-query.ts'
import { NotificationList } from './notification-list.ts'
import type { ListEntry } from './notification-list.ts'

/**
 * How it is with what came before:
 * - `idle`: more can be asked for.
 * - `loading`
 * - `end`: there is nothing older that is kept.
 * - `full`: the list takes no more.
 * - `tired`: the text was not found in so many notifications; `searchedTo` says down to when.
 */
export type HistoryState = 'idle' | 'loading' | 'end' | 'full' | 'tired'

export interface FeedFollowerOptions {
  feed: Pick<FeedConnection, 'subscribe'>
  /** A page of what came before a cursor, newest first; `latest`: before now. */
  readBefore: (cursor: string, filter: FeedFilter, limit: number) => Promise<NotificationPage>
  query: FeedQuery
  liveMax?: number
  historyMax?: number
}

const PAGE = 200
/** With a text most of a page may not count, so pages are larger, and so many are read in one go. */
const SEARCH_PAGE = 1000
const SEARCH_PAGES = 10
/** What fills a high window. */
const FOUND_ENOUGH = 50
/** Rows move at most so often: faster can't be read. */
const SHOW_EVERY_MS = 100
const RATE_EVERY_MS = 1000

export class FeedFollower {
  readonly list: NotificationList
  /** Counts the changes of `list`, at most ten a second. */
  readonly shown = signal(0)
  readonly paused = signal(false)
  /** How many came since it was paused. */
  readonly newCount = signal(0)
  /** Notifications a second, over the last one. */
  readonly rate = signal(0)
  readonly history = signal<HistoryState>('idle')
  readonly searchedTo = signal<number | null>(null)
  /** What the server or the network refused; null: nothing. */
  readonly problem = signal<unknown>(null)
  readonly #options: FeedFollowerOptions
  readonly #filter: FeedFilter
  readonly #passes: (notification: Notification) => boolean
  #subscription: FeedSubscription | null = null
  #pausedAt: string | null = null
  /** Where reading back goes on; null: before the oldest that is in the list. */
  #olderBefore: string | null = null
  #showTimer: ReturnType<typeof setTimeout> | null = null
  #rateTimer: ReturnType<typeof setInterval> | null = null
  #received = 0
  #ended = false

  constructor(options: FeedFollowerOptions) {
    const { query, liveMax = 5000, historyMax = 20_000 } = options
    this.#options = options
    this.#filter = filterOfQuery(query)
    this.#passes = textTest(query.text)
    this.list = new NotificationList({ liveMax, historyMax })
  }

  start(): void {
    this.#rateTimer = setInterval(() => {
      this.rate.value = this.#received
      this.#received = 0
    }, RATE_EVERY_MS)
    this.#subscribe(null)
  }

  end(): void {
    this.#ended = true
    this.#subscription?.end()
    if (this.#showTimer !== null) clearTimeout(this.#showTimer)
    if (this.#rateTimer !== null) clearInterval(this.#rateTimer)
  }

  /** Holds the list as it is. What comes is counted, and read on from here by `resume`. */
  pause(): void {
    if (this.paused.value) return
    this.paused.value = true
    this.newCount.value = 0
    this.#pausedAt = this.#subscription?.cursor ?? null
  }

  resume(): void {
    if (!this.paused.value) return
    this.paused.value = false
    if (this.#pausedAt === null || this.newCount.value === 0) return
    this.#subscription?.end()
    this.#subscribe(this.#pausedAt)
  }

  /** Adds a page of what came before the oldest that is shown. */
  async loadOlder(): Promise<void> {
    if (this.history.value === 'loading' || this.history.value === 'end') return
    if (!this.list.takesOlder) {
      this.history.value = 'full'
      return
    }
    this.history.value = 'loading'
    try {
      const found = await this.#readOlder()
      if (!this.#ended) this.history.value = found
    } catch (error) {
      if (this.#ended) return
      this.problem.value = error
      this.history.value = 'idle'
    }
    this.#show()
  }

  #subscribe(after: string | null): void {
    this.#subscription = this.#options.feed.subscribe(this.#filter, after, {
      onSubscribed: () => {
        if (this.list.length === 0 && !this.paused.value) void this.loadOlder()
      },
      onItems: items => this.#take(items),
      onGap: ({ from, to }) => {
        if (!this.paused.value) this.#append([{ kind: 'gap', cursor: to, from, to }])
      },
      onError: error => (this.problem.value = new Error(error.message))
    })
  }

  #take(items: readonly Notification[]): void {
    this.#received += items.length
    const wanted = items.filter(this.#passes)
    if (this.paused.value) this.newCount.value += wanted.length
    else if (wanted.length > 0) this.#append(wanted)
  }

  #append(entries: readonly ListEntry[]): void {
    if (this.list.append(entries)) {
      this.#olderBefore = null
      if (this.history.value !== 'loading') this.history.value = 'idle'
    }
    this.#showTimer ??= setTimeout(() => this.#show(), SHOW_EVERY_MS)
  }

  #show(): void {
    if (this.#showTimer !== null) clearTimeout(this.#showTimer)
    this.#showTimer = null
    if (!this.#ended) this.shown.value++
  }

  async #readOlder(): Promise<HistoryState> {
    const { query, readBefore } = this.#options
    const searches = query.text !== ''
    let found = 0
    for (let pages = 0; pages < (searches ? SEARCH_PAGES : 1); pages++) {
      const before = this.#olderBefore ?? this.list.oldest?.cursor ?? 'latest'
      const page = await readBefore(before, this.#filter, searches ? SEARCH_PAGE : PAGE)
      if (this.#ended) return 'idle'
      const wanted = page.items.filter(this.#passes)
      this.list.addOlder(wanted)
      this.#olderBefore = page.cursor
      found += wanted.length
      const oldest = page.items.at(-1)
      if (oldest !== undefined) this.searchedTo.value = oldest.at
      if (!page.more) return 'end'
      if (!this.list.takesOlder) return 'full'
      if (found >= FOUND_ENOUGH) return 'idle'
      if (!searches && page.items.length > 0) return 'idle'
    }
    // A selective filter is searched for a while a request; and a rare text may be far back.
    return found > 0 ? 'idle' : 'tired'
  }
}
