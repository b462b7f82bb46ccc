// The deliveries of one channel on their way: so many attempts at a time, pauses after failures, a circuit. It knows the
// clock, because the outside world does not live in the log's time.
import type { Logger } from 'pino'
import { CLOCK_LOOK_MS, type Clock, type Timer } from '../clock.ts'
import type { DeliverySettings } from '../alerting/settings.ts'
import { admit, afterAbort, afterAnswer, afterFailure, closedCircuit } from './circuit.ts'
import type { Circuit } from './circuit.ts'
import type { Delivery } from './delivery.ts'
import type { Channel, Outcome } from './notice.ts'
import { Queue } from './queue.ts'
import { retryDelayMs } from './retry.ts'

/** What became of a delivery by one attempt. `failed`: another will be made. */
export interface Ended {
  outcome: 'sent' | 'failed' | 'gave-up'
  detail: string
}

export interface OutletOptions {
  settings: DeliverySettings
  clock: Clock
  random: () => number
  logger: Logger
  /** Called in the turn in which an attempt ended, with the delivery as it is now. */
  onEnd: (delivery: Delivery, ended: Ended, durationMs: number) => void
}

export class Outlet {
  readonly name: string
  readonly #options: OutletOptions
  readonly #queue = new Queue()
  #running = 0
  readonly #aborting = new AbortController()
  #channel: Channel | null = null
  #circuit: Circuit = closedCircuit
  #timer: Timer | null = null
  #settled: (() => void)[] = []
  lastAttempt: { at: number; outcome: Ended['outcome']; detail: string } | null = null

  constructor(name: string, options: OutletOptions) {
    this.name = name
    this.#options = options
  }

  /** Deliveries that wait or are under way. */
  get waiting(): number {
    return this.#queue.size
  }

  get circuit(): Circuit['state'] {
    return this.#circuit.state
  }

  get channel(): Channel | null {
    return this.#channel
  }

  deliveries(): IterableIterator<Delivery> {
    return this.#queue.values()
  }

  /** Uses another channel from here on; what is under way ends on the old one. */
  replace(channel: Channel | null): void {
    this.#channel = channel
    this.#circuit = closedCircuit
    this.pump()
  }

  /** Takes a delivery over; it is attempted from the next `pump` on, or, if it is held, from its release on. */
  add(delivery: Delivery, { held = false } = {}): void {
    this.#queue.add(delivery, { held })
  }

  release(id: string): void {
    this.#queue.release(id)
    this.pump()
  }

  remove(id: string): void {
    this.#queue.remove(id)
  }

  /** Begins what attempts may begin now. */
  pump(): void {
    this.#timer?.clear()
    this.#timer = null
    if (this.#channel === null || this.#aborting.signal.aborted) return
    const { settings, clock } = this.#options
    const now = clock.now()
    while (this.#running < settings.concurrencyMax) {
      const admission = admit(this.#circuit, now)
      if (!admission.allowed) {
        if (admission.until !== null && this.#queue.size > this.#running) this.#pumpAt(admission.until)
        return
      }
      const delivery = this.#queue.take(now)
      if (delivery === null) {
        if (this.#queue.nextAt !== null) this.#pumpAt(this.#queue.nextAt)
        return
      }
      this.#circuit = admission.circuit
      void this.#attempt(delivery, this.#channel)
    }
  }

  /** Ends what is under way without an outcome; it is attempted again after the next start. */
  async close(): Promise<void> {
    this.#aborting.abort()
    this.#timer?.clear()
    while (this.#running > 0) await new Promise<void>(resolve => this.#settled.push(resolve))
  }

  #pumpAt(at: number): void {
    const { clock } = this.#options
    this.#timer = clock.setTimer(Math.min(CLOCK_LOOK_MS, at - clock.now()), () => this.pump())
  }

  /** Never rejects. */
  async #attempt(delivery: Delivery, channel: Channel): Promise<void> {
    const { clock, onEnd } = this.#options
    const startedMs = performance.now()
    this.#running++
    const outcome = await this.#send(channel, delivery)
    this.#running--
    if (outcome === null) this.#circuit = afterAbort(this.#circuit, clock.now())
    else if (this.#queue.has(delivery.id)) {
      const ended = this.#judge(delivery, outcome)
      this.lastAttempt = { at: clock.now(), ...ended }
      onEnd(delivery, ended, performance.now() - startedMs)
    }
    for (const settled of this.#settled.splice(0)) settled()
    this.pump()
  }

  /** null: it was broken off because the server stops, and nothing is known. */
  async #send(channel: Channel, { notice }: Delivery): Promise<Outcome | null> {
    const { signal } = this.#aborting
    try {
      const outcome = await channel.send(notice, signal)
      return signal.aborted && outcome.outcome !== 'sent' ? null : outcome
    } catch (err) {
      this.#options.logger.error({ err, channel: this.name }, 'a channel failed in a way that must not be')
      return signal.aborted ? null : { outcome: 'failed', detail: 'the attempt failed within the server' }
    }
  }

  #judge(delivery: Delivery, outcome: Outcome): Ended {
    const { settings, clock, random } = this.#options
    const now = clock.now()
    delivery.attempts++
    if (outcome.outcome !== 'failed') {
      this.#circuit = afterAnswer()
      this.#queue.remove(delivery.id)
      if (outcome.outcome === 'sent') return outcome
      delivery.failedAt = now
      return { outcome: 'gave-up', detail: outcome.detail }
    }
    const limits = { failuresMax: settings.circuitFailures, openMs: settings.circuitMs }
    this.#circuit = afterFailure(this.#circuit, now, limits)
    const delayMs = retryDelayMs(
      { attempt: delivery.attempts, retryAfterMs: outcome.retryAfterMs, random: random() },
      {
        attemptsMax: settings.attemptsMax,
        firstMs: settings.retryFirstMs,
        mostMs: settings.retryMaxMs,
        retryAfterMaxMs: settings.retryAfterMaxMs
      }
    )
    if (delayMs !== null) {
      delivery.nextAt = now + delayMs
      this.#queue.putBack(delivery)
      return { outcome: 'failed', detail: outcome.detail }
    }
    this.#queue.remove(delivery.id)
    delivery.failedAt = now
    return {
      outcome: 'gave-up',
      detail: `${outcome.detail}; that was the last of ${delivery.attempts} attempts`
    }
  }
}
