// Intended deliveries: durable before they are attempted, until they are sent or long enough given up. Every attempt's end is
// a notification, in the transaction that says what becomes of the delivery.
import type { Logger } from 'pino'
import type { DeliveryDraft } from '../../store/notification.ts'
import type { Tables } from '../../store/store.ts'
import type { Agenda } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { DeliverySettings } from '../alerting/settings.ts'
import type { Clock } from '../clock.ts'
import type { Transaction } from '../transaction.ts'
import { packDelivery, unpackDelivery } from './delivery.ts'
import type { Delivery } from './delivery.ts'
import type { DeliveryCounts } from './delivery-metrics.ts'
import { commonOf } from './notice-alert.ts'
import type { Channel, Notice } from './notice.ts'
import { Outlet } from './outlet.ts'
import type { Ended } from './outlet.ts'

const SCOPE = 'outbox'

export interface OutboxOptions {
  tables: Pick<Tables, 'state'>
  ledger: Ledger
  agenda: Agenda
  clock: Clock
  settings: DeliverySettings
  counts: DeliveryCounts
  logger: Logger
  random: () => number
  /** A number that no delivery had before. */
  nextNumber: () => number
  /** Cursor of a sequence; empty for 0. */
  cursorOf: (seq: number) => string
}

export type Resent = { ok: true } | { ok: false; code: 'delivery-unknown' | 'channel-unknown' }

export class Outbox {
  readonly #options: OutboxOptions
  readonly #outlets = new Map<string, Outlet>()
  readonly #failed = new Map<string, Delivery>()
  /** How many of them there are, by channel. */
  readonly #failedCounts = new Map<string, number>()
  readonly #dirty = new Map<string, Delivery | null>()

  private constructor(options: OutboxOptions) {
    this.#options = options
  }

