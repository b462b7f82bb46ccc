// One subscription of one connection: how far it has come, and whether it is delivered live or reads on from the log.
import { formatCursor } from '../../store/cursor.ts'
import type { Gap } from '../../store/store.ts'
import type { Notification } from '../../store/notification.ts'
import type { FeedCounts } from './feed-metrics.ts'
import { encodeProgress } from './batches.ts'
import { cutFrames } from './frames.ts'
import type { FrameCut } from './frames.ts'
import type { LiveFilter } from './live-filter.ts'
import { Entry } from './messages.ts'
import type { Outlet } from './outlet.ts'

/**
 * - `live`: each flush reaches it. Its place is that of the hub.
 * - `reading`: a page is being read from the log.
 * - `blocked`: its connection holds too many unsent bytes; it goes on once they have gone out.
 * - `joining`: it has read all there is and becomes live after the next flush.
 * - `ended`
 */
export type SubscriptionState = 'live' | 'reading' | 'blocked' | 'joining' | 'ended'

export interface SubscriptionOptions {
  outlet: Outlet
  id: string
  /** Delivery begins after this sequence. */
  after: number
  /** Told when the log can't be read; the subscription has ended. */
  onError: (error: unknown) => void
}

export class Subscription {
  readonly outlet: Outlet
  readonly id: string
  readonly live: LiveFilter
  readonly groupKey: string
  readonly onError: (error: unknown) => void
  state: SubscriptionState = 'joining'
  /** Everything up to here was written to the connection or did not pass. Kept up to date while it is not live. */
  reached: number
  /** Whether anything was written since the last heartbeat. */
  active = false
  readonly #epoch: string
  readonly #counts: FeedCounts

  constructor(options: SubscriptionOptions, hub: { live: LiveFilter; epoch: string; counts: FeedCounts }) {
    this.outlet = options.outlet
    this.id = options.id
    this.onError = options.onError
    this.reached = options.after
    this.live = hub.live
    this.#epoch = hub.epoch
    this.#counts = hub.counts
    this.groupKey = `${this.outlet.format} ${this.id}`
  }

  /** Writes frames of a flush; false when the connection is full before the last, with `reached` telling how far it came. */
  sendLive(frames: readonly FrameCut[]): boolean {
    for (const frame of frames) {
      if (this.outlet.full) return false
      this.#write(frame)
    }
    return true
  }

  /** Writes notifications that passed; they and what lies between them reach `through`. False: full before the last. */
  send(items: readonly Notification[], through: number): boolean {
    const entries = items.map(item => new Entry(item, { shared: false }))
    const frames = cutFrames(entries, {
      epoch: this.#epoch,
      format: this.outlet.format,
      id: this.id,
      through
    })
    if (!this.sendLive(frames)) return false
    this.reached = through
    return true
  }

  /** Says what is missing, once: what comes next lies behind it. */
  tellGap({ from, to }: Gap): void {
    this.#counts.gaps++
    this.reached = Math.max(this.reached, to)
    this.outlet.tell({
      type: 'gap',
      id: this.id,
      from: formatCursor(this.#epoch, from - 1),
      to: formatCursor(this.#epoch, to)
    })
  }

  /** Tells where it stands if nothing else did since the last call. */
  tellProgress(through: number): void {
    if (!this.active && !this.outlet.full) {
      this.outlet.write(encodeProgress(this.outlet.format, { epoch: this.#epoch, id: this.id, through }))
    }
    this.active = false
  }

  #write({ bytes, through, count }: FrameCut): void {
    this.outlet.write(bytes)
    this.reached = through
    this.active = true
    this.#counts.sent(this.outlet.transport, count)
  }
}
