// One device's connection, as a state machine:
//
//   awaiting-hello ── hello ──▶ joining ── what its stream had pending is durable ──▶ open ── bye, end ──▶ draining
//         │                        │                                                   │                     │
//         └────────────────────────┴──────── error, takeover, connection lost ─────────┴─────── all acknowledged
//                                                          ▼
//                                                       closed
//
// Frames are taken in `awaiting-hello` and `open` only. What was taken commits in every state, also after `closed`.
import type { Socket } from 'node:net'
import type { StoreError } from '../../store/errors.ts'
import type { Identity } from '../identity.ts'
import type { Admission } from '../limits.ts'
import type { PresenceSession } from '../presence.ts'
import type { EventStream, StreamListener } from './event-stream.ts'
import {
  decodeDeviceFrameAt,
  encodeAck,
  encodeError,
  encodePong,
  encodeServerBye,
  encodeWelcome,
  FrameReader
} from './frame-codec.ts'
import { PROTOCOL_VERSION, type ByeCode, type DeviceMessage, type ErrorCode } from './messages.ts'
import type { EventBody, EventMessage, EventsMessage, FrameProblem, Hello } from './messages.ts'
import type { PauseReason } from './metrics.ts'
import { RateBucket } from './rate-bucket.ts'
import { Replies } from './replies.ts'
import type { SessionContext } from './session-context.ts'

type State = 'awaiting-hello' | 'joining' | 'open' | 'draining' | 'closed'

/** How long a closed connection may take to read the last words and close its side. */
const LINGER_MS = 2000

/** A connection from its first byte to its end. Socket events and the server's timers come in through `on…` and `check…`. */
export class TcpSession implements StreamListener {
  #context: SessionContext
  #socket: Socket
  #admission: Admission
  #reader: FrameReader
  #replies: Replies
  #bucket: RateBucket | null
  #state: State = 'awaiting-hello'
  /** Why the socket is not read from now; null when it is. */
  #paused: PauseReason | null = null
  /** Held bytes as told to the limits. */
  #openBytes = 0

  #identity: Identity | null = null
  #presence: PresenceSession | null = null
  #stream: EventStream | null = null
  /** Topic of the last event; most devices have one or a few. */
  #topic = ''
  #keepaliveS: number | null = null

  #flushDue = false
  /** Sequence of the last acknowledgement that was written. */
  #acked = 0
  #bye: { code: ByeCode; reason: string } | null = null

  /** When the device was last heard of or waited for us, or when it was closed; monotonic, ms. */
  #since: number
  #heard = false

  constructor(context: SessionContext, socket: Socket, admission: Admission) {
    const { frameBytesMax, eventsPerSecondMax } = context.settings
    this.#context = context
    this.#socket = socket
    this.#admission = admission
    this.#since = performance.now()
    this.#reader = new FrameReader(frameBytesMax)
    this.#replies = new Replies(socket)
    this.#bucket = eventsPerSecondMax > 0 ? new RateBucket(eventsPerSecondMax, this.#since) : null
  }

  // ── What the socket tells ──

