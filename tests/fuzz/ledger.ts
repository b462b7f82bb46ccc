// What must be in the log, and how often, by what clients have sent and been told. Every payload is sent for one message
// only, so that it can be found again. And what a server must remember of a client's session.
import { Violation } from './violation.ts'

interface Entry {
  atLeast: number
  atMost: number
  /** In words. */
  why: string
}

/** Counts of payloads that the log may have. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()

  /** A payload that may be in the log `atMost` times. */
  note(payload: string, entry: Entry): void {
    this.#entries.set(payload, entry)
  }

  has(payload: string): boolean {
    return this.#entries.has(payload)
  }

  /** It was sent once more where that may make it another event. */
  oneMore(payload: string): void {
    const entry = this.#entries.get(payload)
    if (entry !== undefined) entry.atMost++
  }

  /** From now on it must be there. */
  confirm(payload: string, why: string): void {
    const entry = this.#entries.get(payload)
    if (entry === undefined || entry.atLeast > 0) return
    entry.atLeast = 1
    entry.why = why
  }

  /** From now on it must not be there. */
  forbid(payload: string, why: string): void {
    this.#entries.set(payload, { atLeast: 0, atMost: 0, why })
  }

  /** Compares with the payloads of the log; throws when one is missing, too often there, or unknown. */
  check(payloads: readonly string[]): void {
    const counts = new Map<string, number>()
    for (const payload of payloads) counts.set(payload, (counts.get(payload) ?? 0) + 1)
    for (const payload of counts.keys()) {
      if (!this.#entries.has(payload)) throw new Violation(`the log has ${payload}, which nobody sent`)
    }
    for (const [payload, { atLeast, atMost, why }] of this.#entries) {
      const count = counts.get(payload) ?? 0
      if (count < atLeast)
        throw new Violation(`${payload} (${why}) is ${count} times in the log, not ${atLeast}`)
      if (count > atMost)
        throw new Violation(`${payload} (${why}) is ${count} times in the log, not ${atMost}`)
    }
  }
}

/** A QoS 2 message from its PUBLISH to its PUBREL. */
export interface OpenMessage {
  /** Null: it can't be said which one the server has. */
  payload: string | null
  /** `maybe`: the connection was lost before the server answered. */
  state: 'sent' | 'confirmed' | 'maybe'
}

/** A session as the server should have it. */
export class SessionModel {
  /** Whether the server has it while no connection holds it. */
  exists: 'yes' | 'no' | 'unknown' = 'no'
  readonly #open = new Map<number, OpenMessage>()
  /** Packet ids whose PUBREL is not answered, and how many of them. */
  readonly #releasing = new Map<number, number>()
  #blurred = false

  /** What a connection that begins must be told of it, or null when either may be. */
  presence(clean: boolean): boolean | null {
    if (clean || this.exists === 'no') return false
    return this.exists === 'yes' ? true : null
  }

  /** The message that is open with this packet id, if any. */
  open(packetId: number): OpenMessage | null {
    if (this.#blurred) return { payload: null, state: 'maybe' }
    return this.#open.get(packetId) ?? null
  }

  begin(packetId: number, message: OpenMessage): void {
    this.#open.set(packetId, message)
  }

  release(packetId: number): void {
    this.#open.delete(packetId)
    this.#releasing.set(packetId, (this.#releasing.get(packetId) ?? 0) + 1)
  }

  released(packetId: number): void {
    const left = (this.#releasing.get(packetId) ?? 1) - 1
    if (left > 0) this.#releasing.set(packetId, left)
    else this.#releasing.delete(packetId)
  }

  /** It begins anew. */
  clear(): void {
    this.#open.clear()
    this.#releasing.clear()
  }

  /** A connection has ended: what the client had not been told is uncertain. */
  interrupted(exists: 'yes' | 'no' | 'unknown'): void {
    this.exists = this.#blurred ? 'unknown' : exists
    for (const message of this.#open.values()) if (message.state === 'sent') message.state = 'maybe'
    for (const packetId of this.#releasing.keys()) this.#open.set(packetId, { payload: null, state: 'maybe' })
    this.#releasing.clear()
  }

  /** Connections compete for it, or sent what may mean anything: nothing is certain from here on. */
  blur(): void {
    this.exists = 'unknown'
    this.#blurred = true
  }
}
