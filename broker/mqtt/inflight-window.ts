// QoS 1 and 2 messages sent to a session and not finished: their packet ids, states, and how many more may be sent.
import type { EventNotification } from '../../store/notification.ts'
import type { InflightRow } from '../../store/store.ts'
import { LazyMap } from './lazy-map.ts'

/** One message in flight. */
export interface Inflight {
  readonly packetId: number
  readonly seq: number
  readonly qos: 1 | 2
  state: 'published' | 'released'
  /** Whether PUBREC came and is on its way to the store; PUBREL follows. */
  releasing?: boolean
  readonly retain: boolean
  readonly identifiers: readonly number[]
  /** The message itself where it is a retained one, which the log need not have any more. */
  readonly message: EventNotification | null
  /** The share that it came from; null if the session has it by itself. */
  share: ShareOfMessage | null
  /** Whether the store has it. */
  stored: boolean
  /** Whether it went out before, so that the next time is a repetition. */
  sent: boolean
}

/** A share as it is seen from a message that one of its members got. */
export interface ShareOfMessage {
  readonly key: string
  /** Whether the store knows the share. */
  readonly stored: boolean
  /** The message is in flight to the member now. */
  began(entry: Inflight): void
  /** It is finished. `forgotten` is to be called when its row, if there is one, is removed from the store. */
  ended(entry: Inflight, forgotten: () => void): void
  /** Calls back when the store knows that a member got what was handed out so far. */
  recorded(done: () => void): void
}

/** The window of one session. Packet ids whose removal the store has not seen yet are not given out again. */
export class InflightWindow {
  /** In the order in which they were first sent. */
  readonly entries = new LazyMap<number, Inflight>()
  /** Finished entries whose row is still in the store, and the place in the log that must be saved before it may go. */
  readonly finished = new LazyMap<number, number>()
  /** The same of entries from shares, which see to their rows. */
  readonly #finishedShared = new LazyMap<number, true>()
  #nextPacketId = 1

  /** A packet id that is not in use, or null when all 65,535 are. */
  allocate(): number | null {
    for (let tries = 0; tries < 65_535; tries++) {
      const packetId = this.#nextPacketId
      this.#nextPacketId = packetId === 65_535 ? 1 : packetId + 1
      if (this.entries.has(packetId) || this.finished.has(packetId)) continue
      if (!this.#finishedShared.has(packetId)) return packetId
    }
    return null
  }

  /** Ends an entry. Its row, if there is one, is removed when the session's place, or the share's, is next saved. */
  finish(entry: Inflight): void {
    const { packetId, share, stored, seq } = entry
    this.entries.delete(packetId)
    if (share === null) {
      if (stored) this.finished.set(packetId, seq)
      return
    }
    if (stored) this.#finishedShared.set(packetId, true)
    share.ended(entry, () => this.#finishedShared.delete(packetId))
  }

  /** Highest sequence up to which nothing depends on this process' memory; `place` if nothing does. */
  safePlace(place: number): number {
    for (const { stored, message, share, seq } of this.entries.values()) {
      if (!stored && message === null && share === null) return Math.min(place, seq - 1)
    }
    return place
  }
}

/** The row of an entry; `pack` encodes the message of a retained one. */
export function inflightRow(entry: Inflight, pack: (message: EventNotification) => Uint8Array): InflightRow {
  const { packetId, seq, qos, state, retain, identifiers, message, share } = entry
  return {
    packetId,
    seq,
    qos,
    state,
    retain,
    identifiers,
    message: message === null ? null : pack(message),
    share: share?.key ?? null
  }
}
