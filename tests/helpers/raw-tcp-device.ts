// A device of the raw TCP protocol on a plain socket. Its stream goes on over connections, as its numbering does.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { pack } from 'msgpackr'
import {
  decodeServerFrame,
  encodeEvent,
  encodeHello,
  encodePing,
  FrameReader
} from '../../broker/tcp/frame-codec.ts'
import type { ErrorMessage, ServerBye, ServerMessage, Welcome } from '../../broker/tcp/messages.ts'
import { eventually } from './eventually.ts'

export interface RawTcpDeviceOptions {
  /** 127.0.0.1 without. */
  host?: string
  port: number
  device: string
  token?: string
  stream?: string
  keepaliveS?: number
  /** Called with each cumulative acknowledgement. */
  onAck?: (seq: number) => void
}

/** One connection of a device. */
export class RawTcpDevice implements AsyncDisposable {
  readonly socket: Socket
  readonly closed: Promise<void>
  readonly errors: ErrorMessage[] = []
  welcome: Welcome | null = null
  bye: ServerBye | null = null
  pongs = 0
  acknowledged = 0
  ended = false
  readonly #onAck: ((seq: number) => void) | undefined

  private constructor(socket: Socket, onAck: ((seq: number) => void) | undefined) {
    this.socket = socket
    this.#onAck = onAck
    const reader = new FrameReader(2 ** 20)
    socket.on('data', chunk => {
      reader.push(chunk)
      for (let frame = reader.next(); frame !== null; frame = reader.next()) {
        const message = Buffer.isBuffer(frame) ? decodeServerFrame(frame, { nestingMax: 8 }) : frame
        if (message.type === 'problem') throw new Error(`the server sent a bad frame: ${message.message}`)
        this.#take(message)
      }
    })
    socket.on('error', () => {}) // "close" follows
    this.closed = new Promise(resolve =>
      socket.once('close', () => {
        this.ended = true
        resolve()
      })
    )
  }

  /** Connects and says hello; resolves when the server has answered, be it by a refusal. */
  static async connect(options: RawTcpDeviceOptions): Promise<RawTcpDevice> {
    const { host = '127.0.0.1', port, device, token, stream, keepaliveS, onAck } = options
    const socket = connect({ port, host, noDelay: true })
    await once(socket, 'connect')
    const opened = new RawTcpDevice(socket, onAck)
    socket.write(
      encodeHello({
        version: 1,
        device,
        token: token ?? null,
        keepaliveS: keepaliveS ?? null,
        stream: stream ?? null
      })
    )
    await eventually(() => opened.welcome !== null || opened.ended, {
      what: 'an answer to hello',
      everyMs: 1
    })
    return opened
  }

  /** Sends one event; the value becomes its MessagePack payload. */
  send(seq: number, topic: string, value: unknown): void {
    this.socket.write(encodeEvent({ seq, topic, payload: pack(value), deviceAt: undefined }))
  }

  ping(): void {
    this.socket.write(encodePing())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.closed
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.welcome = message
        this.acknowledged = message.lastSeq
        return
      case 'ack':
        this.acknowledged = message.seq
        this.#onAck?.(message.seq)
        return
      case 'error':
        this.errors.push(message)
        return
      case 'bye':
        this.bye = message
        return
      case 'pong':
        this.pongs++
        return
      case 'command':
        return
    }
  }
}
