// A process with some thousand devices that come back at once, as soon as they are cut off.
import { connect, type Socket } from 'node:net'
import { generate } from 'mqtt-packet'
import { encodeHello } from '../../broker/tcp/frame-codec.ts'
import { Random } from '../helpers/random.ts'

/** What the process is told: first where to connect, then what to do. */
export type StormRequest =
  | { kind: 'open'; ports: { mqtt: number; tcp: number }; devices: number; prefix: string; seed: number }
  /** Resets all connections; their devices come back at once. */
  | { kind: 'drop' }
  | { kind: 'report' }

export interface StormReport {
  /** Devices that are welcome now. */
  connected: number
  /** Connects that were tried, and that were refused or cut off. */
  attempts: number
  failures: number
}

const AGAIN_MIN_MS = 100
const AGAIN_RANGE_MS = 900
const OPENING_AT_ONCE = 200

class StormDevice {
  readonly #port: number
  readonly #greeting: Buffer
  readonly #report: StormReport
  readonly #random: Random
  #socket: Socket | null = null
  #welcome = false
  /** Called when it is welcome for the first time. */
  onWelcome: (() => void) | null = null

  constructor(port: number, greeting: Buffer, { report, random }: { report: StormReport; random: Random }) {
    this.#port = port
    this.#greeting = greeting
    this.#report = report
    this.#random = random
  }

  come(): void {
    this.#report.attempts++
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    socket.on('connect', () => socket.write(this.#greeting))
    socket.on('data', () => {
      if (this.#welcome) return
      this.#welcome = true
      this.#report.connected++
      this.onWelcome?.()
      this.onWelcome = null
    })
    socket.on('error', () => {}) // "close" follows
    socket.on('close', () => {
      if (socket !== this.#socket) return
      this.#leave()
      this.#report.failures++
      setTimeout(() => this.come(), AGAIN_MIN_MS + this.#random.below(AGAIN_RANGE_MS))
    })
  }

  /** Cuts the connection and comes back at once. */
  drop(): void {
    const socket = this.#socket
    this.#leave()
    socket?.resetAndDestroy()
    this.come()
  }

  #leave(): void {
    this.#socket = null
    if (this.#welcome) this.#report.connected--
    this.#welcome = false
  }
}

const report: StormReport = { connected: 0, attempts: 0, failures: 0 }
let devices: StormDevice[] = []

process.on('message', (request: StormRequest) => {
  if (request.kind === 'open') void open(request)
  if (request.kind === 'drop') {
    report.attempts = 0
    report.failures = 0
    for (const device of devices) device.drop()
  }
  process.send?.(report)
})

/** Half of them speak MQTT, half the raw TCP protocol. Each that is welcome makes room for the next. */
async function open({ ports, devices: count, prefix, seed }: StormRequest & { kind: 'open' }): Promise<void> {
  const random = new Random(seed)
  devices = Array.from({ length: count }, (_, index) => {
    const id = `${prefix}-${index}`
    const [port, greeting] =
      index % 2 === 0
        ? [
            ports.mqtt,
            generate({
              cmd: 'connect',
              protocolId: 'MQTT',
              protocolVersion: 4,
              clientId: id,
              clean: true,
              keepalive: 0
            })
          ]
        : [ports.tcp, encodeHello({ version: 1, device: id, token: null, keepaliveS: null, stream: null })]
    return new StormDevice(port, greeting, { report, random })
  })
  for (let from = 0; from < count; from += OPENING_AT_ONCE) {
    const some = devices.slice(from, from + OPENING_AT_ONCE)
    await Promise.all(
      some.map(
        device =>
          new Promise<void>(resolve => {
            device.onWelcome = resolve
            device.come()
          })
      )
    )
  }
}
