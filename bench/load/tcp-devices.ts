// Devices of the raw TCP protocol, one event a frame. Frames are made beforehand; only their sequence is written anew.
import type { Socket } from 'node:net'
import { Encoder } from 'msgpackr'
import { encodeEvent, encodeHello } from '../../broker/tcp/frame-codec.ts'
import { messageTypes, PROTOCOL_VERSION } from '../../broker/tcp/messages.ts'
import { Awaited, openMany, openSocket } from './connections.ts'
import type { Load } from './load.ts'
import { Pace } from './pace.ts'
import { jsonPayload } from './payload.ts'

export interface TcpDevicesOptions {
  port: number
  devices: number
  payloadBytes: number
  /** Most events of a device that are not acknowledged. */
  inflight: number
  /** Events a second of all together; 0 sends the next one as soon as one is acknowledged. */
  perSecond: number
}

const CONNECTS_AT_ONCE = 50
/** Sequences start here, so that all of them have the same length in MessagePack. */
const UINT32_HEAD = 0xce
const LENGTH_BYTES = 4

export async function createTcpDevices(options: TcpDevicesOptions): Promise<Load> {
  const connected = new Awaited(options.devices)
  const devices = await openMany(options.devices, CONNECTS_AT_ONCE, async index => {
    const device = new Device(index, options, connected)
    device.socket = await openSocket({
      port: options.port,
      onBytes: (bytes, length) => device.received(bytes, length)
    })
    const hello = { device: `device-${index}`, token: null, keepaliveS: null, stream: 'main' }
    device.socket.write(encodeHello({ version: PROTOCOL_VERSION, ...hello }))
    return device
  })
  await connected.promise
  let next = 0
  const pace = new Pace(options.perSecond, () => devices[next++ % devices.length]?.send(1))
  return {
    start: () => {
      if (options.perSecond > 0) return pace.start()
      for (const device of devices) device.begin()
    },
    stop: async () => {
      pace.stop()
      for (const device of devices) device.end()
      await Promise.all(devices.map(device => device.idle()))
    },
    counts: () => {
      let acknowledged = 0
      let late = 0
      for (const device of devices) {
        acknowledged += device.acknowledged
        late += device.late
      }
      return { events: acknowledged, late }
    }
  }
}

/** One device, on a new stream. */
class Device {
  socket: Socket | null = null
  acknowledged = 0
  /** Events that were due while all that may be in flight were. */
  late = 0
  readonly #connected: Awaited
  readonly #inflight: number
  /** `#inflight` frames of equal length. */
  readonly #frames: Buffer
  readonly #frameBytes: number
  readonly #seqAt: number
  #carry: Buffer | null = null
  #sent = 0
  #endless = false
  #whenIdle: (() => void) | null = null

  constructor(index: number, { payloadBytes, inflight }: TcpDevicesOptions, connected: Awaited) {
    const payload = new Encoder({ useRecords: false }).encode(JSON.parse(jsonPayload(payloadBytes)))
    // A sequence of 32 bits in the template; the small ones are written in the same, longer form.
    const seq = 0x7fffffff
    const frame = encodeEvent({
      seq,
      topic: `bench/device-${index}/temperature`,
      payload,
      deviceAt: undefined
    })
    this.#seqAt = frame.indexOf(UINT32_HEAD, LENGTH_BYTES) + 1
    if (frame.readUInt32BE(this.#seqAt) !== seq) throw new Error('An event frame is not as this expects it')
    this.#connected = connected
    this.#inflight = inflight
    this.#frameBytes = frame.length
    this.#frames = Buffer.concat(Array.from({ length: inflight }, () => frame))
  }

  begin(): void {
    this.#endless = true
    this.send(this.#inflight)
  }

  end(): void {
    this.#endless = false
  }

  idle(): Promise<void> {
    if (this.#sent === this.acknowledged) return Promise.resolve()
    return new Promise(resolve => (this.#whenIdle = resolve))
  }

  send(count: number): void {
    const room = this.#inflight - (this.#sent - this.acknowledged)
    if (count > room) this.late += count - room
    let left = Math.min(count, room)
    while (left > 0) {
      const slot = this.#sent % this.#inflight
      const run = Math.min(left, this.#inflight - slot)
      for (let index = slot; index < slot + run; index++)
        this.#frames.writeUInt32BE(++this.#sent, index * this.#frameBytes + this.#seqAt)
      this.socket?.write(this.#frames.subarray(slot * this.#frameBytes, (slot + run) * this.#frameBytes))
      left -= run
    }
  }

  received(bytes: Buffer, length: number): void {
    const chunk = this.#carry === null ? bytes : Buffer.concat([this.#carry, bytes.subarray(0, length)])
    const end = this.#carry === null ? length : chunk.length
    let at = 0
    while (at + LENGTH_BYTES <= end) {
      const next = at + LENGTH_BYTES + chunk.readUInt32BE(at)
      if (next > end) break
      this.#frame(chunk.subarray(at + LENGTH_BYTES, next))
      at = next
    }
    this.#carry = at === end ? null : Buffer.from(chunk.subarray(at, end))
  }

  /** A frame is `[type, …]`: one byte for the array, one for the type, and for an ack its sequence. */
  #frame(frame: Buffer): void {
    const type = frame[1]
    if (type === messageTypes.welcome) return this.#connected.count()
    if (type !== messageTypes.ack) throw new Error(`The server says ${frame.toString('latin1')}`)
    const before = this.acknowledged
    this.acknowledged = integerAt(frame, 2)
    if (this.#endless) this.send(this.acknowledged - before)
    else if (this.acknowledged === this.#sent) this.#whenIdle?.()
  }
}

/** A MessagePack integer in its shortest form. */
function integerAt(bytes: Buffer, at: number): number {
  const head = bytes[at] ?? 0
  if (head < 0x80) return head
  if (head === 0xcc) return bytes.readUInt8(at + 1)
  if (head === 0xcd) return bytes.readUInt16BE(at + 1)
  return bytes.readUInt32BE(at + 1)
}
