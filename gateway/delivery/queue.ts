// Deliveries of one channel that wait: those of a lane one after the other, those of different lanes as they fall due.
import { Agenda } from '../alerting/agenda.ts'
import type { Delivery } from './delivery.ts'

export class Queue {
  readonly #deliveries = new Map<string, Delivery>()
  /** In order; of each lane only the first may be taken. */
  readonly #lanes = new Map<string, Delivery[]>()
  /** Deliveries that are not durable yet. */
  readonly #held = new Set<string>()
  readonly #later = new Agenda()
  #due: Delivery[] = []

  /** Deliveries that wait or are under way. */
  get size(): number {
    return this.#deliveries.size
  }

  has(id: string): boolean {
    return this.#deliveries.has(id)
  }

  values(): IterableIterator<Delivery> {
    return this.#deliveries.values()
  }

  /** Adds a delivery at the end of its lane. One that is held is not taken before it is released. */
  add(delivery: Delivery, { held = false } = {}): void {
    this.#deliveries.set(delivery.id, delivery)
    if (held) this.#held.add(delivery.id)
    const lane = this.#lanes.get(delivery.lane)
    if (lane === undefined) this.#lanes.set(delivery.lane, [delivery])
    else lane.push(delivery)
    this.#lineUp(delivery)
  }

  release(id: string): void {
    const delivery = this.#deliveries.get(id)
    if (this.#held.delete(id) && delivery !== undefined) this.#lineUp(delivery)
  }

  /** The next one that is due; null: none is. It stays the first of its lane until it is put back or removed. */
  take(now: number): Delivery | null {
    this.#later.advance(now)
    for (;;) {
      const delivery = this.#due.shift()
      if (delivery === undefined) return null
      if (this.#deliveries.get(delivery.id) === delivery) return delivery
    }
  }

  /** When to ask again, ms since 1970; null: not before something happens. */
  get nextAt(): number | null {
    return this.#later.next()
  }

  /** One that was taken is to be taken again when it falls due. */
  putBack(delivery: Delivery): void {
    this.#lineUp(delivery)
  }

  remove(id: string): void {
    const delivery = this.#deliveries.get(id)
    if (delivery === undefined) return
    this.#deliveries.delete(id)
    this.#held.delete(id)
    const lane = this.#lanes.get(delivery.lane) ?? []
    const wasFirst = lane[0] === delivery
    lane.splice(lane.indexOf(delivery), 1)
    const [first] = lane
    if (first === undefined) this.#lanes.delete(delivery.lane)
    else if (wasFirst) this.#lineUp(first)
  }

  #lineUp(delivery: Delivery): void {
    if (this.#lanes.get(delivery.lane)?.[0] !== delivery || this.#held.has(delivery.id)) return
    this.#later.add(delivery.nextAt, () => this.#due.push(delivery))
  }
}
