// Those who read the log as it grows. A follower is in its past, reading batch by batch at its own speed, or live:
// then it gets each batch in the turn in which it was committed, and is never waited for.
import type { Logger } from 'pino'
import type { Batch, Follower, Gap, ReadResult } from './store.ts'

// A batch of the past: small enough that decoding it does not hold up the event loop.
const PAST_ITEMS = 2048
const PAST_BYTES = 512 * 1024
const RETRY_MS = 1000 // after a read that failed

/** What followers read from. */
export interface Past {
  /** Highest committed sequence. */
  last(): number
  /** A batch in memory that holds `seq`, or null. */
  recent(seq: number): Batch | null
  read(after: number, options: { limit: number; bytesMax: number }): Promise<ReadResult>
}

export interface FollowerCalls {
  onBatch: (batch: Batch) => void | Promise<void>
  onGap: ((gap: Gap) => void) | null
}

export class Followers {
  readonly #past: Past
  readonly #log: Logger
  readonly #live = new Set<Place>()
  readonly #all = new Set<Place>()

  constructor(past: Past, log: Logger) {
    this.#past = past
    this.#log = log
  }

  follow(after: number, calls: FollowerCalls): Follower {
    const place: Place = { seq: after, calls, stopped: false, wake: null }
    this.#all.add(place)
    if (after >= this.#past.last()) this.#live.add(place)
    else setImmediate(() => void this.#catchUp(place))
    return { stop: () => this.#stop(place) }
  }

  /** Hands a batch that was just committed to those who are live. */
  deliver(batch: Batch): void {
    for (const place of this.#live) {
      if (place.seq >= batch.last) continue // came live in this very turn, or waits for a later sequence
      const part = partAfter(batch, place.seq)
      place.seq = batch.last
      this.#handLive(place, part)
    }
  }

  stopAll(): void {
    for (const place of this.#all) this.#stop(place)
  }

  #stop(place: Place): void {
    place.stopped = true
    place.wake?.()
    this.#live.delete(place)
    this.#all.delete(place)
  }

  async #catchUp(place: Place): Promise<void> {
    while (!place.stopped) {
      if (place.seq >= this.#past.last()) {
        this.#live.add(place)
        return
      }
      const recent = this.#past.recent(place.seq + 1)
      if (recent === null) await this.#readOn(place)
      else {
        const part = partAfter(recent, place.seq)
        place.seq = recent.last
        await this.#hand(place, part)
        await this.#pause(place, 0)
      }
    }
  }

  async #readOn(place: Place): Promise<void> {
    let result: ReadResult
    try {
      result = await this.#past.read(place.seq, { limit: PAST_ITEMS, bytesMax: PAST_BYTES })
    } catch (err) {
      if (place.stopped) return
      this.#log.error({ err, after: place.seq }, 'reading the log failed')
      await this.#pause(place, RETRY_MS)
      return
    }
    if (place.stopped) return
    if (result.gap) this.#tellGap(place, result.gap)
    place.seq = result.next
    const [first] = result.items
    if (first && !place.stopped)
      await this.#hand(place, { first: first.seq, last: result.next, items: result.items })
  }

  #tellGap(place: Place, gap: Gap): void {
    try {
      place.calls.onGap?.(gap)
    } catch (err) {
      this.#log.error({ err }, 'a follower of the log failed')
    }
  }

  /** Waits for nothing. Hardly any follower returns a promise, and one more of each at every commit is for nothing. */
  #handLive(place: Place, batch: Batch): void {
    try {
      const done = place.calls.onBatch(batch)
      if (done instanceof Promise) done.catch((err: unknown) => this.#tellFailure(batch, err))
    } catch (err) {
      this.#tellFailure(batch, err)
    }
  }

  /** Never rejects. */
  async #hand(place: Place, batch: Batch): Promise<void> {
    try {
      await place.calls.onBatch(batch)
    } catch (err) {
      this.#tellFailure(batch, err)
    }
  }

  /** A follower that fails is on its own. */
  #tellFailure({ first, last }: Batch, err: unknown): void {
    this.#log.error({ err, first, last }, 'a follower of the log failed')
  }

  #pause(place: Place, ms: number): Promise<void> {
    return new Promise(resolve => {
      if (ms === 0) {
        setImmediate(resolve)
        return
      }
      const timer = setTimeout(resolve, ms)
      place.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

interface Place {
  /** Everything up to here was handed over. */
  seq: number
  calls: FollowerCalls
  stopped: boolean
  /** Ends a pause early. */
  wake: (() => void) | null
}

function partAfter(batch: Batch, seq: number): Batch {
  if (seq < batch.first) return batch
  return { first: seq + 1, last: batch.last, items: batch.items.slice(seq + 1 - batch.first) }
}
