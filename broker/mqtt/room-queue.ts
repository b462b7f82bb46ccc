// Connections that are not read from because the log is full. One callback of the log serves them all, and one that
// ends meanwhile leaves nothing behind.
import type { Ingest } from '../ingest.ts'

/** What waits for room. */
export interface RoomWaiter {
  /** There is room, at least for those who ask first. */
  onRoom(): void
}

/** The line in front of a full log. */
export class RoomQueue {
  readonly #ingest: Pick<Ingest, 'full' | 'whenRoom'>
  #waiting = new Set<RoomWaiter>()
  #asked = false

  constructor(ingest: Pick<Ingest, 'full' | 'whenRoom'>) {
    this.#ingest = ingest
  }

  /** Whether nothing more may be appended now. */
  get full(): boolean {
    return this.#ingest.full()
  }

  add(waiter: RoomWaiter): void {
    this.#waiting.add(waiter)
    if (this.#asked) return
    this.#asked = true
    this.#ingest.whenRoom(() => setImmediate(() => this.#letIn()))
  }

  delete(waiter: RoomWaiter): void {
    this.#waiting.delete(waiter)
  }

  #letIn(): void {
    this.#asked = false
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const waiter of waiting) waiter.onRoom()
  }
}