  static async load(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options)
    const deliveries: Delivery[] = []
    await options.tables.state(SCOPE, rows => {
      for (const { value } of rows) deliveries.push(unpackDelivery(value))
    })
    for (const delivery of deliveries.toSorted((one, other) => one.number - other.number))
      outbox.#restore(delivery)
    options.ledger.join(outbox)
    return outbox
  }

  outlets(): IterableIterator<Outlet> {
    return this.#outlets.values()
  }

  /** Deliveries that were given up and can be sent again, by channel. */
  failed(channel: string): Delivery[] {
    return [...this.#failed.values()].filter(delivery => delivery.channel === channel)
  }

  /** Uses these channels; what waits for one that is not among them is given up. */
  configure(channels: ReadonlyMap<string, Channel>): void {
    for (const name of channels.keys()) this.#outlet(name)
    for (const [name, outlet] of this.#outlets) {
      const channel = channels.get(name) ?? null
      outlet.replace(channel)
      if (channel !== null) continue
      const over = Array.from(outlet.deliveries()) // giving up takes them out
      for (const delivery of over) this.#giveUp(delivery, 'its channel is in the alerting file no more')
      this.#outlets.delete(name)
    }
  }

  /** Intends a delivery; it is attempted as soon as that is durable. */
  add(
    notice: Notice,
    { channel, lane, causeSeq }: { channel: string; lane: string; causeSeq: number }
  ): void {
    const { clock, settings, nextNumber } = this.#options
    const delivery: Delivery = {
      id: notice.id,
      number: nextNumber(),
      channel,
      lane,
      notice,
      attempts: 0,
      nextAt: clock.now(),
      causeSeq,
      failedAt: null
    }
    const outlet = this.#outlet(channel)
    if (outlet.waiting >= settings.waitingMax) {
      this.#giveUp(delivery, `${outlet.waiting} deliveries wait for this channel already`)
      return
    }
    this.#intend(delivery, outlet)
  }

  /** Sends one that was given up again, as often as a new one. */
  resend(id: string): Resent {
    const delivery = this.#failed.get(id)
    if (delivery === undefined) return { ok: false, code: 'delivery-unknown' }
    const outlet = this.#outlets.get(delivery.channel)
    if (outlet === undefined) return { ok: false, code: 'channel-unknown' }
    this.#takeFailed(delivery)
    const { clock, nextNumber } = this.#options
    Object.assign(delivery, { number: nextNumber(), attempts: 0, nextAt: clock.now(), failedAt: null })
    this.#intend(delivery, outlet)
    return { ok: true }
  }

  save(transaction: Transaction): void {
    for (const [key, delivery] of this.#dirty) {
      if (delivery === null) transaction.write({ delete: 'state', scope: SCOPE, key })
      else transaction.write({ put: 'state', row: { scope: SCOPE, key, value: packDelivery(delivery) } })
    }
    this.#dirty.clear()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#outlets.values()].map(outlet => outlet.close()))
  }

  #intend(delivery: Delivery, outlet: Outlet): void {
    this.#mark(delivery)
    outlet.add(delivery, { held: true })
    this.#options.ledger.whenDurable(() => outlet.release(delivery.id))
  }

  #restore(delivery: Delivery): void {
    if (delivery.failedAt === null) this.#outlet(delivery.channel).add(delivery)
    else this.#keepFailed(delivery, delivery.failedAt)
  }

  #outlet(name: string): Outlet {
    let outlet = this.#outlets.get(name)
    if (outlet === undefined) {
      const { settings, clock, random, logger } = this.#options
      outlet = new Outlet(name, {
        settings,
        clock,
        random,
        logger,
        onEnd: (delivery, ended, durationMs) => {
          this.#options.counts.duration(name, durationMs)
          this.#ended(delivery, ended)
        }
      })
      this.#outlets.set(name, outlet)
    }
    return outlet
  }

  #giveUp(delivery: Delivery, reason: string): void {
    this.#outlets.get(delivery.channel)?.remove(delivery.id)
    delivery.failedAt = this.#options.clock.now()
    this.#ended(delivery, { outcome: 'gave-up', detail: reason })
  }

  #ended(delivery: Delivery, { outcome, detail }: Ended): void {
    const { ledger, counts, cursorOf } = this.#options
    const { id, channel, notice, attempts, causeSeq } = delivery
    const ids = notice.alerts.map(alert => alert.id)
    const draft: DeliveryDraft = {
      kind: 'delivery',
      ...commonOf(notice.alerts),
      alert: ids[0] ?? '',
      ...(ids.length > 1 && { alerts: ids }),
      delivery: id,
      channel,
      attempt: attempts,
      outcome,
      detail,
      cause: cursorOf(causeSeq)
    }
    ledger.append(draft)
    counts.ended(channel, outcome)
    if (outcome === 'sent') this.#forget(id)
    else this.#mark(delivery)
    if (delivery.failedAt !== null) this.#keepFailed(delivery, delivery.failedAt)
  }

  /** No more of a channel are kept than may wait for it. */
  #keepFailed(delivery: Delivery, failedAt: number): void {
    const { agenda, settings } = this.#options
    this.#failed.set(delivery.id, delivery)
    agenda.add(failedAt + settings.keepFailedMs, () => this.#dropFailed(delivery, failedAt))
    const kept = (this.#failedCounts.get(delivery.channel) ?? 0) + 1
    this.#failedCounts.set(delivery.channel, kept)
    if (kept <= settings.waitingMax) return
    for (const oldest of this.#failed.values()) {
      if (oldest.channel !== delivery.channel) continue
      this.#dropFailed(oldest, oldest.failedAt)
      break
    }
  }

  #dropFailed(delivery: Delivery, failedAt: number | null): void {
    if (this.#failed.get(delivery.id) !== delivery || delivery.failedAt !== failedAt) return
    this.#takeFailed(delivery)
    this.#forget(delivery.id)
  }

  #takeFailed({ id, channel }: Delivery): void {
    this.#failed.delete(id)
    this.#failedCounts.set(channel, (this.#failedCounts.get(channel) ?? 1) - 1)
  }

  #mark(delivery: Delivery): void {
    this.#dirty.set(delivery.id, delivery)
    this.#options.ledger.touch()
  }

  #forget(id: string): void {
    this.#dirty.set(id, null)
    this.#options.ledger.touch()
  }
}
