// Reads the list of devices for a query: more of it as one scrolls, and anew what is seen. One request at a time; the
// answer to a query that has changed meanwhile is dropped. Without the document, so that it can be tested.
import { signal } from '@preact/signals'
import type { Device, DevicePage } from '../../api/shapes.ts'
import { DeviceList } from './device-list.ts'
import type { PageStart } from './device-list.ts'
import type { DeviceQuery } from './device-query.ts'

export interface PageWish extends DeviceQuery {
  cursor: string | undefined
  limit: number
}

export type ReadDevices = (wish: PageWish, signal: AbortSignal) => Promise<DevicePage>

export interface DeviceFinderOptions {
  read: ReadDevices
  /** Devices of one page. */
  limit?: number
}

/** Rows below the last that is seen which are read ahead. */
const AHEAD_ROWS = 60
const PAGE = 100

export class DeviceFinder {
  /** Counts the changes of the list. */
  readonly shown = signal(0)
  /** Whether devices of the query are shown; those of the last one stay until then. */
  readonly loaded = signal(false)
  /** Why the last request failed; null: it did not. */
  readonly problem = signal<unknown>(null)
  readonly #read: ReadDevices
  readonly #limit: number
  #query: DeviceQuery | null = null
  /** Of the query; `#shownList` is that of the one before it until there is an answer. */
  #list = new DeviceList()
  #shownList = this.#list
  #seen = { first: 0, end: 0 }
  #request: AbortController | null = null

  constructor({ read, limit = PAGE }: DeviceFinderOptions) {
    this.#read = read
    this.#limit = limit
  }

  get length(): number {
    return this.#shownList.length
  }

  /** Whether there are no more devices than are read. */
  get complete(): boolean {
    return this.loaded.value && this.#shownList.next === null
  }

  at(index: number): Device | undefined {
    return this.#shownList.at(index)
  }

  indexOf(id: string): number {
    return this.#shownList.indexOf(id)
  }

  /** Looks for something else. */
  async find(query: DeviceQuery): Promise<void> {
    if (query.search === this.#query?.search && query.status === this.#query.status) return
    this.end()
    this.#query = query
    this.#list = new DeviceList()
    this.#seen = { first: 0, end: 0 }
    this.loaded.value = false
    await this.#readMore()
  }

  /** Says which rows are seen: from the first to before `end`. */
  async see(first: number, end: number): Promise<void> {
    this.#seen = { first, end }
    await this.#readMore()
  }

  /** Reads anew what is seen, or what failed before. Does nothing while something is read. */
  async refresh(): Promise<void> {
    if (!this.loaded.value) return this.#readMore()
    const { first, end } = this.#seen
    let start: PageStart | null = this.#list.startFor(first)
    const lastSeen = this.#list.at(end - 1)?.id ?? ''
    while (start !== null) {
      const page = await this.#ask(start)
      const last = page?.items.at(-1)?.id
      start =
        page === null || page.cursor === null || last === undefined || last >= lastSeen
          ? null
          : { after: last, cursor: page.cursor }
    }
    await this.#readMore()
  }

  /** Gives up what is being read. */
  end(): void {
    this.#request?.abort()
    this.#request = null
  }

  async #readMore(): Promise<void> {
    while (this.#list.next !== null && this.#list.length < this.#seen.end + AHEAD_ROWS) {
      const page = await this.#ask(this.#list.next)
      if (page === null || page.items.length === 0) return
    }
  }

  /** The page, put into the list; null when another request is under way, it failed, or nobody waits for it any more. */
  async #ask(start: PageStart): Promise<DevicePage | null> {
    if (this.#request !== null || this.#query === null) return null
    const request = new AbortController()
    this.#request = request
    try {
      const wish = { ...this.#query, cursor: start.cursor, limit: this.#limit }
      const page = await this.#read(wish, request.signal)
      if (request.signal.aborted) return null
      this.#list.put(start, page)
      this.#shownList = this.#list
      this.problem.value = null
      this.loaded.value = true
      this.shown.value++
      return page
    } catch (error) {
      if (!request.signal.aborted) this.problem.value = error
      return null
    } finally {
      if (this.#request === request) this.#request = null
    }
  }
}
