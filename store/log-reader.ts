// Reads of the log: recent notifications come from memory, older ones from the engine.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BackwardReader } from './backward-reader.ts'
import type { BackwardRequest, PackedBackward } from './backward-reader.ts'
import { unpackEntries } from './block-reader.ts'
import type { Engine } from './engine.ts'
import { EntryPicker } from './entry-picker.ts'
import type { PackedPick } from './entry-picker.ts'
import { compileFilter } from './filter.ts'
import { mqttBytes } from './notification-size.ts'
import type { Notification } from './notification.ts'
import type { RecentWindow } from './recent-window.ts'
import type { ReadBackResult, ReadOptions, ReadResult } from './store.ts'

const READ_BYTES_MAX = 4 * 1024 * 1024 // of one read whose caller names no limit
const RECENT_LOOKED_AT_MAX = 16_384 // entries one read looks at in memory: about a millisecond
const RECENT_BACKWARD_MAX = { summaries: 2048, entries: 2048 } // so is this
const RECENT_PICKED_FROM_MAX = 4096 // and this: stepping over entries costs less

export interface LogReaderOptions {
  engine: Engine
  window: RecentWindow
  /** Lowest sequence still kept. */
  first: () => number
  /** Highest committed sequence. */
  last: () => number
  /** Told the first sequences of blocks that were found damaged, of one as often as it is read. */
  onDamage: (firsts: readonly number[]) => void
}

/** What `Log` says of its reads is done here. */
export class LogReader {
  readonly #engine: Engine
  readonly #window: RecentWindow
  readonly #first: () => number
  readonly #last: () => number
  readonly #onDamage: (firsts: readonly number[]) => void

  constructor({ engine, window, first, last, onDamage }: LogReaderOptions) {
    this.#engine = engine
    this.#window = window
    this.#first = first
    this.#last = last
    this.#onDamage = onDamage
  }

  async read(after: number, { limit, bytesMax = READ_BYTES_MAX, filter }: ReadOptions): Promise<ReadResult> {
    const last = this.#last()
    if (after >= last) return { items: [], next: after, more: false, gap: null }
    if (after + 1 >= this.#first() && this.#window.has(after + 1))
      return this.#readRecent(after, { limit, bytesMax, ...(filter && { filter }) })
    const request = { after, upTo: last, limit, bytesMax, filter: filter ?? null }
    const packed = await this.#engine.readEntries(request)
    this.#onDamage(packed.damaged)
    return {
      items: unpackEntries(packed),
      next: packed.next,
      more: packed.next < this.#last(),
      gap: packed.gap
    }
  }

  #readRecent(after: number, { limit, bytesMax = READ_BYTES_MAX, filter }: ReadOptions): ReadResult {
    const test = filter ? compileFilter(filter) : null
    const items: Notification[] = []
    const last = this.#last()
    const upTo = Math.min(last, after + RECENT_LOOKED_AT_MAX)
    let bytes = 0
    let next = after
    while (next < upTo) {
      const batch = this.#window.batch(next + 1)
      if (batch === null) break
      for (let index = next + 1 - batch.first; index < batch.items.length && next < upTo; index++) {
        const item = batch.items[index] as Notification
        if (test === null || test(item)) {
          bytes += item.kind === 'event' ? item.payload.length + mqttBytes(item.mqtt) : 0
          if (items.length >= limit || (items.length > 0 && bytes > bytesMax))
            return { items, next, more: true, gap: null }
          items.push(item)
        }
        next = item.seq
      }
    }
    return { items, next, more: next < last, gap: null }
  }

  async readBack(
    before: number,
    { limit, bytesMax = READ_BYTES_MAX, filter }: ReadOptions
  ): Promise<ReadBackResult> {
    const from = Math.min(before, this.#last() + 1)
    if (from <= this.#first()) return { items: [], next: from, more: false, gap: null }
    const request = { before: from, limit, bytesMax, filter: filter ?? null }
    const packed = this.#window.has(from - 1)
      ? this.#readRecentBackward(request)
      : await this.#engine.readBackward(request)
    this.#onDamage(packed.damaged)
    return {
      items: unpackEntries(packed),
      next: packed.next,
      more: !packed.ended && packed.next > this.#first(),
      gap: packed.gap
    }
  }

  #readRecentBackward(request: BackwardRequest): PackedBackward {
    const reader = new BackwardReader(request, RECENT_BACKWARD_MAX)
    let block = this.#window.block(request.before - 1)
    while (block && !reader.done) {
      if (reader.wants(block)) reader.take(block, block.body)
      block = this.#window.block(block.first - 1)
    }
    return reader.finish(false)
  }

  async seqBefore(at: number): Promise<number> {
    let low = this.#first() - 1
    let high = this.#last()
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      // The entry itself may be gone, to damage or meanwhile to retention: then it was there no later than the next.
      const next = (await this.read(middle - 1, { limit: 1 })).items[0]
      if (next !== undefined && next.at < at) low = middle
      else high = middle - 1
    }
    return low
  }

  async get(seq: number): Promise<Notification | null> {
    if (seq < this.#first() || seq > this.#last()) return null
    const { items } = await this.read(seq - 1, { limit: 1 })
    return items[0]?.seq === seq ? items[0] : null
  }

  async getMany(seqs: readonly number[], onItems: (items: Notification[]) => void): Promise<void> {
    const wanted = [...new Set(seqs)]
      .filter(seq => seq >= this.#first() && seq <= this.#last())
      .toSorted((a, b) => a - b)
    for (let done = 0; done < wanted.length;) {
      const rest = wanted.slice(done)
      const older = rest.filter(seq => seq < this.#window.first)
      const packed =
        older.length > 0
          ? await this.#engine.pickEntries({ seqs: older, bytesMax: READ_BYTES_MAX })
          : this.#pickRecent(rest)
      this.#onDamage(packed.damaged)
      done += packed.done
      if (packed.seqs.length > 0) onItems(unpackEntries(packed))
      if (older.length === 0 && done < wanted.length) await nextTurn()
    }
  }

  #pickRecent(seqs: readonly number[]): PackedPick {
    const picker = new EntryPicker({ seqs, bytesMax: READ_BYTES_MAX }, RECENT_PICKED_FROM_MAX)
    for (let seq = picker.next; seq !== null; seq = picker.next) {
      const block = this.#window.block(seq)
      if (block === null) picker.pass()
      else picker.take(block.first, block.body)
    }
    return picker.finish()
  }
}
