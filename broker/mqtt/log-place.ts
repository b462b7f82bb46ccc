// A subscriber's place in the log. It is live (the dispatcher hands its subscriber messages) or behind (the subscriber
// reads on from the log at its own speed until it has caught up). There is no queue: what it can't take, it reads later.
import { mqttMessage } from '../../store/alert-message.ts'
import type { EventNotification } from '../../store/notification.ts'
import type { ReadGate } from '../../store/read-gate.ts'
import type { Filter, Log } from '../../store/store.ts'
import type { Dispatcher } from './dispatcher.ts'

export interface LogPlaceContext {
  log: Log
  dispatcher: Dispatcher
  /** Through which all subscribers read the log. */
  gate: ReadGate
  /** The log could not be read on behalf of a subscriber. */
  onReadFailed: (error: unknown) => void
  /** Counts, for metrics. */
  counts: { catchUps: number; gaps: number }
}

/** Whose place it is. */
export interface LogReader {
  /** For whom it reads: a connection, for example. Null while there is nobody; another one begins anew. */
  readonly audience: object | null
  /** Whether it takes enough now to be worth reading on. */
  readonly hasRoom: boolean
  /** Whether something must be sent before anything more of the log. */
  readonly hasFirst: boolean
  /** Most items that it can take of one page; 0 if it wants none of the log. */
  readonly pageItems: number
  /** What to read. */
  readonly filter: Filter
  /** Sends some of what comes before the log. False when there was no room. */
  sendFirst(): Promise<boolean>
  /** Takes an event of the log, or an alert as a message. False when there is no room for it. */
  take(event: EventNotification): boolean
}

// Read from the log at a time while behind.
const PAGE_ITEMS = 1000
const PAGE_BYTES = 128 * 1024
// After a read that failed. There need not be an acknowledgement or a drain to come that would try again.
const RETRY_MS = 1000

/** Where one subscriber is in the log, and its reading on from there. */
export class LogPlace {
  live = false
  readonly #context: LogPlaceContext
  readonly #reader: LogReader
  /** While not live: everything up to here was sent or does not concern it. */
  #cursor: number
  #reading = false
  /** Whether, while reading, there came a reason to go on. */
  #wanted = false

  constructor(context: LogPlaceContext, reader: LogReader, cursor: number) {
    this.#context = context
    this.#reader = reader
    this.#cursor = cursor
  }

  /** Everything up to here was sent, is in flight, or does not concern it. */
  get cursor(): number {
    return this.live ? this.#context.dispatcher.position : this.#cursor
  }

  /** Leaves live delivery, if it is there, after `cursor`. */
  fallBehind(cursor = this.#context.dispatcher.position): void {
    if (!this.live) return
    this.live = false
    this.#cursor = cursor
  }

  /** Does what there is room for: what comes first, then what comes next in the log, until it is live. */
  readOn(): void {
    const { audience } = this.#reader
    if (audience === null || this.live) return
    if (!this.#reading && this.#caughtUp()) return
    this.#wanted = true
    if (this.#reading) return
    this.#reading = true
    this.#wanted = false
    this.#catchUp(audience)
      .catch((error: unknown) => {
        this.#context.onReadFailed(error)
        setTimeout(() => this.readOn(), RETRY_MS).unref()
      })
      .finally(() => {
        this.#reading = false
        if (this.#wanted) this.readOn()
      })
  }

  // Becomes live if nothing is left to be sent. Nothing can come in between: this is one turn of the event loop.
  #caughtUp(): boolean {
    const reader = this.#reader
    const behind = reader.pageItems > 0 && this.#cursor < this.#context.dispatcher.position
    if (behind || reader.hasFirst || !reader.hasRoom) return false
    this.live = true
    return true
  }

  async #catchUp(audience: object): Promise<void> {
    const reader = this.#reader
    const { counts, gate } = this.#context
    let counted = false
    while (reader.audience === audience && !this.live && reader.hasRoom) {
      if (reader.hasFirst) {
        if (!(await reader.sendFirst())) return
      } else if (!this.#caughtUp()) {
        if (!counted) counts.catchUps++
        counted = true
        if (!(await gate.run(() => this.#readPage(audience)))) return
      }
    }
  }

  // Reads the next page of the log and sends what matches. False when it had to stop within the page.
  async #readPage(audience: object): Promise<boolean> {
    const reader = this.#reader
    if (reader.audience !== audience || !reader.hasRoom) return false // it waited at the gate
    const { log, dispatcher, counts } = this.#context
    const limit = Math.max(1, Math.min(PAGE_ITEMS, reader.pageItems))
    const page = { limit, bytesMax: PAGE_BYTES, filter: reader.filter }
    const { items, next, gap } = await log.read(this.#cursor, page)
    const { epoch } = log.bounds()
    if (reader.audience !== audience) return false
    if (gap !== null) counts.gaps++
    for (const item of items) {
      if (item.seq > dispatcher.position) return true // the dispatcher will deliver it
      const message = mqttMessage(epoch, item)
      if (message !== null && !reader.take(message)) return false
      this.#cursor = item.seq
    }
    this.#cursor = Math.max(this.#cursor, Math.min(next, dispatcher.position))
    return true
  }
}
