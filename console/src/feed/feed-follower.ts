// Follows the feed for one query: what came before, then live; holding, going on and reading further back, by cursors.
import { computed, signal } from '@preact/signals'
import { RequestError } from '../api/requests.ts'
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
 * - `failed`: it could not be read; `problem` says why.
 */
export type HistoryState = 'idle' | 'loading' | 'end' | 'full' | 'tired' | 'failed'

/** Why the list is held as it is: somebody asked for it, or has scrolled away from its newest. */
export type HoldReason = 'asked' | 'scrolled'

/** Where reading back begins: before a cursor, or up to and including what it is the cursor of. */
export type BackwardPlace = { before: string } | { through: string }

export interface FeedFollowerOptions {
  feed: Pick<FeedConnection, 'subscribe'>
  /** A page of what came before a place, newest first. */
  readBack: (place: BackwardPlace, filter: FeedFilter, limit: number) => Promise<NotificationPage>
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
  /** How many came since the list is held. */
  readonly newCount = signal(0)
  /** Notifications a second, over the last one. */
  readonly rate = signal(0)
  readonly history = signal<HistoryState>('idle')
  readonly searchedTo = signal<number | null>(null)
  /** What the server or the network refused; null: nothing. */
  readonly problem = signal<unknown>(null)
  readonly #holds = signal<ReadonlySet<HoldReason>>(new Set())
  /** Whether the list is held as it is. */
  readonly paused = computed(() => this.#holds.value.size > 0)
  /** Counts how often the newest are to be brought into view. */
  readonly topWanted = signal(0)
  readonly #options: FeedFollowerOptions
  readonly #filter: FeedFilter
  readonly #passes: (notification: Notification) => boolean
  #subscription: FeedSubscription | null = null
  /** Where the list was held; null: not yet at any place. */
  #heldAt: string | null = null
  /** Whether something came, or is missing, that the list has not. */
  #missed = false
  /** Where reading back goes on; null: before the oldest that is in the list. */
  #olderFrom: BackwardPlace | null = null
  /** Counts how often the oldest had to go: a page that was asked for before then no longer joins on. */
  #trims = 0
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

  /** Holds the list as it is. What comes is counted, and read on from here when nothing holds it any more. */
  hold(reason: HoldReason): void {
    if (!this.paused.value) {
      this.newCount.value = 0
      this.#missed = false
      this.#heldAt = this.#subscription?.cursor ?? null
    }
    this.#holds.value = new Set([...this.#holds.value, reason])
  }

  /** Takes a reason away; with the last one the list goes on. */
  release(reason: HoldReason): void {
    if (!this.paused.value) return
    this.#holds.value = new Set([...this.#holds.value].filter(each => each !== reason))
    if (this.paused.value || !this.#missed || this.#heldAt === null) return
    this.#subscription?.end()
    this.#subscribe(this.#heldAt)
  }

  /** Takes every reason away, and wants the newest to be seen. */
  goOn(): void {
    this.release('asked')
    this.release('scrolled')
    this.topWanted.value++
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
      if (this.#ended) return
      this.history.value = found
      this.problem.value = null
    } catch (error) {
      if (this.#ended) return
      this.problem.value = error
      this.history.value = 'failed'
    }
    this.#show()
  }

  /** Tries again what the problem is about. */
  retry(): void {
    this.problem.value = null
    if (this.#subscription === null) this.#subscribe(null)
    else void this.loadOlder()
  }

  #subscribe(after: string | null): void {
    this.#subscription = this.#options.feed.subscribe(this.#filter, after, {
      onSubscribed: ({ cursor }) => {
        if (this.paused.value) this.#heldAt ??= cursor
        if (this.list.length > 0) return
        // Up to where this subscription begins: what comes after it, it brings itself.
        this.#olderFrom = { through: cursor }
        if (this.history.value !== 'loading') this.history.value = 'idle'
        void this.loadOlder()
      },
      onItems: items => this.#take(items),
      onGap: ({ from, to }) => {
        if (this.paused.value) this.#missed = true
        else this.#append([{ kind: 'gap', cursor: to, from, to }])
      },
      onError: ({ code, message }) => {
        this.#subscription = null
        this.problem.value = new RequestError(code, message)
      }
    })
  }

  #take(items: readonly Notification[]): void {
    this.#received += items.length
    const wanted = items.filter(this.#passes)
    if (wanted.length === 0) return
    if (!this.paused.value) return this.#append(wanted)
    this.#missed = true
    this.newCount.value += wanted.length
  }

  #append(entries: readonly ListEntry[]): void {
    if (this.list.append(entries)) {
      this.#trims++
      this.#olderFrom = null
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
    const { query, readBack } = this.#options
    const searches = query.text !== ''
    let found = 0
    for (let pages = 0; pages < (searches ? SEARCH_PAGES : 1); pages++) {
      const trims = this.#trims
      const page = await readBack(this.#olderPlace(), this.#filter, searches ? SEARCH_PAGE : PAGE)
      if (this.#ended || this.#trims !== trims) return 'idle'
      const wanted = page.items.filter(this.#passes)
      // What is missing lies between the place that was asked for and the newest of the page.
      const { gap } = page
      this.list.addOlder(gap === undefined ? wanted : [{ kind: 'gap', cursor: gap.to, ...gap }, ...wanted])
      this.#olderFrom = { before: page.cursor }
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

  #olderPlace(): BackwardPlace {
    const oldest = this.list.oldest?.cursor
    return this.#olderFrom ?? { before: oldest ?? 'latest' }
  }
}
