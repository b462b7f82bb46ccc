// Limits that all device connections share, whatever they speak: how many, how fast, and how many unfinished bytes.
import type { Logger } from 'pino'
import { Counter, Gauge, type Registry } from 'prom-client'
import { ConnectCounts, type ConnectCountsOptions } from './connect-counts.ts'

export type Protocol = 'mqtt' | 'tcp'

export interface ConnectionLimitsOptions extends ConnectCountsOptions {
  connectionsMax: number
  /** 0 sets no limit. */
  connectionsPerAddressMax: number
  /** 0 sets no limit. */
  connectsPerSecondMax: number
  /** 0 sets no limit. */
  openBytesMax: number
  logger: Logger
  registry: Registry
  /** A clock that never goes back, ms. */
  monotonicMs?: () => number
}

type RefusalCode =
  'too-many-connections' | 'too-many-from-address' | 'too-many-connects' | 'connecting-too-often'

export interface AdmissionRefusal {
  ok: false
  code: RefusalCode
  message: string
}

/** A connection that was let in; to be released once when it is gone. */
export interface Admission {
  ok: true
  release(): void
}

/** Counts connections and open bytes over all device ports. */
export class ConnectionLimits {
  #options: ConnectionLimitsOptions
  #monotonicMs: () => number
  #connections = { mqtt: 0, tcp: 0 }
  #perAddress = new Map<string, number>()
  #refusals: Record<RefusalCode, number> = {
    'too-many-connections': 0,
    'too-many-from-address': 0,
    'too-many-connects': 0,
    'connecting-too-often': 0
  }
  #connectCounts: ConnectCounts
  #openBytes = 0
  /** Token bucket of connects, filled with `connectsPerSecondMax` a second up to one second's worth. */
  #connects: number
  #filledAt: number

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now())
    this.#connects = options.connectsPerSecondMax
    this.#filledAt = this.#monotonicMs()
    this.#connectCounts = new ConnectCounts(options)
    this.#register(options.registry)
  }

  /** Connections of all protocols. */
  get connections(): number {
    return this.#connections.mqtt + this.#connections.tcp
  }

  /** Counts a connection in from a remote address, or says why it must be closed. */
  admit(address: string, protocol: Protocol): Admission | AdmissionRefusal {
    const { connectionsMax, connectionsPerAddressMax } = this.#options
    if (this.connections >= connectionsMax) {
      return this.#refuse('too-many-connections', 'the server has as many connections as it may')
    }
    const fromAddress = this.#perAddress.get(address) ?? 0
    if (connectionsPerAddressMax > 0 && fromAddress >= connectionsPerAddressMax) {
      return this.#refuse('too-many-from-address', 'this address has as many connections as it may')
    }
    if (!this.#takeConnect()) {
      return this.#refuse('too-many-connects', 'too many devices connect at the same time; come back later')
    }
    this.#perAddress.set(address, fromAddress + 1)
    this.#connections[protocol]++
    return new Admitted(this, address, protocol)
  }

  /** Counts a connect of a device that has proved who it is, or says why it is refused. Its connection is still admitted. */
  admitDevice(device: string): AdmissionRefusal | null {
    const verdict = this.#connectCounts.connect(device, this.#monotonicMs())
    if (verdict === 'admitted') return null
    const { connectsPerDeviceMax, connectsPerDeviceWindowMs, connectsPerDevicePauseMs } = this.#options
    if (verdict === 'refused') {
      this.#options.logger.warn(
        { device, connectsPerDeviceMax, connectsPerDeviceWindowMs, connectsPerDevicePauseMs },
        'A device connects too often and is refused for a while'
      )
    }
    return this.#refuse('connecting-too-often', 'this device connects too often; come back in some minutes')
  }

  /** Counts a connection out; `Admission.release` calls it. */
  release(address: string, protocol: Protocol): void {
    this.#connections[protocol]--
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left > 0) this.#perAddress.set(address, left)
    else this.#perAddress.delete(address)
  }

  /** Adds to (or, when negative, takes from) the bytes of received and unfinished packets and frames. */
  openBytes(delta: number): void {
    this.#openBytes += delta
  }

  /** Whether there are more open bytes than allowed; who adds to them then should lose its connection. */
  overOpenBytes(): boolean {
    return this.#options.openBytesMax > 0 && this.#openBytes > this.#options.openBytesMax
  }

  #takeConnect(): boolean {
    const { connectsPerSecondMax } = this.#options
    if (connectsPerSecondMax === 0) return true
    const now = this.#monotonicMs()
    const filled = this.#connects + ((now - this.#filledAt) / 1000) * connectsPerSecondMax
    this.#connects = Math.min(connectsPerSecondMax, filled)
    this.#filledAt = now
    if (this.#connects < 1) return false
    this.#connects--
    return true
  }

  #refuse(code: AdmissionRefusal['code'], message: string): AdmissionRefusal {
    this.#refusals[code]++
    return { ok: false, code, message }
  }

  #register(registry: Registry): void {
    const connections = this.#connections
    const refusals = this.#refusals
    const openBytes = () => this.#openBytes
    registry.registerMetric(
      new Gauge({
        name: 'tocsin_device_connections',
        help: 'Open device connections, by protocol.',
        labelNames: ['protocol'],
        registers: [],
        collect() {
          for (const [protocol, count] of Object.entries(connections)) this.set({ protocol }, count)
        }
      })
    )
    registry.registerMetric(
      new Counter({
        name: 'tocsin_device_connections_refused_total',
        help: 'Device connections refused because of a limit, by code.',
        labelNames: ['code'],
        registers: [],
        collect() {
          this.reset()
          for (const [code, count] of Object.entries(refusals)) this.inc({ code }, count)
        }
      })
    )
    registry.registerMetric(
      new Gauge({
        name: 'tocsin_device_open_bytes',
        help: 'Bytes of received and unfinished packets and frames over all device connections.',
        registers: [],
        collect() {
          this.set(openBytes())
        }
      })
    )
  }
}

class Admitted implements Admission {
  readonly ok = true
  #limits: ConnectionLimits | null
  #address: string
  #protocol: Protocol

  constructor(limits: ConnectionLimits, address: string, protocol: Protocol) {
    this.#limits = limits
    this.#address = address
    this.#protocol = protocol
  }

  release(): void {
    this.#limits?.release(this.#address, this.#protocol)
    this.#limits = null
  }
}
