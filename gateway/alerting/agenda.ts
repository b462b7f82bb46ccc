// What is due when: every timer of rules, alerts and routes, run in the order of their times by whoever knows the time.

/** Something that is to run at a time: a function, or an object that is its own timer. */
export interface Due {
  due(at: number): void
}

interface Entry {
  at: number
  /** Sets entries of the same time in the order in which they were made. */
  order: number
  run: Due | ((at: number) => void)
}

/** A place in the agenda, which `Agenda.cancel` takes back. */
export type Appointment = object

/** A binary heap by time. Adding and taking cost the logarithm of its size; what was cancelled is dropped when it comes up. */
export class Agenda {
  readonly #heap: Entry[] = []
  readonly #cancelled = new WeakSet<object>()
  #made = 0
  #live = 0
  /** Called when something was added that comes before all else. */
  onEarlier: (() => void) | null = null

  /** Appointments that are neither over nor cancelled. */
  get size(): number {
    return this.#live
  }

  /** Notes what is to run at a time, ms since 1970 UTC. It is called once, with that time. */
  add(at: number, run: Due | ((at: number) => void)): Appointment {
    const entry = { at, order: this.#made++, run }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    this.#live++
    if (this.#heap[0] === entry) this.onEarlier?.()
    return entry
  }

  /** Takes an appointment back; one that is over stays over. */
  cancel(appointment: Appointment | null): void {
    const entry = appointment as Entry | null
    if (entry === null || entry.order < 0 || this.#cancelled.has(entry)) return
    this.#cancelled.add(entry)
    this.#live--
    if (this.#heap.length > 64 && this.#live * 2 < this.#heap.length) this.#sweep()
  }

  /** Time of the next appointment; null: there is none. */
  next(): number | null {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (!this.#cancelled.has(top)) return top.at
      this.#pop()
    }
    return null
  }

  /** Runs everything that is due up to and including this time, in order, with what it adds meanwhile. Returns how many. */
  advance(at: number): number {
    let ran = 0
    for (let next = this.next(); next !== null && next <= at; next = this.next()) {
      const entry = this.#pop()
      if (entry === undefined) break
      entry.order = -1
      this.#live--
      ran++
      if (typeof entry.run === 'function') entry.run(entry.at)
      else entry.run.due(entry.at)
    }
    return ran
  }

  #pop(): Entry | undefined {
    const top = this.#heap[0]
    const last = this.#heap.pop()
    if (top !== undefined && last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last
      this.#sink(0)
    }
    return top
  }

  #sweep(): void {
    const kept = this.#heap.filter(entry => !this.#cancelled.has(entry))
    this.#heap.length = 0
    for (const entry of kept) {
      this.#heap.push(entry)
      this.#rise(this.#heap.length - 1)
    }
  }

  #rise(from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.#before(place, parent)) return
      this.#swap(place, parent)
      place = parent
    }
  }

  #sink(from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      let least = place
      if (left < this.#heap.length && this.#before(left, least)) least = left
      if (left + 1 < this.#heap.length && this.#before(left + 1, least)) least = left + 1
      if (least === place) return
      this.#swap(place, least)
      place = least
    }
  }

  #before(one: number, other: number): boolean {
    const a = this.#heap[one] as Entry
    const b = this.#heap[other] as Entry
    return a.at < b.at || (a.at === b.at && a.order < b.order)
  }

  #swap(one: number, other: number): void {
    const entry = this.#heap[one] as Entry
    this.#heap[one] = this.#heap[other] as Entry
    this.#heap[other] = entry
  }
}