  /** Bytes arrived. In the last two states they are discarded, so that the last words get through. */
  onData(chunk: Buffer): void {
    this.#context.counters.receivedBytes += chunk.length
    if (this.#state === 'draining' || this.#state === 'closed') return
    this.#reader.push(chunk)
    this.#takeFrames()
  }

  /** The device closed its side; what it sent is acknowledged still. */
  onEnd(): void {
    if (this.#state === 'open') this.#leave('connection-closed', { expected: false })
    else if (this.#state === 'awaiting-hello' || this.#state === 'joining') this.#close('connection-closed')
  }

  /** The device has taken all replies. */
  onDrain(): void {
    this.#resume('replies-unread')
  }

  /** The connection is gone. */
  onClosed(): void {
    if (this.#state !== 'closed') this.#close('connection-lost')
    this.#context.sessions.delete(this)
    this.#context.turns.forget(this)
    this.#admission.release()
  }

  // ── What the stream tells ──

  onCommitted(): void {
    if (this.#state !== 'joining') this.#flushSoon()
    else if (this.#stream?.settled === true) this.#open()
  }

  onFailed(error: StoreError): void {
    this.#fail('store-unavailable', error.message)
  }

  // ── What the server tells ──

  /** Looks at the clock; called for every session by one timer. */
  checkTime(now: number): void {
    if (this.#state === 'closed') {
      if (now - this.#since > LINGER_MS) this.#socket.destroy()
    } else if (this.#heard || this.#waitsForUs()) {
      this.#heard = false
      this.#since = now
    } else if (now - this.#since > this.#silenceMaxMs()) this.#failSilent()
  }

  /** Whether the device still has to wait because of its rate. */
  onRateTick(now: number): boolean {
    if (this.#bucket?.refill(now) !== false) this.#resume('rate')
    return this.#paused === 'rate'
  }

  /** The log has room again. */
  onRoom(): void {
    this.#resume('log-full')
  }

  /** Takes nothing more; says bye when everything that was taken is acknowledged. */
  drain(code: ByeCode, reason: string): void {
    if (this.#state !== 'open' && this.#state !== 'draining') return this.end(code, reason)
    this.#bye = { code, reason }
    this.#leave(code, { expected: false })
  }

  /** Says bye and closes now, whatever is not acknowledged yet. */
  end(code: ByeCode, reason: string): void {
    if (this.#state === 'closed') return
    this.#bye = { code, reason }
    this.#close(code)
  }

  /** Cuts the connection, saying nothing. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Writes the replies of this turn and one acknowledgement. */
  flush(): void {
    this.#flushDue = false
    if (this.#state === 'closed') return
    if (this.#state === 'draining' && this.#stream?.settled !== false) return this.#close('drained')
    this.#acknowledge()
    this.#replies.write()
    if (this.#replies.unsentBytes > this.#context.settings.unsentBytesMax) this.#pause('replies-unread')
    else this.#resume('replies-unread')
  }

  // ── Taking frames ──

  #takeFrames(): void {
    while (this.#mayTake()) {
      const frame = this.#reader.nextExtent()
      if (frame === null) break
      this.#heard = true
      if ('code' in frame) this.#handle(frame)
      else this.#handle(decodeDeviceFrameAt(frame, this.#context.settings, this.#topic))
    }
    this.#countOpenBytes()
  }

  /** Whether another frame may be taken now; pauses the connection when it has to wait. */
  #mayTake(): boolean {
    if (this.#paused !== null || (this.#state !== 'open' && this.#state !== 'awaiting-hello')) return false
    if (this.#replies.bytes > this.#context.settings.unsentBytesMax) this.#pause('replies-unread')
    else if (this.#bucket?.empty === true && !this.#bucket.refill(performance.now())) this.#pause('rate')
    else if (this.#context.ingest.full()) this.#pause('log-full')
    return this.#paused === null
  }

  #handle(message: DeviceMessage | FrameProblem): void {
    if (message.type === 'problem') return this.#fail(message.code, message.message)
    if ((message.type === 'hello') !== (this.#state === 'awaiting-hello')) {
      return this.#fail(
        'unexpected-message',
        this.#state === 'open' ? 'hello comes once' : 'hello comes first'
      )
    }
    switch (message.type) {
      case 'event':
        return this.#takeEvent(message)
      case 'events':
        return this.#takeEvents(message)
      case 'ping':
        return this.#reply(encodePong())
      case 'hello':
        return this.#join(message)
      case 'bye':
        return this.#leave(message.reason === '' ? 'bye' : message.reason, { expected: true })
      case 'result':
        // The server sends no commands yet, so no result can be one that it waits for.
        this.#context.counters.resultsIgnored++
    }
  }

  #takeEvent(event: EventMessage): void {
    const stream = this.#streamAt(event.seq, 1)
    if (stream !== null) this.#append(stream, event.seq, event)
  }

  #takeEvents({ firstSeq, events }: EventsMessage): void {
    const stream = this.#streamAt(firstSeq, events.length)
    if (stream === null) return
    let seq = firstSeq
    for (const event of events) this.#append(stream, seq++, event)
  }

  /** The stream when it can go on with `count` events from that sequence number on; otherwise the connection fails. */
  #streamAt(firstSeq: number, count: number): EventStream | null {
    const stream = this.#stream
    if (stream === null) return null
    const problem = stream.check(firstSeq, count, this.#context.settings.windowEvents)
    if (problem === null) return stream
    this.#fail(problem.code, problem.message, problem.seq)
    return null
  }

  #append(stream: EventStream, seq: number, { topic, payload, deviceAt }: EventBody): void {
    if (this.#identity === null) return
    this.#bucket?.take()
    if (seq <= stream.taken) return this.#repeat(stream)
    stream.taken = seq
    this.#topic = topic
    const refusal = this.#context.ingest.event(
      this.#identity,
      deviceAt === undefined
        ? { topic, payload, format: 'msgpack', source: 'tcp' }
        : { topic, payload, format: 'msgpack', source: 'tcp', deviceAt },
      stream.onDurable,
      stream.name === null ? undefined : { stream: { name: stream.name, seq } }
    )
    if (refusal === null) return
    // The stream goes on: a device would otherwise send the event again, and lose its connection, for ever.
    stream.refuse()
    this.#context.counters.errors[refusal.code]++
    this.#reply(encodeError({ ...refusal, seq }))
  }

  #repeat(stream: EventStream): void {
    this.#context.counters.repeats++
    this.#acked = Math.min(this.#acked, Math.max(0, stream.committed - 1)) // says it again once it is durable
    this.#flushSoon()
  }

  // ── Joining and leaving ──

  #join({ version, device, token, keepaliveS, stream }: Hello): void {
    if (version !== PROTOCOL_VERSION) {
      return this.#fail('version-unsupported', `this server speaks version ${PROTOCOL_VERSION}`)
    }
    const { authenticator, limits, live, presence, streams, counters } = this.#context
    const outcome = authenticator.authenticate({ user: device, clientId: device, token })
    if (!outcome.ok) return this.#fail(outcome.code, outcome.message)
    const tooOften = limits.admitDevice(device)
    if (tooOften !== null) return this.#fail(tooOften.code, tooOften.message)
    if (!streams.mayOpen(device, stream)) {
      return this.#fail('too-many-streams', 'this device has as many streams as it may; use one that it has')
    }
    this.#identity = outcome.identity
    this.#keepaliveS = keepaliveS
    const earlier = live.get(device)
    live.set(device, this)
    // Before the earlier one ends, so that the device is never gone in between.
    this.#presence = presence.online(device, earlier?.present === true ? 'takeover' : 'connected')
    if (earlier !== undefined) {
      counters.takeovers++
      earlier.end('taken-over', 'another connection of this device took over')
    }
    this.#stream = streams.open(device, stream)
    this.#stream.listener = this
    this.#state = 'joining'
    // Only when nothing of the stream is pending is it certain where the device has to go on.
    if (this.#stream.settled) this.#open()
    else this.#socket.pause()
  }

  /** Whether the device is said to be online because of this connection. */
  get present(): boolean {
    return this.#presence !== null
  }

  #open(): void {
    if (this.#stream === null || this.#presence === null) return
    const { windowEvents, frameBytesMax } = this.#context.settings
    const lastSeq = this.#stream.committed
    this.#state = 'open'
    this.#acked = lastSeq
    this.#reply(encodeWelcome({ session: this.#presence.id, lastSeq, windowEvents, frameBytesMax }))
    if (!this.#socket.isPaused()) return // in the middle of taking frames
    this.#takeFrames()
    if (this.#paused === null) this.#socket.resume()
  }

  /** Takes nothing more; `flush` closes when everything is acknowledged. */
  #leave(reason: string, { expected }: { expected: boolean }): void {
    this.#state = 'draining'
    this.#depart(reason, expected)
    this.#letGoOfBytes()
    this.#flushSoon()
  }

  #depart(reason: string, expected: boolean): void {
    if (this.#presence !== null) this.#context.presence.offline(this.#presence, reason, { expected })
    this.#presence = null
  }

  // ── Ending ──

  #failSilent(): void {
    if (this.#state === 'awaiting-hello') this.#fail('hello-timeout', 'no hello came in time')
    else if (this.#paused !== null) this.#fail('replies-unread', 'the device reads no replies')
    else if (this.#keepaliveS !== null) this.#fail('keepalive-timeout', 'silent for 1.5 times the keepalive')
    else this.#fail('idle-timeout', 'silent for too long')
  }

  #fail(code: ErrorCode, message: string, seq?: number): void {
    if (this.#state === 'closed') return
    this.#context.counters.errors[code]++
    this.#replies.push(encodeError({ code, message, seq }))
    this.#close(code)
  }

  /** Writes what there is to say and closes our side; the socket lingers until the device closes its own. */
  #close(reason: string): void {
    this.#state = 'closed'
    this.#since = performance.now()
    this.#depart(reason, false)
    this.#acknowledge()
    if (this.#bye !== null) {
      this.#context.counters.byes[this.#bye.code]++
      this.#replies.push(encodeServerBye(this.#bye))
    }
    this.#letGoOfBytes()
    this.#letGoOfStream()
    if (this.#socket.destroyed) return
    this.#replies.end()
    this.#socket.resume()
  }

  #letGoOfStream(): void {
    const { live, streams } = this.#context
    if (this.#identity === null) return
    const { device } = this.#identity
    if (live.get(device) === this) live.delete(device)
    if (this.#stream?.listener === this) streams.close(device, this.#stream)
  }

  // ── Replies, pauses, counts ──

  #reply(frame: Buffer): void {
    this.#replies.push(frame)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#flushDue) return
    this.#flushDue = true
    this.#context.turns.flushSoon(this)
  }

  #acknowledge(): void {
    if (this.#stream === null || this.#stream.committed <= this.#acked || this.#stream.listener !== this)
      return
    this.#acked = this.#stream.committed
    this.#replies.push(encodeAck(this.#acked))
  }

  #pause(reason: PauseReason): void {
    if (this.#paused !== null) return
    this.#paused = reason
    this.#context.counters.pauses[reason]++
    this.#socket.pause()
    if (reason === 'rate') this.#context.turns.throttle(this)
    if (reason === 'log-full') this.#context.turns.awaitRoom(this)
  }

  /** Goes on with what was received, then with the socket. Another reason may come up at once. */
  #resume(reason: PauseReason): void {
    if (this.#paused !== reason) return
    this.#paused = null
    this.#takeFrames()
    if (this.#paused === null) this.#socket.resume()
  }

  /** Whether the device is silent because we don't read it, which is no fault of its own. */
  #waitsForUs(): boolean {
    if (this.#state === 'joining' || this.#state === 'draining') return true
    return this.#paused !== null && this.#paused !== 'replies-unread'
  }

  #silenceMaxMs(): number {
    if (this.#state === 'awaiting-hello') return this.#context.settings.helloTimeoutMs
    if (this.#keepaliveS !== null) return this.#keepaliveS * 1500
    return this.#context.settings.idleTimeoutMs
  }

  /** Tells the limits how much is held; a connection that adds to too much is closed. */
  #countOpenBytes(): void {
    const held = this.#reader.heldBytes
    const delta = held - this.#openBytes
    if (delta === 0) return
    this.#openBytes = held
    this.#context.limits.openBytes(delta)
    if (delta > 0 && this.#context.limits.overOpenBytes()) {
      this.#fail('server-busy', 'the server holds as many unfinished frames as it may')
    }
  }

  #letGoOfBytes(): void {
    this.#reader.clear()
    this.#countOpenBytes()
  }
}
