// A feed of the WebSocket protocol that outlives the server's crashes, and its comparison with the log.
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber, type Item } from '../helpers/feed-subscriber.ts'
import type { ServerProcess } from '../helpers/server-process.ts'

const CATCH_UP_MS = 60_000

/** A feed over many connections, each of which goes on from the cursor where the one before ended. */
export class ResumingFeed implements AsyncDisposable {
  readonly #format: 'json' | 'msgpack'
  readonly #cursors: string[] = []
  #connection: FeedSubscriber | null = null
  #cursor = 'earliest'
  #gaps = 0

  constructor(format: 'json' | 'msgpack') {
    this.#format = format
  }

  async resume(server: ServerProcess): Promise<void> {
    if (this.#connection?.closeCode === null) return
    const { url, adminToken: token } = server
    const onItems = (items: readonly Item[]) => {
      for (const { cursor } of items) this.#cursors.push(cursor)
    }
    const filter = { kinds: ['event'] }
    this.#connection = await FeedSubscriber.open({
      url,
      token,
      format: this.#format,
      filter,
      after: this.#cursor,
      onItems
    })
    if (this.#connection.recovered !== true) this.#gaps++
  }

  async closed(): Promise<void> {
    await this.#connection?.closed
    this.#cursor = this.#connection?.cursor ?? this.#cursor
  }

  /** Reads to the end of the log and compares what was ever shown with it. */
  async compare(server: ServerProcess, log: readonly Item[]): Promise<{ missed: number; repeated: number }> {
    await this.resume(server)
    const last = log.at(-1)?.cursor
    await eventually(() => this.#cursors.at(-1) === last, { timeoutMs: CATCH_UP_MS }).catch(() => {}) // counted instead
    const place = new Map(log.map(({ cursor }, index) => [cursor, index]))
    const seen = new Set(this.#cursors)
    let repeated = 0
    let reached = -1
    for (const cursor of this.#cursors) {
      const at = place.get(cursor)
      if (at === undefined || at <= reached) repeated++
      else reached = at
    }
    const gaps = this.#gaps + (this.#connection?.gaps.length ?? 0)
    return { missed: log.filter(({ cursor }) => !seen.has(cursor)).length + gaps, repeated }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.[Symbol.asyncDispose]()
  }
}
