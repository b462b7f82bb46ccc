// How often each device connects. One that does so over and over (two programs with one id that take over from each other,
// a crash loop) is refused for a while, so that it does not cost everybody the work of a connect each time.

export interface ConnectCountsOptions {
  /** Connects within the window that are let in; 0 sets no limit. */
  connectsPerDeviceMax: number
  connectsPerDeviceWindowMs: number
  /** How long a device beyond it is refused. */
  connectsPerDevicePauseMs: number
  /** Most devices that are remembered: as many that are counted, and as many that are refused. */
  connectsPerDeviceKnownMax: number
}

/** `refused`: from this connect on; `still-refused`: since an earlier one. */
export type ConnectVerdict = 'admitted' | 'refused' | 'still-refused'

interface Window {
  since: number
  connects: number
}

/** Remembers by device; beyond the limit on memory it forgets those that began longest ago. */
export class ConnectCounts {
  readonly #options: ConnectCountsOptions
  /** Windows of the same length in the order in which they began, so that those that are over are in front. */
  readonly #windows = new Map<string, Window>()
  /** Until when a device is refused; the soonest in front. */
  readonly #refused = new Map<string, number>()

  constructor(options: ConnectCountsOptions) {
    this.#options = options
  }

  /** Devices that are remembered. */
  get size(): number {
    return this.#windows.size + this.#refused.size
  }

  /** Counts a connect at `now`, a time that never goes back, ms. */
  connect(device: string, now: number): ConnectVerdict {
    const { connectsPerDeviceMax, connectsPerDevicePauseMs } = this.#options
    if (connectsPerDeviceMax === 0) return 'admitted'
    this.#forget(now)
    if (this.#refused.has(device)) return 'still-refused'
    const window = this.#window(device, now)
    if (++window.connects <= connectsPerDeviceMax) return 'admitted'
    this.#windows.delete(device)
    this.#keep(this.#refused, device, now + connectsPerDevicePauseMs)
    return 'refused'
  }

  #window(device: string, now: number): Window {
    const known = this.#windows.get(device)
    if (known !== undefined) return known
    const window = { since: now, connects: 0 }
    this.#keep(this.#windows, device, window)
    return window
  }

  #keep<Value>(map: Map<string, Value>, device: string, value: Value): void {
    for (const oldest of map.keys()) {
      if (map.size < this.#options.connectsPerDeviceKnownMax) break
      map.delete(oldest)
    }
    map.set(device, value)
  }

  // What is over is in front: each entry is looked at once more, when it goes.
  #forget(now: number): void {
    for (const [device, { since }] of this.#windows) {
      if (now - since < this.#options.connectsPerDeviceWindowMs) break
      this.#windows.delete(device)
    }
    for (const [device, until] of this.#refused) {
      if (now < until) break
      this.#refused.delete(device)
    }
  }
}
