// Which devices are there, told through the log. A start of a session is told at once; an end only when the device
// stays away for the offline delay. The last status of each device is a row, written with its notification.
import { Gauge, type Registry } from 'prom-client'
import type { PresenceDraft } from '../store/notification.ts'
import type { Log, PresenceRow, Tables } from '../store/store.ts'
import { RandomIds } from './random-id.ts'

/** Why a device is online: `connected` becomes `reconnected` by itself when its offline was still waiting to be told. */
export type OnlineReason = 'connected' | 'reconnected' | 'takeover'

/** One connection of a device, from its acceptance to its end. */
export interface PresenceSession {
  /** Short and random. */
  readonly id: string
  readonly device: string
  /** Counts the device's sessions, from 1. */
  readonly order: number
}

export interface PresenceOptions {
  log: Log
  tables: Tables
  /** How long a device must be gone before it is said to be offline, ms. */
  offlineDelayMs: number
  /** Time of day, ms since 1970. */
  now: () => number
  registry: Registry
}

/** What is known of a device that is or was online. */
interface Device {
  live: number
  /** Its newest session; an offline is told with this one's id and order, so that it is never taken for a stale one. */
  newest: { id: string; order: number }
}

interface Departure {
  device: string
  reason: string
  expected: boolean
  /** On the monotonic clock, ms. */
  dueAt: number
}

/** Presence of all devices, over MQTT and TCP alike. */
export class Presence {
  #log: Log
  #offlineDelayMs: number
  #now: () => number
  #ids = new RandomIds()
  #devices = new Map<string, Device>()
  /** Devices that are gone and not yet said to be, oldest first: the delay is the same for all, so order is due order. */
  #departures = new Map<string, Departure>()
  #timer: NodeJS.Timeout | null = null
  #connected = 0
  #stopped = false

  private constructor({ log, offlineDelayMs, now, registry }: PresenceOptions) {
    this.#log = log
    this.#offlineDelayMs = offlineDelayMs
    this.#now = now
    const connected = () => this.#connected
    registry.registerMetric(
      new Gauge({
        name: 'tocsin_devices_connected',
        help: 'Devices with at least one live session.',
        registers: [],
        collect() {
          this.set(connected())
        }
      })
    )
  }

  /** Reads the last statuses. Devices that were online get the delay to come back, then are offline by `server-restart`. */
  static async load(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(options)
    for (const row of await options.tables.presence()) presence.#restore(row)
    return presence
  }

  /** Devices with at least one live session. */
  get count(): number {
    return this.#connected
  }

  /** Whether the device has a live session. */
  connected(device: string): boolean {
    return (this.#devices.get(device)?.live ?? 0) > 0
  }

  /** Begins a session and tells so. */
  online(device: string, reason: OnlineReason = 'connected'): PresenceSession {
    const known = this.#devices.get(device)
    const newest = { id: this.#ids.next(), order: (known?.newest.order ?? 0) + 1 }
    const returns = this.#departures.delete(device)
    if (known === undefined) this.#devices.set(device, { live: 1, newest })
    else {
      known.live++
      known.newest = newest
    }
    if (known === undefined || known.live === 1) this.#connected++
    this.#tell(device, newest, {
      status: 'online',
      reason: returns && reason === 'connected' ? 'reconnected' : reason,
      severity: 'info'
    })
    return { id: newest.id, device, order: newest.order }
  }

  /**
   * Ends a session. While the device has others nothing more happens; otherwise it is told to be offline after the
   * delay unless it comes back. `expected`: the device said goodbye.
   */
  offline(session: PresenceSession, reason: string, { expected }: { expected: boolean }): void {
    const device = this.#devices.get(session.device)
    if (device === undefined || device.live === 0) return
    device.live--
    if (device.live > 0) return
    this.#connected--
    this.#depart({ device: session.device, reason, expected })
  }

  /** Stops telling. Rows stay as they are, so the next start knows who was online. */
  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#departures.clear()
  }

  #restore({ device, status, session, order }: PresenceRow): void {
    this.#devices.set(device, { live: 0, newest: { id: session, order } })
    if (status === 'online') this.#depart({ device, reason: 'server-restart', expected: false })
  }

  #depart(departure: Omit<Departure, 'dueAt'>): void {
    if (this.#stopped) return
    this.#departures.delete(departure.device) // so that it goes to the end
    this.#departures.set(departure.device, {
      ...departure,
      dueAt: performance.now() + this.#offlineDelayMs
    })
    this.#timer ??= setTimeout(() => this.#tellDue(), this.#offlineDelayMs)
  }

  #tellDue(): void {
    this.#timer = null
    const now = performance.now()
    for (const { device, reason, expected, dueAt } of this.#departures.values()) {
      if (dueAt > now) {
        this.#timer = setTimeout(() => this.#tellDue(), Math.ceil(dueAt - now))
        return
      }
      this.#departures.delete(device)
      const known = this.#devices.get(device)
      if (known === undefined) continue
      this.#tell(device, known.newest, {
        status: 'offline',
        reason,
        severity: expected ? 'info' : 'warning'
      })
    }
  }

  #tell(
    device: string,
    { id: session, order }: Device['newest'],
    { status, reason, severity }: Pick<PresenceDraft, 'status' | 'reason' | 'severity'>
  ): void {
    if (this.#stopped) return
    const row: PresenceRow = { device, status, session, order, reason, since: this.#now() }
    this.#log.append({ kind: 'presence', device, severity, status, reason, session, order }, null, {
      changes: [{ put: 'presence', row }]
    })
  }
}
