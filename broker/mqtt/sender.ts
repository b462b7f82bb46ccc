// Puts one session's messages on the wire, within the window of QoS 1 and 2 messages that its client allows, and keeps
// count of what is in flight.
import { pack } from 'msgpackr'
import { generate } from 'mqtt-packet'
import type { EventNotification } from '../../store/notification.ts'
import type { Change, Log } from '../../store/store.ts'
import { InflightWindow, inflightRow, type Inflight, type ShareOfMessage } from './inflight-window.ts'
import type { Message, View } from './message.ts'
import type { TrafficCounts } from './metrics.ts'
import type { ConnectionOutbox } from './outbox.ts'
import { withPacketId, type EncodedPublish, type WireVersion } from './publish-encoder.ts'
import { reason } from './reason-codes.ts'

/** A window of this many messages, or fewer, is not worth saving reads for. */
const SMALL_WINDOW = 64

/** What a session needs of the connection that holds it. */
export interface SessionConnection {
  readonly version: WireVersion
  readonly outbox: ConnectionOutbox
  /** Most QoS 1 and 2 messages in flight, the client's Receive Maximum kept. */
  readonly inflightMax: number
  /** Largest packet the client takes, bytes. */
  readonly packetBytesMax: number
}

export interface SenderContext {
  log: Log
  now: () => number
  counts: { tooLarge: number; expired: number }
  traffic: Pick<TrafficCounts, 'publishSent' | 'publishBytesSent'>
}

/** The sending side of one session. */
export class Sender {
  readonly window = new InflightWindow()
  /** Whether what must survive a crash is stored before it is sent. */
  durable = false
  /** Whether something changed that the store doesn't know. */
  dirty = false
  connection: SessionConnection | null = null
  readonly #key: string
  readonly #context: SenderContext
  /** In flight on this connection. */
  #sent = 0
  /** Rows on their way to the store. */
  #storing = 0

  constructor(key: string, context: SenderContext) {
    this.#key = key
    this.#context = context
  }

  /** A connection begins (or, with null, has ended); nothing is in flight on it. */
  begin(connection: SessionConnection | null): void {
    this.connection = connection
    this.#sent = 0
  }

  /** How many more QoS 1 and 2 messages the client takes now. */
  get free(): number {
    return this.connection === null ? 0 : this.connection.inflightMax - this.#sent
  }

  /**
   * Whether so much of the window is free that it is worth reading on: half of it, or any of a small one. Many clients
   * send an acknowledgement only when the one before is answered, or after 40 ms (Nagle's algorithm, against TCP's
   * delayed acknowledgements). To wait for half of their window would be to wait for that, window by window.
   */
  get worthReading(): boolean {
    if (this.connection === null) return false
    const { inflightMax } = this.connection
    return inflightMax <= SMALL_WINDOW ? this.free > 0 : this.#sent * 2 <= inflightMax
  }

