// A device's connection over the raw TCP protocol: hello, welcome, then events within the server's window. The stream
// goes on over reconnects: what the server has is not sent again, and what it has not is.
import { connect, type Socket } from 'node:net'
import {
  decodeServerFrame,
  encodeDeviceBye,
  encodeEvent,
  encodeEvents,
  encodeHello,
  encodePing,
  encodeResult,
  FrameReader
} from '../broker/tcp/frame-codec.ts'
import { PROTOCOL_VERSION, type ServerMessage, type Welcome } from '../broker/tcp/messages.ts'
import { errorReason, type Link, type LinkIdentity, type LinkOwner, type Target } from './link.ts'
import type { OutgoingEvent } from './outbox.ts'
import { packedPayload } from './payload.ts'
import { WheelTimer, type TimerWheel } from './timer-wheel.ts'

/** Largest frame taken from a server. */
const SERVER_FRAME_BYTES_MAX = 65_536
const NESTING_MAX = 32
/** From so many waiting events on, they are sent together in one frame; fewer go one by one. */
const BATCH_EVENTS_MIN = 4
const BATCH_EVENTS_MAX = 64
/** Part of the largest frame that a batch fills; encodings differ a little from what is reckoned here. */
const BATCH_FILL = 0.9
const NIL = Uint8Array.of(0xc0)

export interface TcpLinkOptions {
  target: Target
  identity: LinkIdentity
  stream: string
  wheel: TimerWheel
  /** ms, never going back. */
  now: () => number
  connectTimeoutMs: number
}

/** An event with its payload as it is sent. */
interface Packed {
  event: OutgoingEvent
  payload: Uint8Array
}

/** `greeting`: connected, and hello is sent. `closing`: the goodbye is sent. */
type Phase = 'closed' | 'connecting' | 'greeting' | 'open' | 'closing'

/** The TCP side of one simulated device. */
export class TcpLink implements Link {
  readonly #options: TcpLinkOptions
  readonly #owner: LinkOwner
  readonly #timeout = new WheelTimer(() => this.#fail('connect-timeout'))
  readonly #keepalive = new WheelTimer(() => this.#keepAlive())
  #phase: Phase = 'closed'
  #socket: Socket | null = null
  #reader = new FrameReader(SERVER_FRAME_BYTES_MAX)
  /** An event's `seq` is its `n` plus this: the stream may be older than this run. Null before the first welcome. */
  #seqBase: number | null = null
  #windowEvents = 0
  #frameBytesMax = 0
  /** Number of the next event to send on this connection. */
  #nextN = 1
  /** Everything up to this number has its answer. */
  #settledN = 0
  /** Refused events that no ack has passed yet, with the reason. */
  readonly #refused = new Map<number, string>()
  #wrote = false
  #heardMs = 0

  constructor(options: TcpLinkOptions, owner: LinkOwner) {
    this.#options = options
    this.#owner = owner
  }

