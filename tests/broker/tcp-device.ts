// A device on a real socket, for tests.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { pack } from 'msgpackr'
import {
  decodeServerFrame,
  encodeEvent,
  encodeEvents,
  encodeHello,
  FrameReader
} from '../../broker/tcp/frame-codec.ts'
import type { FrameProblem, Hello, ServerMessage } from '../../broker/tcp/messages.ts'
import { eventually } from '../helpers/eventually.ts'

/** Keeps everything the server says. */
export class TcpDevice {
  readonly socket: Socket
  readonly received: (ServerMessage | FrameProblem)[] = []
  #read = 0
  #ended = false
  #closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    const reader = new FrameReader(2 ** 20)
    socket.on('data', chunk => {
      reader.push(chunk)
      for (let frame = reader.next(); frame !== null; frame = reader.next()) {
        this.received.push(frame instanceof Uint8Array ? decodeServerFrame(frame, { nestingMax: 8 }) : frame)
      }
    })
    socket.on('end', () => (this.#ended = true))
    socket.on('close', () => (this.#closed = true))
    socket.on('error', () => {})
  }

  static async connect(port: number): Promise<TcpDevice> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new TcpDevice(socket)
  }

  send(...frames: Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  hello(given: Partial<Hello> & { device: string }): void {
    this.send(encodeHello({ version: 1, token: null, keepaliveS: null, stream: null, ...given }))
  }

  /** Sends events with these sequence numbers, one frame each, on a topic of their own. */
  events(...seqs: number[]): void {
    this.send(...seqs.map(seq => eventFrame(seq)))
  }

  /** Sends one frame with several events. */
  batch(firstSeq: number, count: number): void {
    const events = Array.from({ length: count }, (_, index) => body(firstSeq + index))
    this.send(encodeEvents({ firstSeq, events }))
  }

  /** The next message, which must be of this type. */
  async next<Type extends ServerMessage['type']>(
    type: Type
  ): Promise<Extract<ServerMessage, { type: Type }>> {
    const message = await eventually(() => this.received[this.#read], { what: `a ${type}` })
    this.#read++
    if (message.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`)
    return message as Extract<ServerMessage, { type: Type }>
  }

  /** Waits for the acknowledgement of everything up to `seq`, passing over lower ones. */
  async acknowledged(seq: number): Promise<void> {
    for (;;) {
      const ack = await this.next('ack')
      if (ack.seq === seq) return
      if (ack.seq > seq) throw new Error(`${ack.seq} was acknowledged, ${seq} expected`)
    }
  }

  /** Waits until the server has closed its side; then nothing unread may be left. */
  async ended(): Promise<void> {
    await eventually(() => this.#ended || this.#closed, { what: 'the end of the connection' })
    const unread = this.received.slice(this.#read)
    if (unread.length > 0) throw new Error(`unread: ${JSON.stringify(unread)}`)
  }

  get open(): boolean {
    return !this.#ended && !this.#closed
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Cuts the connection as a power cut seen by a router does. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}

function body(seq: number) {
  return { topic: `t/${seq}`, payload: pack({ seq }), deviceAt: undefined }
}

/** One event frame; its topic is `t/<seq>` unless given. */
export function eventFrame(seq: number, topic = `t/${seq}`): Buffer {
  return encodeEvent({ ...body(seq), seq, topic })
}