  /** Whether the client takes no packet of the message's size [MQTT-3.1.2-24]. */
  tooLarge(message: Message, view: View, qos: 0 | 1 | 2): boolean {
    const { connection } = this
    if (connection === null || connection.packetBytesMax === Infinity) return false
    const { bytes } = message.encode(view, qos, connection.version, this.#context.now())
    return bytes.length > connection.packetBytesMax
  }

  /**
   * Sends at QoS `qos`, on behalf of `share` if that is given. False when the window is full. What has expired or is too
   * large counts as sent [MQTT-3.1.2-25]. (Not an options object: this runs for every delivery.)
   */
  send(message: Message, view: View, qos: 0 | 1 | 2, share: ShareOfMessage | null = null): boolean {
    const connection = this.connection
    if (connection === null || (qos > 0 && this.free <= 0)) return false
    const { now: clock, counts } = this.#context
    const now = clock()
    if (message.expired(now)) {
      counts.expired++
      return true
    }
    const encoded = message.encode(view, qos, connection.version, now)
    if (encoded.bytes.length > connection.packetBytesMax) {
      counts.tooLarge++
      return true
    }
    if (qos === 0) {
      this.#count(encoded)
      connection.outbox.pushMessage(encoded.bytes)
      return true
    }
    const packetId = this.window.allocate()
    if (packetId === null) return false
    this.#count(encoded)
    this.#sent++
    this.dirty = true
    const entry: Inflight = {
      packetId,
      seq: message.event.seq,
      qos,
      state: 'published',
      retain: message.retained || (view.retainAsPublished && (message.event.mqtt?.retain ?? false)),
      identifiers: view.identifiers ?? [],
      message: message.retained ? message.event : null,
      share,
      stored: false,
      sent: false
    }
    this.window.entries.set(packetId, entry)
    share?.began(entry)
    this.#dispatch(entry, withPacketId(encoded, packetId, false), connection)
    return true
  }

  /** Resolves when the store has what entries are now: before, no other connection may learn of it. */
  async stored(): Promise<void> {
    if (this.#storing === 0) return
    await new Promise<void>(resolve => this.#context.log.write([], error => error === null && resolve()))
  }

  /** Sends an entry of the window again, whose message is `message`; or PUBREL if that is due. */
  sendAgain(entry: Inflight, message: Message | null): void {
    const connection = this.connection
    if (connection === null) return
    const bytes = entry.state === 'released' ? null : this.#encodeAgain(entry, message, connection)
    if (bytes === null && entry.state === 'published') {
      this.dirty = true
      if (entry.qos === 1 || !entry.sent) return this.window.finish(entry)
      // The client may have it, and would take the next message with its packet id for a repetition.
      this.#sent++
      return this.release(entry, () => this.#pushPubrel(entry, connection))
    }
    this.#sent++
    if (bytes === null) this.#pushPubrel(entry, connection)
    else this.#push(entry, bytes, connection)
  }

  #pushPubrel(entry: Inflight, connection: SessionConnection): void {
    this.#push(entry, encodePubrel(entry.packetId, connection.version), connection)
  }

  // Null when there is nothing to be sent any more.
  #encodeAgain(entry: Inflight, message: Message | null, connection: SessionConnection): Buffer | null {
    const now = this.#context.now()
    // Expiry is for messages whose delivery has not begun [MQTT-3.3.2-5, MQTT-4.3.3-7].
    if (message === null || (!entry.sent && message.expired(now))) return null
    const identifiers = entry.identifiers.length > 0 ? entry.identifiers : undefined
    const view: View = { qos: entry.qos, retainAsPublished: entry.retain, identifiers }
    const encoded = message.encode(view, entry.qos, connection.version, now)
    if (encoded.bytes.length > connection.packetBytesMax) {
      this.#context.counts.tooLarge++ // this connection's limit is lower than the last one's [MQTT-3.1.2-24]
      return null
    }
    this.#count(encoded)
    return withPacketId(encoded, entry.packetId, entry.sent)
  }

  /** Ends an entry; `sent` if that was on this connection. */
  finish(entry: Inflight, { sent }: { sent: boolean }): void {
    this.window.finish(entry)
    this.dirty = true
    if (sent) this.#sent--
  }

  /**
   * PUBREC: from now on only PUBREL is repeated. Calls back when that is safe; not for a repetition that comes before, so
   * that nobody can have a row written over and over.
   */
  release(entry: Inflight, done: () => void): void {
    if (entry.releasing === true) return
    if (!this.durable || entry.state === 'released') {
      entry.state = 'released'
      return done()
    }
    entry.state = 'released'
    entry.releasing = true
    this.#store(entry, () => {
      entry.releasing = false
      done()
    })
  }

  /** Rows for what is in flight and not stored. */
  unstored(): Change[] {
    const changes: Change[] = []
    for (const entry of this.window.entries.values()) {
      if (entry.stored) continue
      entry.stored = true
      changes.push({ put: 'inflight', session: this.#key, row: inflightRow(entry, packMessage) })
    }
    return changes
  }

  #count({ payloadBytes }: EncodedPublish): void {
    const { traffic } = this.#context
    traffic.publishSent++
    traffic.publishBytesSent += payloadBytes
  }

  /** From now on entries of this share are the session's own. Returns their rows. */
  keepShared(share: ShareOfMessage): Change[] {
    const changes: Change[] = []
    for (const entry of this.window.entries.values()) {
      if (entry.share !== share) continue
      entry.share = null
      if (!this.durable) continue
      entry.stored = true
      changes.push({ put: 'inflight', session: this.#key, row: inflightRow(entry, packMessage) })
    }
    return changes
  }

  // Exactly once survives a crash only if the packet id is known to belong to this message before it is used; and a
  // retained message is in no place of the log to which a cursor could go back. For a session that ends with its
  // connection it is enough that its share hands the message to nobody else [MQTT-4.8.2-5].
  #dispatch(entry: Inflight, bytes: Buffer, connection: SessionConnection): void {
    const { qos, message, share } = entry
    const mustStore = this.durable && (qos === 2 || message !== null)
    const mustRecord = qos === 2 && share?.stored === true
    if (!mustStore && !mustRecord) return this.#push(entry, bytes, connection)
    const leave = connection.outbox.holdMessage(bytes) // nothing newer overtakes it
    const go = () => {
      if (this.connection !== connection) return
      entry.sent = true
      leave()
    }
    if (mustStore) this.#store(entry, go)
    else share?.recorded(go)
  }

  #push(entry: Inflight, bytes: Buffer, connection: SessionConnection): void {
    if (this.connection !== connection) return
    entry.sent = true
    connection.outbox.pushMessage(bytes)
  }

  #store(entry: Inflight, done: () => void): void {
    entry.stored = true
    const row = inflightRow(entry, packMessage)
    this.#storing++
    this.#context.log.write([{ put: 'inflight', session: this.#key, row }], error => {
      if (error !== null) return
      this.#storing--
      done()
    })
  }
}

/** PUBREL, with a reason code where it is not success (MQTT 5 only). */
export function encodePubrel(packetId: number, version: WireVersion, code: number = reason.success): Buffer {
  if (version === 5 && code !== reason.success) {
    return generate({ cmd: 'pubrel', messageId: packetId, reasonCode: code } as never, { protocolVersion: 5 })
  }
  return Buffer.of(0x62, 2, packetId >> 8, packetId & 0xff)
}

function packMessage(message: EventNotification): Uint8Array {
  return pack(message)
}
