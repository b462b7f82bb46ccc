// A running fleet: its devices, their start one after another, and an end at which nothing is left behind.
import { Device, type DeviceSurroundings } from './device.ts'
import { DevicePlan } from './device-plan.ts'
import {
  fleetEventsPerSecond,
  planFleet,
  type Credentials,
  type DevicePart,
  type Protocol
} from './fleet-plan.ts'
import type { LinkOwner, Target } from './link.ts'
import { MqttLink } from './mqtt-link.ts'
import type { Profile } from './profile.ts'
import { Random } from './random.ts'
import type { Recorder } from './recorder.ts'
import { Statistics } from './statistics.ts'
import { TcpLink } from './tcp-link.ts'
import { TimerWheel, WheelTimer } from './timer-wheel.ts'

export interface FleetOptions {
  profile: Profile
  seed: string
  count: number
  protocol: Protocol | 'both'
  mqtt: Target
  tcp: Target
  credentials: readonly Credentials[]
  /** Events a second of the whole fleet; null: as the profile has it. */
  eventsPerSecond: number | null
  /** Devices that start in a second. */
  rampPerSecond: number
  recorder: Recorder | null
  outboxMax?: number
  connectTimeoutMs?: number
  backOffMinMs?: number
  backOffMaxMs?: number
  /** ms since any moment, never going back; for tests. */
  now?: () => number
}

/** How often the ramp starts the devices that are due. */
const RAMP_MS = 10
/** Name of the TCP devices' streams. The server remembers where each ended, also over runs of the simulator. */
const STREAM = 'simulator'

/** Thousands of simulated devices on one timer. */
export class Fleet {
  readonly statistics = new Statistics()
  readonly #options: FleetOptions
  readonly #now: () => number
  readonly #wheel: TimerWheel
  readonly #parts: DevicePart[]
  readonly #devices: Device[] = []
  readonly #rampTimer = new WheelTimer(() => this.#startDue())
  readonly #around: DeviceSurroundings
  readonly #intervalFactor: number
  #startedMs = 0

  constructor(options: FleetOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#wheel = new TimerWheel({ now: this.#now })
    this.#parts = planFleet(options.profile, options)
    const natural = fleetEventsPerSecond(this.#parts)
    this.#intervalFactor = options.eventsPerSecond === null ? 1 : natural / options.eventsPerSecond
    this.#around = {
      wheel: this.#wheel,
      now: this.#now,
      statistics: this.statistics,
      recorder: options.recorder,
      outboxMax: options.outboxMax ?? 1000,
      backOffMinMs: options.backOffMinMs ?? 500,
      backOffMaxMs: options.backOffMaxMs ?? 15_000
    }
  }

  /** Devices of the fleet, started or not. */
  get size(): number {
    return this.#parts.length
  }

  /** Events that wait for an answer. */
  get waiting(): number {
    return this.#devices.reduce((sum, device) => sum + device.outbox.waiting, 0)
  }

  /** Starts the devices, `rampPerSecond` of them each second. */
  start(): void {
    this.#startedMs = this.#now()
    this.#startDue()
  }

  /**
   * Ends the run: no more events are made, what waits is given `drainMs` to be acknowledged, then the devices say
   * goodbye. An aborted `signal` cuts the waiting short.
   */
  async stop(drainMs: number, signal?: AbortSignal): Promise<void> {
    this.#wheel.cancel(this.#rampTimer)
    for (const device of this.#devices) device.stopMeasuring()
    await this.#until(() => this.waiting === 0, drainMs, signal)
    for (const device of this.#devices) device.end()
    // Longer than a device waits for the server's close before it resets its connection.
    await this.#until(() => this.#devices.every(device => !device.open), 2500, signal)
    this.#wheel.close()
  }

  #startDue(): void {
    const elapsedS = (this.#now() - this.#startedMs) / 1000
    const due = Math.min(this.#parts.length, 1 + Math.floor(elapsedS * this.#options.rampPerSecond))
    for (const part of this.#parts.slice(this.#devices.length, due)) {
      const device = this.#createDevice(part)
      this.#devices.push(device)
      device.start()
    }
    if (this.#devices.length < this.#parts.length) this.#wheel.set(this.#rampTimer, RAMP_MS)
  }

  #createDevice(part: DevicePart): Device {
    const { seed, profile, mqtt, tcp, connectTimeoutMs = 15_000 } = this.#options
    const plan = new DevicePlan(part, {
      seed,
      day: profile.day,
      faults: profile.faults,
      intervalFactor: this.#intervalFactor
    })
    const backOff = new Random(seed, part.index, 'back-off')
    const identity = { id: part.id, token: part.token, keepaliveS: Math.ceil(profile.keepalive / 1000) }
    const common = { identity, wheel: this.#wheel, now: this.#now, connectTimeoutMs }
    const link = (owner: LinkOwner) =>
      part.protocol === 'mqtt'
        ? new MqttLink({ ...common, target: mqtt, version: part.mqttVersion }, owner)
        : new TcpLink({ ...common, target: tcp, stream: STREAM }, owner)
    return new Device(part, { plan, backOff, link }, this.#around)
  }

  /** Resolves when the condition holds, when time is up, or when the signal is aborted. */
  #until(condition: () => boolean, withinMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = this.#now() + withinMs
    return new Promise(resolve => {
      const timer = new WheelTimer(() => look())
      const look = (): void => {
        if (condition() || this.#now() >= deadline || signal?.aborted === true) resolve()
        else this.#wheel.set(timer, 20)
      }
      look()
    })
  }
}
