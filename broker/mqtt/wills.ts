// Will messages: stored with the connection's acceptance, published when it ends without a goodbye, after their delay
// unless the session goes on [MQTT-3.1.2-8, MQTT-3.1.3-9]. They survive restarts.
import type { MqttDetails } from '../../store/notification.ts'
import type { Log, Tables, WillRow } from '../../store/store.ts'
import type { ConnectWill } from './client-packets.ts'
import { passedOn } from './publish-properties.ts'
import { sizeOf, type Retainable } from './retained-messages.ts'

export interface WillsOptions {
  log: Log
  now: () => number
  /** Of all wills together, for `hasRoomFor`. */
  bytesMax: number
  /** Whether there is room for one more retained message. */
  mayRetain: (message: Retainable) => boolean
}

/** The wills of connected clients and those that wait for their delay. */
export class Wills {
  readonly #log: Log
  readonly #now: () => number
  readonly #bytesMax: number
  readonly #mayRetain: (message: Retainable) => boolean
  #bytes = 0
  /** Of live connections, by session key. */
  readonly #held = new Map<string, WillRow>()
  /** Of ended connections. */
  readonly #waiting = new Map<string, WillRow>()
  #timer: NodeJS.Timeout | null = null

  constructor({ log, now, bytesMax, mayRetain }: WillsOptions) {
    this.#log = log
    this.#now = now
    this.#bytesMax = bytesMax
    this.#mayRetain = mayRetain
  }

  get count(): number {
    return this.#held.size + this.#waiting.size
  }

  /** Bytes of their topics, payloads and properties. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether this session may have this will, in place of those it has. */
  hasRoomFor(session: string, will: ConnectWill): boolean {
    const earlier = bytesOf(this.#held.get(session)) + bytesOf(this.#waiting.get(session))
    return this.#bytes - earlier + sizeOf({ ...will, mqtt: detailsOf(session, will) }) <= this.#bytesMax
  }

  /** Takes up the wills that an earlier run left: their connections ended with it. */
  async load(tables: Tables): Promise<void> {
    for (const row of await tables.wills()) {
      this.#put(this.#waiting, { ...row, dueAt: row.dueAt ?? this.#now() + row.delayS * 1000 })
    }
  }

  start(): void {
    this.#publishDue()
    this.#timer = setInterval(() => this.#publishDue(), 1000)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** Holds the will of a connection that is being accepted. Calls back when it is durable, or can't be. */
  hold(
    { session, device, will }: { session: string; device: string; will: ConnectWill },
    done: (error: Error | null) => void
  ): void {
    const row: WillRow = {
      session,
      device,
      topic: will.topic,
      payload: Buffer.from(will.payload), // copies: what was decoded are views of all that came with it
      mqtt: detailsOf(session, will),
      delayS: will.properties?.willDelayInterval ?? 0,
      expiryS: will.properties?.messageExpiryInterval ?? null,
      dueAt: null
    }
    this.#put(this.#held, row)
    this.#log.write([{ put: 'will', row }], done)
  }

  /** The client said goodbye: its will is not published. */
  discard(session: string): void {
    const held = this.#take(this.#held, session)
    const waited = this.#take(this.#waiting, session)
    if (held !== undefined || waited !== undefined) this.#log.write([{ delete: 'will', session }], null)
  }

  /** The connection ended without a goodbye; `delayS` is cut to the session's expiry already. */
  release(session: string, delayS: number): void {
    const row = this.#take(this.#held, session)
    if (row === undefined) return
    if (delayS === 0) return this.#publish(row)
    const waiting = { ...row, dueAt: this.#now() + delayS * 1000 }
    this.#put(this.#waiting, waiting)
    this.#log.write([{ put: 'will', row: waiting }], null)
  }

  /** The session has ended: a will that waits for its delay is due. */
  sessionEnded(session: string): void {
    const row = this.#take(this.#waiting, session)
    if (row !== undefined) this.#publish(row)
  }

  /** A new connection goes on with the session: a will that waits is not published. */
  sessionResumed(session: string): void {
    if (this.#take(this.#waiting, session) !== undefined) this.#log.write([{ delete: 'will', session }], null)
  }

  #publishDue(): void {
    const now = this.#now()
    for (const [session, row] of this.#waiting) {
      if (row.dueAt !== null && row.dueAt > now) continue
      this.#take(this.#waiting, session)
      this.#publish(row)
    }
  }

  #put(rows: Map<string, WillRow>, row: WillRow): void {
    this.#bytes += sizeOf(row) - bytesOf(rows.get(row.session))
    rows.set(row.session, row)
  }

  #take(rows: Map<string, WillRow>, session: string): WillRow | undefined {
    const row = rows.get(session)
    this.#bytes -= bytesOf(row)
    rows.delete(session)
    return row
  }

  #publish(row: WillRow): void {
    const { session, device, topic, payload, expiryS } = row
    // Nobody is left to be told that there is no room: it is published, but not kept.
    const mqtt = row.mqtt.retain && !this.#mayRetain(row) ? { ...row.mqtt, retain: false } : row.mqtt
    const details = expiryS === null ? mqtt : { ...mqtt, expiresAt: this.#now() + expiryS * 1000 }
    this.#log.append(
      {
        kind: 'event',
        device,
        severity: 'info',
        topic,
        payload,
        format: 'plain',
        source: 'mqtt',
        mqtt: details
      },
      null,
      { changes: this.#held.has(session) ? [] : [{ delete: 'will', session }] } // a newer connection's row is its own
    )
  }
}

function bytesOf(row: WillRow | undefined): number {
  return row === undefined ? 0 : sizeOf(row)
}

function detailsOf(session: string, { qos, retain, properties }: ConnectWill): MqttDetails {
  const details: MqttDetails = { qos, retain, session }
  const kept = passedOn(properties)
  if (kept === undefined) return details
  if (kept.correlationData !== undefined) kept.correlationData = Buffer.from(kept.correlationData)
  return { ...details, properties: kept }
}
