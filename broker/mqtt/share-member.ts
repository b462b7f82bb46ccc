// One session's part in a share: its subscription, and which of the share's messages are in flight to it. That is
// known also while the session itself is stored away.
import type { SubscriptionRow } from '../../store/store.ts'
import type { Inflight, ShareOfMessage } from './inflight-window.ts'
import type { Message, View } from './message.ts'
import type { Session } from './session.ts'
import type { Share } from './share.ts'

/** What became of a message that was offered to a member. */
export type Taking = 'taken' | 'no-room' | 'too-large'

/** What a share must know of a message in flight. */
export type Held = Pick<Inflight, 'packetId' | 'seq' | 'qos' | 'stored' | 'sent'>

/** A member of a share, connected or not. */
export class ShareMember implements ShareOfMessage {
  readonly share: Share
  readonly sessionKey: string
  /** The session while it is in memory. */
  session: Session | null = null
  connected = false
  /** Messages in flight to it, by their sequence. */
  readonly held = new Map<number, Held>()
  #view: View

  constructor(share: Share, sessionKey: string, row: SubscriptionRow) {
    this.share = share
    this.sessionKey = sessionKey
    this.#view = viewFor(row)
  }

  get key(): string {
    return this.share.key
  }

  get stored(): boolean {
    return this.share.ledger.stored
  }

  /** How it sees the share's messages. */
  get view(): View {
    return this.#view
  }

  /** A SUBSCRIBE has replaced its subscription. */
  replace(row: SubscriptionRow): void {
    this.#view = viewFor(row)
  }

  /** Its session has been connected, or has subscribed. */
  join(session: Session): void {
    if (this.session !== session) return
    this.share.connected(this)
  }

  /** The connection of its session is gone. */
  part(session: Session): void {
    if (this.session !== session) return
    this.share.disconnected(this)
  }

  offer(message: Message): Taking {
    return this.session === null ? 'no-room' : this.session.takeShared(message, this)
  }

  /** How many more messages above QoS 0 it takes now, if it is worth reading any. */
  get room(): number {
    return this.session?.sharedRoom ?? 0
  }

  /** Takes up an entry of a session that was stored away. False if the message is another's by now. */
  restored(entry: Inflight): boolean {
    if (this.held.get(entry.seq)?.packetId !== entry.packetId) return false
    this.held.set(entry.seq, entry)
    return true
  }

  /** What was in flight to it is another's from now on. Only while it is not connected. */
  giveBack(entry: Held): void {
    this.held.delete(entry.seq)
    this.session?.giveBack(entry)
  }

  began(entry: Inflight): void {
    this.held.set(entry.seq, entry)
    this.share.ledger.dirty = true
  }

  ended(entry: Inflight, forgotten: () => void): void {
    this.held.delete(entry.seq)
    const { ledger } = this.share
    ledger.dirty = true
    const { packetId, stored } = entry
    if (stored) ledger.addFinished({ session: this.sessionKey, packetId, forgotten })
  }

  recorded(done: () => void): void {
    this.share.ledger.recorded(done)
  }
}

function viewFor({ qos, retainAsPublished, identifier }: SubscriptionRow): View {
  return { qos, retainAsPublished, identifiers: identifier === null ? undefined : [identifier] }
}
