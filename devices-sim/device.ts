// One simulated device: it does what its plan says, keeps what is not acknowledged, and comes back when it lost its
// connection.
import type { DevicePlan, Step } from './device-plan.ts'
import type { DevicePart } from './fleet-plan.ts'
import type { Link, LinkOwner, Sending } from './link.ts'
import { Outbox, type OutgoingEvent } from './outbox.ts'
import type { Random } from './random.ts'
import type { Recorder } from './recorder.ts'
import type { Statistics, ProtocolStatistics } from './statistics.ts'
import { WheelTimer, type TimerWheel } from './timer-wheel.ts'

/** What all devices of a fleet share. */
export interface DeviceSurroundings {
  wheel: TimerWheel
  /** ms, never going back. */
  now: () => number
  statistics: Statistics
  recorder: Recorder | null
  /** Most events a device keeps; it measures no more until there is room. */
  outboxMax: number
  /** Times between connection attempts: doubled from the first to the last, each shortened at random by up to half. */
  backOffMinMs: number
  backOffMaxMs: number
}

/** How long a server may take to close a connection after the goodbye. */
const LINGER_MS = 2000

/** Life of the connection: closed → connecting → up → closed, and `ended` for good. */
type Phase = 'closed' | 'connecting' | 'up' | 'ended'

/** A device of a running fleet. */
export class Device implements LinkOwner {
  readonly part: DevicePart
  readonly outbox = new Outbox()
  readonly #around: DeviceSurroundings
  readonly #counts: ProtocolStatistics
  readonly #plan: DevicePlan
  readonly #backOff: Random
  readonly #link: Link
  readonly #stepTimer = new WheelTimer(() => this.#takeSteps())
  readonly #connectTimer = new WheelTimer(() => this.#connect())
  readonly #lingerTimer = new WheelTimer(() => this.#link.reset())
  #phase: Phase = 'closed'
  #open = false
  #startedMs = 0
  #next: Step
  /** The next event waits for room in the outbox. */
  #held = false
  #wasUp = false
  #attempts = 0
  /** When a mishap of the plan last took the connection; what was on its way then says nothing of the server's speed. */
  #mishapMs = 0
  /** How long to stay away after a mishap that the plan has arranged; null otherwise. */
  #downMs: number | null = null
  #sending = true

  constructor(
    part: DevicePart,
    own: { plan: DevicePlan; backOff: Random; link: (owner: LinkOwner) => Link },
    around: DeviceSurroundings
  ) {
    this.part = part
    this.#around = around
    this.#counts = around.statistics.byProtocol[part.protocol]
    this.#counts.devices++
    this.#plan = own.plan
    this.#backOff = own.backOff
    this.#link = own.link(this)
    this.#next = own.plan.next()
  }

  /** Connects, and begins with its plan. */
  start(): void {
    this.#startedMs = this.#around.now()
    this.#connect()
    this.#awaitStep()
  }

  /** Measures no more; what is in the outbox is still sent. */
  stopMeasuring(): void {
    this.#sending = false
    this.#around.wheel.cancel(this.#stepTimer)
  }

  /** Says goodbye and stays away. */
  end(): void {
    this.stopMeasuring()
    this.#around.wheel.cancel(this.#connectTimer)
    if (this.#phase === 'up') this.#counts.connected--
    this.#phase = 'ended'
    if (this.#open) this.#close()
  }

  /** Whether the connection is there, or on its way to be opened or closed. */
  get open(): boolean {
    return this.#open
  }

  onUp(): void {
    if (this.#phase !== 'connecting') return
    this.#phase = 'up'
    this.#attempts = 0
    this.#counts.connected++
    this.#counts.connects++
    if (this.#wasUp) this.#counts.reconnects++
    this.#wasUp = true
  }

  onDown(): void {
    this.#open = false
    this.#around.wheel.cancel(this.#lingerTimer)
    if (this.#phase === 'ended' || this.#phase === 'closed') return
    if (this.#phase === 'up') this.#counts.connected--
    this.#phase = 'closed'
    const arranged = this.#downMs
    this.#downMs = null
    if (arranged === null) this.#counts.failures++
    this.#around.wheel.set(this.#connectTimer, arranged ?? this.#backOffMs())
  }

  onSent(event: OutgoingEvent, how: Sending): void {
    if (how === 'first') {
      event.sentMs = this.#around.now()
      this.#counts.sent++
    } else if (how === 'repeat') this.#counts.repeats++
    else this.#counts.resent++
  }

  onAcknowledged(n: number): void {
    const event = this.outbox.settle(n)
    if (event === undefined) return // the answer to a repeat
    this.#counts.acknowledged++
    if (event.sentMs > this.#mishapMs)
      this.#counts.recordAcknowledgement((this.#around.now() - event.sentMs) * 1000)
    this.#around.recorder?.record(this.part, event)
    this.#release()
  }

  onRefused(n: number, reason: string): void {
    if (this.outbox.settle(n) === undefined) return
    this.#counts.refused++
    this.#counts.countError(reason)
    this.#release()
  }

  onError(reason: string): void {
    if (this.#phase !== 'ended') this.#counts.countError(reason)
  }

  #connect(): void {
    this.#phase = 'connecting'
    this.#attempts++
    this.#open = true
    this.#link.open()
  }

  #close(): void {
    this.#around.wheel.set(this.#lingerTimer, LINGER_MS)
    this.#link.close()
  }

  #backOffMs(): number {
    const { backOffMinMs, backOffMaxMs } = this.#around
    const longest = Math.min(backOffMaxMs, backOffMinMs * 2 ** Math.min(20, Math.max(0, this.#attempts - 1)))
    return longest * this.#backOff.between(0.5, 1)
  }

  #awaitStep(): void {
    if (!this.#sending) return
    const inMs = this.#startedMs + this.#next.atMs - this.#around.now()
    this.#around.wheel.set(this.#stepTimer, Math.max(0, inMs))
  }

  /** Takes all steps that are due. While the outbox is full the plan waits, and goes on later from where it was. */
  #takeSteps(): void {
    const sinceStartMs = this.#around.now() - this.#startedMs
    while (this.#next.atMs <= sinceStartMs) {
      this.#held = this.#next.type === 'event' && this.outbox.waiting >= this.#around.outboxMax
      if (this.#held) break
      this.#around.statistics.recordLateness(sinceStartMs - this.#next.atMs)
      this.#take(this.#next)
      this.#next = this.#plan.next()
    }
    this.#link.pump()
    if (!this.#held) this.#awaitStep()
  }

  #take(step: Step): void {
    if (step.type === 'event') {
      this.outbox.push({ ...step.event, madeAt: Date.now(), sentMs: 0, done: false })
      this.#counts.made++
      return
    }
    if (this.#phase !== 'up') return // nothing to lose
    this.#link.pump() // what was measured before the mishap may well be on its way
    this.#downMs = step.downMs
    this.#mishapMs = this.#around.now()
    if (step.type === 'power-cut') {
      this.#counts.powerCuts++
      this.#link.reset()
    } else {
      this.#counts.goodbyes++
      this.#close()
    }
  }

  #release(): void {
    if (!this.#held || !this.#sending || this.outbox.waiting >= this.#around.outboxMax) return
    this.#held = false
    this.#startedMs = this.#around.now() - this.#next.atMs // the whole plan is late now: no rush to catch up
    this.#around.wheel.set(this.#stepTimer, 0)
  }
}
