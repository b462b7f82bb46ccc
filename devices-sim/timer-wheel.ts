// One system timer for all that a fleet waits for. Setting and cancelling cost a few pointer writes, however many
// thousands wait; times are kept to within a tick.

/** A timer that can be set again and again; made once, kept by its owner. */
export class WheelTimer {
  readonly callback: () => void
  /** The tick in which it is due; -1 while it isn't set. */
  dueTick = -1
  before: WheelTimer | null = null
  after: WheelTimer | null = null

  constructor(callback: () => void) {
    this.callback = callback
  }
}

/** A hashed timing wheel: each slot holds the timers due in its tick of this round or of a later one. */
export class TimerWheel {
  readonly #tickMs: number
  readonly #slots: (WheelTimer | null)[]
  readonly #now: () => number
  readonly #startMs: number
  #tick = 0
  #size = 0
  #timer: NodeJS.Timeout | null = null

  constructor({ tickMs = 5, slots = 4096, now = () => performance.now() } = {}) {
    this.#tickMs = tickMs
    this.#slots = Array.from({ length: slots }, () => null)
    this.#now = now
    this.#startMs = now()
  }

  /** How many timers are set. */
  get size(): number {
    return this.#size
  }

  /** Calls the timer's callback in `delayMs`, in place of what it was set to before. */
  set(timer: WheelTimer, delayMs: number): void {
    this.cancel(timer)
    if (this.#size === 0) this.#tick = this.#currentTick() // the wheel stood still
    const dueTick = Math.ceil((this.#now() - this.#startMs + delayMs) / this.#tickMs)
    timer.dueTick = Math.max(this.#tick + 1, dueTick)
    const slot = timer.dueTick % this.#slots.length
    const first = this.#slots[slot] ?? null
    timer.after = first
    if (first !== null) first.before = timer
    this.#slots[slot] = timer
    this.#size++
    this.#timer ??= this.#schedule()
  }

  cancel(timer: WheelTimer): void {
    if (timer.dueTick < 0) return
    if (timer.before !== null) timer.before.after = timer.after
    else this.#slots[timer.dueTick % this.#slots.length] = timer.after
    if (timer.after !== null) timer.after.before = timer.before
    timer.before = null
    timer.after = null
    timer.dueTick = -1
    this.#size--
  }

  /** Forgets all timers. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#slots.fill(null)
    this.#size = 0
  }

  #currentTick(): number {
    return Math.floor((this.#now() - this.#startMs) / this.#tickMs)
  }

  #schedule(): NodeJS.Timeout {
    const nextMs = this.#startMs + (this.#tick + 1) * this.#tickMs - this.#now()
    return setTimeout(() => this.#turn(), Math.max(1, nextMs))
  }

  #turn(): void {
    const until = this.#currentTick()
    // After a long block of the event loop one round visits every slot; more would find nothing new.
    if (until - this.#tick > this.#slots.length) this.#tick = until - this.#slots.length
    while (this.#tick < until) {
      this.#tick++
      this.#ring(this.#tick % this.#slots.length, this.#tick)
    }
    this.#timer = this.#size > 0 ? this.#schedule() : null
  }

  /** A callback may set and cancel timers of the same slot, so those that are due are taken out first. */
  #ring(slot: number, tick: number): void {
    let due: WheelTimer[] | null = null
    for (let timer = this.#slots[slot] ?? null; timer !== null; timer = timer.after) {
      if (timer.dueTick <= tick) (due ??= []).push(timer)
    }
    if (due === null) return
    const ticks = due.map(timer => timer.dueTick)
    due.forEach((timer, index) => {
      if (timer.dueTick !== ticks[index]) return // cancelled or set anew by a callback before it
      this.cancel(timer)
      timer.callback()
    })
  }
}
