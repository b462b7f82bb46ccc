// What one device will do: an endless sequence of events and mishaps with their times. It follows from seed, device
// and profile alone, so that a run can be repeated; nothing here knows of connections or of the wall clock.
import type { DevicePart } from './fleet-plan.ts'
import type { FaultsProfile, Profile } from './profile.ts'
import { Random } from './random.ts'
import { createSignal, type Signal, type Value } from './signals.ts'

/** An event as the device means to send it. */
export interface PlannedEvent {
  /** Counts the device's events from 1. */
  n: number
  topic: string
  /** What the payload says; its first field is `n`. */
  values: Record<string, Value>
  /** Whether the payload breaks off. */
  malformed: boolean
  /** Whether it is sent a second time. */
  repeat: boolean
}

/** One thing that a device does, `atMs` after its start. */
export type Step =
  | { type: 'event'; atMs: number; event: PlannedEvent }
  /** The connection is reset and the device is gone for `downMs`. */
  | { type: 'power-cut'; atMs: number; downMs: number }
  /** The device says goodbye and is gone for `downMs`. */
  | { type: 'goodbye'; atMs: number; downMs: number }

type FaultName = keyof FaultsProfile

export interface DevicePlanOptions {
  seed: string
  day: Profile['day']
  faults: FaultsProfile
  /** Factor on the profile's intervals; 0.5 sends twice as often. */
  intervalFactor: number
}

/** The steps of one device, in order of time. */
export class DevicePlan {
  readonly #part: DevicePart
  readonly #day: Profile['day']
  readonly #intervalMs: number
  readonly #times: Random
  readonly #mishaps: Random
  readonly #fields: [name: string, signal: Signal][]
  readonly #faults: FaultsProfile
  /** For each scheduled fault, how many of its times have passed. */
  readonly #struck = new Map<FaultName, number>()
  readonly #waiting: Step[] = []
  #atMs: number
  #measuredMs = 0
  #stuckUntilMs = -1
  #values: [name: string, value: Value][] = []
  #n = 0

  constructor(part: DevicePart, { seed, day, faults, intervalFactor }: DevicePlanOptions) {
    this.#part = part
    this.#day = day
    this.#intervalMs = part.kind.interval * intervalFactor
    this.#times = new Random(seed, part.index, 'times')
    this.#mishaps = new Random(seed, part.index, 'faults')
    const values = new Random(seed, part.index, 'values')
    this.#fields = Object.entries(part.kind.fields).map(([name, each]) => [name, createSignal(each, values)])
    this.#faults = this.#afflicting({ ...faults, ...part.kind.faults })
    this.#atMs = this.#intervalMs * this.#times.number() // the fleet doesn't speak in unison
  }

  /** The next step. */
  next(): Step {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) return waiting
    const faults = this.#faults
    if (faults.silent && this.#strikes('silent', faults.silent)) this.#atMs += faults.silent.lasts
    if (faults.stuck && this.#strikes('stuck', faults.stuck))
      this.#stuckUntilMs = this.#atMs + faults.stuck.lasts
    const malformed = faults.malformed !== undefined && this.#strikes('malformed', faults.malformed)
    const repeat = faults.repeat !== undefined && this.#strikes('repeat', faults.repeat)
    const step: Step = { type: 'event', atMs: this.#atMs, event: this.#measure(malformed, repeat) }
    this.#planMishaps(step.atMs)
    const { jitter } = this.#part.kind
    this.#atMs += Math.max(1, this.#intervalMs * (1 + jitter * this.#times.between(-1, 1)))
    return step
  }

  /** Losses of the connection follow the event at which they strike. */
  #planMishaps(atMs: number): void {
    const { powerCut, flapping } = this.#faults
    if (powerCut && this.#strikes('powerCut', powerCut))
      this.#waiting.push({ type: 'power-cut', atMs, downMs: powerCut.lasts })
    if (flapping && this.#strikes('flapping', flapping)) {
      for (let time = 0; time < flapping.times; time++) {
        const beginsMs = atMs + time * (flapping.down + flapping.up)
        this.#waiting.push({ type: 'goodbye', atMs: beginsMs, downMs: flapping.down })
      }
      this.#atMs += flapping.times * (flapping.down + flapping.up)
    }
  }

  #measure(malformed: boolean, repeat: boolean): PlannedEvent {
    if (this.#atMs >= this.#stuckUntilMs || this.#values.length === 0) {
      const hoursPerMs = 24 / this.#day.length
      const moment = {
        atMs: this.#atMs,
        hour: (this.#day.startHour + this.#atMs * hoursPerMs) % 24,
        elapsedHours: (this.#atMs - this.#measuredMs) * hoursPerMs
      }
      this.#values = this.#fields.map(([name, signal]) => [name, signal(moment)])
      this.#measuredMs = this.#atMs
    }
    this.#n++
    const values = Object.fromEntries([['n', this.#n], ...this.#values])
    return { n: this.#n, topic: this.#part.topic, values, malformed, repeat }
  }

  /** The faults that this device has at all. */
  #afflicting(faults: FaultsProfile): FaultsProfile {
    const kept = Object.entries(faults).filter(
      ([, fault]) => fault !== undefined && this.#mishaps.chance(fault.devices)
    )
    return Object.fromEntries(kept)
  }

  #strikes(name: FaultName, fault: { probability: number; at: readonly number[] }): boolean {
    const passed = this.#struck.get(name) ?? 0
    const due = fault.at[passed]
    if (due !== undefined && this.#atMs >= due) {
      this.#struck.set(name, passed + 1)
      return true
    }
    return fault.probability > 0 && this.#mishaps.chance(fault.probability)
  }
}
