// A small server of the raw TCP protocol for tests: it takes events into memory, and can be told to misbehave.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { unpack } from 'msgpackr'
import {
  decodeDeviceFrame,
  encodeAck,
  encodeError,
  encodePong,
  encodeWelcome,
  FrameReader
} from '../../broker/tcp/frame-codec.ts'
import type { DeviceMessage, EventBody, Hello } from '../../broker/tcp/messages.ts'

export interface TakenEvent {
  seq: number
  topic: string
  payload: unknown
}

/** What the server knows of one device, kept over its connections. */
export class TestStream {
  readonly events: TakenEvent[] = []
  readonly hellos: Hello[] = []
  lastSeq = 0
  repeats = 0
  batches = 0
  byes = 0
  readonly violations: string[] = []
}

export class TestTcpServer {
  readonly streams = new Map<string, TestStream>()
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer({ noDelay: true }, socket => this.#serve(socket))
  port = 0
  windowEvents = 1024
  /** Whether events are acknowledged; without, they are taken all the same. */
  acknowledges = true
  /** Whether events are taken at all. */
  takes = true
  refuses: (event: TakenEvent) => boolean = () => false
  pings = 0
  resets = 0

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
    return this
  }

  stream(device: string): TestStream {
    const known = this.streams.get(device)
    if (known !== undefined) return known
    const stream = new TestStream()
    this.streams.set(device, stream)
    return stream
  }

  get connections(): number {
    return this.#sockets.size
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    const reader = new FrameReader(65_536)
    let stream: TestStream | null = null
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') this.resets++
    })
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', chunk => {
      reader.push(chunk)
      for (;;) {
        const frame = reader.next()
        if (frame === null) return
        if (!Buffer.isBuffer(frame)) throw new Error(frame.message)
        const message = decodeDeviceFrame(frame, { nestingMax: 16 })
        if (message.type === 'problem') throw new Error(message.message)
        stream = this.#take(socket, stream, message)
      }
    })
  }

  #take(socket: Socket, stream: TestStream | null, message: DeviceMessage): TestStream {
    if (message.type === 'hello') {
      const known = this.stream(message.device)
      known.hellos.push(message)
      const { lastSeq } = known
      socket.write(
        encodeWelcome({ session: 's', lastSeq, windowEvents: this.windowEvents, frameBytesMax: 65_536 })
      )
      return known
    }
    if (stream === null) throw new Error(`${message.type} before hello`)
    if (message.type === 'event') this.#event(socket, stream, message.seq, message)
    if (message.type === 'events') {
      stream.batches++
      message.events.forEach((event, index) => this.#event(socket, stream, message.firstSeq + index, event))
    }
    if (message.type === 'ping') {
      this.pings++
      socket.write(encodePong())
    }
    if (message.type === 'bye') stream.byes++
    return stream
  }

  #event(socket: Socket, stream: TestStream, seq: number, body: EventBody): void {
    if (!this.takes) return
    if (seq > stream.lastSeq + 1) stream.violations.push(`seq ${seq} after ${stream.lastSeq}`)
    if (seq <= stream.lastSeq) stream.repeats++
    else {
      const event = { seq, topic: body.topic, payload: unpack(Buffer.from(body.payload)) as unknown }
      stream.lastSeq = seq
      if (this.refuses(event)) socket.write(encodeError({ code: 'not-authorized', message: 'no', seq }))
      else stream.events.push(event)
    }
    if (this.acknowledges) socket.write(encodeAck(seq))
  }
}

/** The number `n` in a payload. */
export function numberOf(payload: unknown): number {
  if (typeof payload === 'string') return Number(/"n":(\d+)/.exec(payload)?.[1])
  return (payload as { n: number }).n
}
