// Will messages: stored with the connection's acceptance, published when it ends without a goodbye, after their delay
// unless the session goes on [MQTT-3.1.2-8, MQTT-3.1.3-9]. They survive restarts.
import type { MqttDetails } from '../../store/notification.ts'
import type { Log, Tables, WillRow } from '../../store/store.ts'
import type { ConnectWill } from './client-packets.ts'
import { passedOn } from './publish-properties.ts'

/** The wills of connected clients and those that wait for their delay. */
export class Wills {
  readonly #log: Log
  readonly #now: () => number
  /** Of live connections, by session key. */
  readonly #held = new Map<string, WillRow>()
  /** Of ended connections. */
  readonly #waiting = new Map<string, WillRow>()
  #timer: NodeJS.Timeout | null = null

  constructor({ log, now }: { log: Log; now: () => number }) {
    this.#log = log
    this.#now = now
  }

  /** Takes up the wills that an earlier run left: their connections ended with it. */
  async load(tables: Tables): Promise<void> {
    for (const row of await tables.wills()) {
      this.#waiting.set(row.session, { ...row, dueAt: row.dueAt ?? this.#now() + row.delayS * 1000 })
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
    this.#held.set(session, row)
    this.#log.write([{ put: 'will', row }], done)
  }

  /** The client said goodbye: its will is not published. */
  discard(session: string): void {
    const held = this.#held.delete(session)
    const waited = this.#waiting.delete(session)
    if (held || waited) this.#log.write([{ delete: 'will', session }], null)
  }

  /** The connection ended without a goodbye; `delayS` is cut to the session's expiry already. */
  release(session: string, delayS: number): void {
    const row = this.#held.get(session)
    if (row === undefined) return
    this.#held.delete(session)
    if (delayS === 0) return this.#publish(row)
    const waiting = { ...row, dueAt: this.#now() + delayS * 1000 }
    this.#waiting.set(session, waiting)
    this.#log.write([{ put: 'will', row: waiting }], null)
  }

  /** The session has ended: a will that waits for its delay is due. */
  sessionEnded(session: string): void {
    const row = this.#waiting.get(session)
    if (row === undefined) return
    this.#waiting.delete(session)
    this.#publish(row)
  }

  /** A new connection goes on with the session: a will that waits is not published. */
  sessionResumed(session: string): void {
    if (this.#waiting.delete(session)) this.#log.write([{ delete: 'will', session }], null)
  }

  #publishDue(): void {
    const now = this.#now()
    for (const [session, row] of this.#waiting) {
      if (row.dueAt !== null && row.dueAt > now) continue
      this.#waiting.delete(session)
      this.#publish(row)
    }
  }

  #publish({ session, device, topic, payload, mqtt, expiryS }: WillRow): void {
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

function detailsOf(session: string, { qos, retain, properties }: ConnectWill): MqttDetails {
  const details: MqttDetails = { qos, retain, session }
  const kept = passedOn(properties)
  if (kept === undefined) return details
  if (kept.correlationData !== undefined) kept.correlationData = Buffer.from(kept.correlationData)
  return { ...details, properties: kept }
}
