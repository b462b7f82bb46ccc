// What a device has measured and the server has not acknowledged, in order. Nothing leaves it but by an answer of the
// server, so the simulator itself loses nothing.
import type { PlannedEvent } from './device-plan.ts'

/** An event that waits for its acknowledgement. */
export interface OutgoingEvent extends PlannedEvent {
  /** When it was made, ms since 1970. */
  madeAt: number
  /** When it was first handed to a connection, by the monotonic clock; 0: not yet. */
  sentMs: number
  /** Whether the server has answered it. */
  done: boolean
}

/** Events by their number `n`, which grows by 1 without holes. */
export class Outbox {
  #events: OutgoingEvent[] = []
  /** Events at the front of the array that are answered already. */
  #head = 0
  #waiting = 0

  /** Events without an answer. */
  get waiting(): number {
    return this.#waiting
  }

  /** Number of the oldest event without an answer, or of the next event if there is none. */
  get firstN(): number {
    return this.#events[this.#head]?.n ?? this.lastN + 1
  }

  /** Number of the newest event. */
  lastN = 0

  /** Takes the next event; its `n` is `lastN + 1`. */
  push(event: OutgoingEvent): void {
    this.#events.push(event)
    this.lastN = event.n
    this.#waiting++
  }

  /** The event with this number, while it has no answer. */
  get(n: number): OutgoingEvent | undefined {
    const event = this.#events[this.#head + n - this.firstN]
    return event === undefined || event.done ? undefined : event
  }

  /** Takes the answer to an event; the event, or undefined if it had one before. */
  settle(n: number): OutgoingEvent | undefined {
    const event = this.get(n)
    if (event === undefined) return undefined
    event.done = true
    this.#waiting--
    while (this.#events[this.#head]?.done === true) this.#head++
    if (this.#head > 64 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head)
      this.#head = 0
    }
    return event
  }
}