  open(): void {
    const { target, wheel, connectTimeoutMs } = this.#options
    this.#phase = 'connecting'
    this.#reader = new FrameReader(SERVER_FRAME_BYTES_MAX)
    this.#refused.clear()
    const socket = connect({ host: target.host, port: target.port, noDelay: true })
    this.#socket = socket
    socket.on('connect', () => this.#greet())
    socket.on('data', chunk => this.#read(chunk))
    socket.on('error', error => this.#owner.onError(errorReason(error)))
    socket.on('close', () => this.#closed())
    wheel.set(this.#timeout, connectTimeoutMs)
  }

  pump(): void {
    const { outbox } = this.#owner
    if (this.#phase !== 'open' || this.#nextN > outbox.lastN || this.#room() <= 0) return
    this.#socket?.cork()
    while (this.#nextN <= outbox.lastN && this.#room() > 0) {
      const batch = this.#takeBatch()
      if (batch.length >= BATCH_EVENTS_MIN) this.#sendTogether(batch)
      else for (const each of batch) this.#send(each)
      for (const each of batch) {
        const first = each.event.sentMs === 0
        this.#owner.onSent(each.event, first ? 'first' : 'again')
        if (!each.event.repeat || !first) continue
        this.#send(each)
        this.#owner.onSent(each.event, 'repeat')
      }
    }
    this.#socket?.uncork()
  }

  reset(): void {
    if (this.#phase === 'connecting') this.#socket?.destroy()
    else this.#socket?.resetAndDestroy()
  }

  close(): void {
    if (this.#phase === 'open') {
      this.#write(encodeDeviceBye('going'))
      this.#socket?.end()
      this.#phase = 'closing'
    } else this.#socket?.destroy()
  }

  #greet(): void {
    const { identity, stream } = this.#options
    this.#phase = 'greeting'
    this.#write(
      encodeHello({
        version: PROTOCOL_VERSION,
        device: identity.id,
        token: identity.token,
        keepaliveS: identity.keepaliveS,
        stream
      })
    )
  }

  #read(chunk: Buffer): void {
    this.#heardMs = this.#options.now()
    this.#reader.push(chunk)
    for (;;) {
      const frame = this.#reader.next()
      if (frame === null) return
      const message = Buffer.isBuffer(frame) ? decodeServerFrame(frame, { nestingMax: NESTING_MAX }) : frame
      if (message.type === 'problem') return this.#fail(`server-${message.code}`)
      this.#take(message)
      if (this.#socket === null || this.#socket.destroyed) return
    }
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        if (this.#phase === 'greeting') return this.#enter(message)
        return this.#fail('server-unexpected-welcome')
      case 'ack':
        return this.#settleThrough(message.seq - (this.#seqBase ?? 0))
      case 'error':
        if (message.seq === undefined) return this.#owner.onError(`tcp-${message.code}`)
        return this.#refuse(message.seq - (this.#seqBase ?? 0), `tcp-${message.code}`)
      case 'command':
        return this.#write(encodeResult({ id: message.id, ok: true, payload: NIL }))
      case 'bye':
        this.#owner.onError(`bye-${message.code}`)
        this.#socket?.end()
        return
      case 'pong':
        return
    }
  }

  /** The server has let the device in and said how far it has the stream. */
  #enter(welcome: Welcome): void {
    const { wheel, identity } = this.#options
    const { outbox } = this.#owner
    wheel.cancel(this.#timeout)
    this.#windowEvents = welcome.windowEvents
    this.#frameBytesMax = welcome.frameBytesMax
    const before = outbox.firstN - 1
    const there = this.#seqBase === null ? before : welcome.lastSeq - this.#seqBase
    // Less than was acknowledged, or more than was sent: the numbering can only begin anew from what the server says.
    if (there < this.#settledN) this.#owner.onError('server-lost-acknowledged-events')
    else if (there >= this.#nextN) this.#owner.onError('server-has-unknown-events')
    else if (this.#seqBase !== null) this.#settleThrough(there)
    this.#settledN = outbox.firstN - 1
    this.#seqBase = welcome.lastSeq - this.#settledN
    this.#nextN = outbox.firstN
    this.#wrote = true
    this.#phase = 'open' // not before, as answers let the next events go
    wheel.set(this.#keepalive, identity.keepaliveS * 500)
    this.#owner.onUp()
    this.pump()
  }

  /** The answer to a single event; the ack that passes it settles it. */
  #refuse(n: number, reason: string): void {
    if (n > this.#settledN && n < this.#nextN) this.#refused.set(n, reason)
    else this.#owner.onError(reason)
  }

  #settleThrough(n: number): void {
    if (n >= this.#nextN) return this.#fail('server-acknowledged-unsent')
    for (let each = this.#settledN + 1; each <= n; each++) {
      const reason = this.#refused.get(each)
      if (reason === undefined) this.#owner.onAcknowledged(each)
      else this.#owner.onRefused(each, reason)
      this.#refused.delete(each)
    }
    this.#settledN = Math.max(this.#settledN, n)
    this.pump()
  }

  /** How many more events the server takes now. */
  #room(): number {
    return this.#windowEvents - (this.#nextN - 1 - this.#settledN)
  }

  /** The next events to send: as many as window and frame allow, one at least. */
  #takeBatch(): Packed[] {
    const most = Math.min(BATCH_EVENTS_MAX, this.#room(), this.#owner.outbox.lastN - this.#nextN + 1)
    const batch: Packed[] = []
    let bytes = 32
    while (batch.length < most) {
      const event = this.#owner.outbox.get(this.#nextN)
      if (event === undefined) throw new Error(`event ${this.#nextN} is neither acknowledged nor kept`)
      const payload = packedPayload(event)
      bytes += payload.length + Buffer.byteLength(event.topic) + 24
      if (batch.length > 0 && bytes > this.#frameBytesMax * BATCH_FILL) break
      batch.push({ event, payload })
      this.#nextN++
    }
    return batch
  }

  #send({ event: { n, topic, madeAt }, payload }: Packed): void {
    this.#write(encodeEvent({ seq: n + (this.#seqBase ?? 0), topic, payload, deviceAt: madeAt }))
  }

  #sendTogether(batch: readonly Packed[]): void {
    const firstSeq = (batch[0]?.event.n ?? 0) + (this.#seqBase ?? 0)
    const events = batch.map(({ event: { topic, madeAt }, payload }) => ({
      topic,
      payload,
      deviceAt: madeAt
    }))
    this.#write(encodeEvents({ firstSeq, events }))
  }

  #write(frame: Buffer): void {
    this.#wrote = true
    this.#socket?.write(frame)
  }

  /** Twice in the time that the device promised: a ping if it was silent, and an end if the server is. */
  #keepAlive(): void {
    const { wheel, identity, now } = this.#options
    if (now() - this.#heardMs > identity.keepaliveS * 1500) return this.#fail('server-silent')
    if (!this.#wrote) this.#write(encodePing())
    this.#wrote = false
    wheel.set(this.#keepalive, identity.keepaliveS * 500)
  }

  #fail(reason: string): void {
    this.#owner.onError(reason)
    this.#socket?.destroy()
  }

  #closed(): void {
    this.#options.wheel.cancel(this.#timeout)
    this.#options.wheel.cancel(this.#keepalive)
    this.#phase = 'closed'
    this.#socket = null
    this.#owner.onDown()
  }
}
