// Follows the log for those who judge it: item by item in log order, with the agenda brought up to each item's time before
// it. It works in slices between which others have the event loop, so that a device's acknowledgement waits for no rule.
import type { Logger } from 'pino'
import type { Notification } from '../../store/notification.ts'
import type { Batch, Follower, Gap, Log } from '../../store/store.ts'
import { CLOCK_LOOK_MS, type Clock, type Timer } from '../clock.ts'
import type { Agenda } from './agenda.ts'

/** Work of one slice: at most so long, looked at every few items. */
const SLICE_MS = 4
const SLICE_ITEMS = 32
/** Notifications that wait, beyond which the log is read on at our speed in place of being followed live. */
const WAITING_MAX = 20_000

export interface PursuitOptions {
  log: Log
  clock: Clock
  agenda: Agenda
  /** Judges one notification. */
  take: (notification: Notification) => void
  /** Called after each slice. */
  onSlice: () => void
  logger: Logger
}

export class Pursuit {
  readonly #options: PursuitOptions
  #follower: Follower | null = null
  #waiting: Batch[] = []
  #waitingItems = 0
  /** Next item of the first batch that waits. */
  #index = 0
  #position: number
  #queued: number
  #scheduled: NodeJS.Immediate | null = null
  #timer: { at: number; timer: Timer } | null = null
  /** Everything up to `seq` was received before `at`: once that is judged, the agenda may advance. */
  #horizon: { seq: number; at: number } | null = null
  #asking = false
  #stopped = false

  /** `after`: the sequence up to which everything was judged before. */
  constructor(after: number, options: PursuitOptions) {
    this.#options = options
    this.#position = after
    this.#queued = after
    options.agenda.onEarlier = () => this.#arm()
  }

  /** Everything up to this sequence is judged. */
  get position(): number {
    return this.#position
  }

  /** Notifications of the log that are not judged yet. */
  get behind(): number {
    return Math.max(0, this.#options.log.bounds().last - this.#position)
  }

  start(): void {
    this.#follow()
    this.#arm()
  }

  /** Judges nothing more. */
  stop(): void {
    this.#stopped = true
    this.#follower?.stop()
    this.#timer?.timer.clear()
    if (this.#scheduled !== null) clearImmediate(this.#scheduled)
    this.#options.agenda.onEarlier = null
  }

  #follow(): void {
    const { log } = this.#options
    this.#follower = log.follow(
      this.#queued,
      batch => this.#receive(batch),
      gap => this.#pass(gap)
    )
  }

  #receive(batch: Batch): void {
    this.#waiting.push(batch)
    this.#waitingItems += batch.items.length
    this.#queued = batch.last
    this.#schedule()
    if (this.#waitingItems < WAITING_MAX) return
    // Whatever comes now stays in the log until there is time for it.
    this.#follower?.stop()
    this.#follower = null
  }

  #pass(gap: Gap): void {
    const { logger } = this.#options
    logger.warn(
      { from: gap.from, to: gap.to },
      'retention removed notifications before rules had judged them'
    )
    this.#queued = Math.max(this.#queued, gap.to)
    if (this.#waiting.length === 0) this.#position = Math.max(this.#position, gap.to)
  }

  #schedule(): void {
    if (this.#scheduled !== null || this.#stopped) return
    this.#scheduled = setImmediate(() => {
      this.#scheduled = null
      this.#slice()
    })
  }

  #slice(): void {
    const endMs = performance.now() + SLICE_MS
    do {
      for (let n = 0; n < SLICE_ITEMS && this.#waiting.length > 0; n++) this.#next()
    } while (this.#waiting.length > 0 && performance.now() < endMs && !this.#stopped)
    this.#reachHorizon()
    this.#options.onSlice()
    if (this.#stopped) return
    if (this.#waiting.length > 0) this.#schedule()
    else if (this.#follower === null) this.#follow()
    this.#arm()
  }

  #next(): void {
    const [batch] = this.#waiting
    if (batch === undefined) return
    const item = batch.items[this.#index++]
    if (item !== undefined) {
      this.#judge(item)
      this.#waitingItems--
      this.#position = item.seq
    }
    if (this.#index < batch.items.length) return
    this.#position = Math.max(this.#position, batch.last)
    this.#waiting.shift()
    this.#index = 0
  }

  #judge(item: Notification): void {
    const { agenda, take, logger } = this.#options
    try {
      agenda.advance(item.at)
      take(item)
    } catch (err) {
      logger.error({ err, seq: item.seq }, 'judging a notification failed')
    }
  }

  #reachHorizon(): void {
    const horizon = this.#horizon
    if (horizon === null || this.#position < horizon.seq) return
    this.#horizon = null
    try {
      this.#options.agenda.advance(horizon.at)
    } catch (err) {
      this.#options.logger.error({ err }, 'a timer of alerting failed')
    }
  }

  /** Sets the clock for the next appointment. */
  #arm(): void {
    if (this.#stopped || this.#asking || this.#horizon !== null) return
    const { agenda, clock } = this.#options
    const at = agenda.next()
    if (at === this.#timer?.at) return
    this.#timer?.timer.clear()
    this.#timer = null
    if (at === null) return
    const timer = clock.setTimer(Math.min(CLOCK_LOOK_MS, Math.max(0, at - clock.now())), () => {
      this.#timer = null
      if (clock.now() < at) this.#arm()
      else this.#ask()
    })
    this.#timer = { at, timer }
  }

  /**
   * A time has come. What was received before it may still be on its way into the log, and goes first: an empty write is
   * called back after all appends before it were handed to followers.
   */
  #ask(): void {
    const { log, clock } = this.#options
    const at = clock.now()
    this.#asking = true
    log.write([], () => {
      this.#asking = false
      if (this.#stopped) return
      this.#horizon = { seq: log.bounds().last, at }
      this.#schedule()
    })
  }
}
