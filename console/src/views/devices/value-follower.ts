// The numbers of one device: those of its last events, then live. After a hole in what came, all is read anew.
import { signal } from '@preact/signals'
import type { EventNotification, Notification, NotificationPage } from '../../api/shapes.ts'
import type { FeedConnection, FeedFilter, FeedSubscription } from '../../feed/feed-connection.ts'
import type { BackwardPlace } from '../../feed/feed-follower.ts'
import { ValueSeriesSet } from './value-series.ts'

export interface ValueFollowerOptions {
  feed: Pick<FeedConnection, 'subscribe'>
  /** A page of what came before a place, newest first. */
  readBack: (
    place: BackwardPlace,
    filter: FeedFilter,
    limit: number,
    signal: AbortSignal
  ) => Promise<NotificationPage>
  device: string
  /** Events that are read back. */
  eventsMax?: number
}

/** Charts are drawn at most so often. */
const SHOW_EVERY_MS = 1000
const PAGE = 500
/** A page of a device that says little may have few events; so many are asked for at most. */
const PAGES_MAX = 6

export class ValueFollower {
  /** Counts the changes of `series`, at most one a second. */
  readonly shown = signal(0)
  readonly loaded = signal(false)
  /** Why the past could not be read; null: it could. */
  readonly problem = signal<unknown>(null)
  readonly #options: ValueFollowerOptions
  readonly #filter: FeedFilter
  #series = new ValueSeriesSet()
  #subscription: FeedSubscription | null = null
  /** What came live while the past was being read; null: it is read. */
  #waiting: EventNotification[] | null = []
  #loading: AbortController | null = null
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(options: ValueFollowerOptions) {
    this.#options = options
    this.#filter = { devices: [options.device], kinds: ['event'] }
  }

  get series(): ValueSeriesSet {
    return this.#series
  }

  start(): void {
    this.#subscription = this.#options.feed.subscribe(this.#filter, null, {
      onSubscribed: ({ recovered }) => {
        if (!this.loaded.value || !recovered) void this.load()
      },
      onGap: () => void this.load(),
      onItems: items => this.#take(eventsOf(items)),
      onError: ({ message }) => (this.problem.value = new Error(message))
    })
  }

  end(): void {
    this.#subscription?.end()
    this.#loading?.abort()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** Reads the past anew, up to where the subscription has come, with what it brings meanwhile behind it. */
  async load(): Promise<void> {
    this.#loading?.abort()
    const loading = new AbortController()
    this.#loading = loading
    this.#waiting = []
    try {
      const past = await this.#readPast(loading.signal)
      if (loading.signal.aborted) return
      const series = new ValueSeriesSet()
      series.add(past)
      series.add(this.#waiting)
      this.#series = series
      this.#waiting = null
      this.problem.value = null
      this.loaded.value = true
      this.#show()
    } catch (error) {
      if (!loading.signal.aborted) this.problem.value = error
    }
  }

  /** The last events, oldest first. */
  async #readPast(signal: AbortSignal): Promise<EventNotification[]> {
    const { readBack, eventsMax = 1000 } = this.#options
    const newestFirst: EventNotification[] = []
    let place: BackwardPlace = { through: this.#subscription?.cursor ?? 'latest' }
    for (let pages = 0; pages < PAGES_MAX && newestFirst.length < eventsMax; pages++) {
      const page: NotificationPage = await readBack(
        place,
        this.#filter,
        Math.min(PAGE, eventsMax - newestFirst.length),
        signal
      )
      newestFirst.push(...eventsOf(page.items))
      if (!page.more) break
      place = { before: page.cursor }
    }
    return newestFirst.toReversed()
  }

  #take(events: readonly EventNotification[]): void {
    if (this.#waiting !== null) {
      // The past is being read. So many are more than a chart keeps anyway.
      this.#waiting = [...this.#waiting, ...events].slice(-10 * PAGE)
      return
    }
    this.#series.add(events)
    this.#timer ??= setTimeout(() => this.#show(), SHOW_EVERY_MS)
  }

  #show(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.shown.value++
  }
}

function eventsOf(items: readonly Notification[]): EventNotification[] {
  return items.filter(item => item.kind === 'event')
}
