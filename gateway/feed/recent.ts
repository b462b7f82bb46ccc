// The last few batches, so that a subscription that has read up to a moment ago can join live delivery in one step,
// without another read during which the log would grow again.
import type { Batch } from '../../store/store.ts'
import { mqttBytes } from '../../store/notification-size.ts'
import type { Notification } from '../../store/notification.ts'

const ITEMS_MAX = 256 // few: as objects they outlive the collector's cheap passes, and the store keeps more, encoded
const BATCHES_MIN = 2 // what is committed while a page is read
const BYTES_MAX = 4 * 1024 * 1024 // payloads and properties they keep alive; the store's own window is larger and mostly the same

/** A sliding window over the end of the log. */
export class RecentBatches {
  readonly #batches: { batch: Batch; bytes: number }[] = []
  #items = 0
  #bytes = 0

  push(batch: Batch): void {
    let bytes = 0
    for (const item of batch.items)
      if (item.kind === 'event') bytes += item.payload.length + mqttBytes(item.mqtt)
    this.#batches.push({ batch, bytes })
    this.#items += batch.items.length
    this.#bytes += bytes
    while (this.#batches.length > BATCHES_MIN && (this.#items > ITEMS_MAX || this.#bytes > BYTES_MAX)) {
      const oldest = this.#batches.shift()
      if (oldest === undefined) break
      this.#items -= oldest.batch.items.length
      this.#bytes -= oldest.bytes
    }
  }

  /** Whether everything after this sequence is held. */
  holdsAfter(seq: number): boolean {
    const oldest = this.#batches[0]
    return oldest !== undefined && seq >= oldest.batch.first - 1
  }

  /** What is held after this sequence, in order. */
  *after(seq: number): Generator<Notification> {
    const index = this.#batches.findIndex(({ batch }) => batch.last > seq)
    if (index < 0) return
    for (let at = index; at < this.#batches.length; at++) {
      for (const item of this.#batches[at]?.batch.items ?? []) if (item.seq > seq) yield item
    }
  }
}
