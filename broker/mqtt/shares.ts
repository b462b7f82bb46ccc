// All shared subscriptions of this process and who is in them. Members whose sessions are stored away are here too: a
// share lives as long as it has any, and knows what each of them has in flight.
import type { Change, SubscriptionRow, Tables } from '../../store/store.ts'
import type { Session } from './session.ts'
import { Share, type ShareContext } from './share.ts'
import { ShareMember } from './share-member.ts'
import { innerFilter } from './shared-filter.ts'

type Memberships = ReadonlyMap<string, ShareMember>

const none: Memberships = new Map()

/** Knows every share by its whole topic filter. */
export class Shares {
  readonly #context: ShareContext
  readonly #shares = new Map<string, Share>()
  /** Members by the key of their session, then by share. */
  readonly #bySession = new Map<string, Map<string, ShareMember>>()

  constructor(context: ShareContext) {
    this.#context = context
  }

  /** Those that the store has. Nobody is connected yet. */
  static async load(context: ShareContext, tables: Tables): Promise<Shares> {
    const shares = new Shares(context)
    const rows = new Map((await tables.shares()).map(row => [row.key, row]))
    for (const { session, row } of await tables.sharedSubscriptions()) {
      shares.#add(session, row, rows.get(row.filter)?.cursor)
    }
    for (const { session, share, packetId, seq, qos } of await tables.sharedInflight()) {
      const member = shares.#bySession.get(session)?.get(share)
      member?.held.set(seq, { packetId, seq, qos, stored: true, sent: true })
    }
    const changes: Change[] = []
    for (const [key, row] of rows) {
      const share = shares.#shares.get(key)
      if (share === undefined) changes.push({ delete: 'share', key })
      else share.load(row)
    }
    for (const share of shares.#shares.values()) if (!share.ledger.stored) changes.push(...share.changes())
    if (changes.length > 0) context.log.write(changes, null)
    return shares
  }

  /** Number of shares. */
  get count(): number {
    return this.#shares.size
  }

  /** A session was brought into memory: its memberships are told so. */
  loaded(session: Session): Memberships {
    const members = this.#bySession.get(session.key) ?? none
    session.memberships = members
    for (const member of members.values()) member.session = session
    return members
  }

  /** A session is stored away. */
  unloaded(session: Session): void {
    for (const member of session.memberships.values()) if (member.session === session) member.session = null
  }

  /** Makes the session a member, or replaces its subscription. It gets messages after `join`. Returns what to store. */
  subscribe(session: Session, row: SubscriptionRow): { member: ShareMember; changes: Change[] } {
    const member = session.memberships.get(row.filter)
    if (member !== undefined) {
      member.replace(row)
      return { member, changes: [] }
    }
    const added = this.#add(session.key, row)
    this.loaded(session)
    return { member: added, changes: session.durable ? added.share.changes() : [] }
  }

  /** Ends a membership; what is in flight is the session's own from now on. Returns what to store. */
  unsubscribe(session: Session, member: ShareMember): Change[] {
    const { share } = member
    const changes = session.keepShared(member)
    share.unsubscribed(member)
    this.#forget(member)
    changes.push(...this.#changesOf(share))
    return changes
  }

  /** A session has ended. Returns what to write, before the session's own rows are removed, if the store had it. */
  sessionEnded(key: string, { stored }: { stored: boolean }): Change[] {
    const changes: Change[] = []
    for (const member of this.#bySession.get(key)?.values() ?? []) {
      const { share } = member
      share.ended(member)
      this.#forget(member)
      if (stored || share.members.size === 0) changes.push(...this.#changesOf(share))
    }
    return changes
  }

  /** A session is about to be stored away: its packet ids must not be lost sight of. Returns what to write. */
  sessionParked(session: Session): Change[] {
    const shares = [...session.memberships.values()].map(({ share }) => share)
    return shares.flatMap(share => (share.ledger.hasFinished(session.key) ? share.changes() : []))
  }

  /** What to write so that all could be loaded as they are now. `idleToo`: also where nothing but the place has changed. */
  changes({ idleToo }: { idleToo: boolean }): Change[] {
    const changes: Change[] = []
    for (const share of this.#shares.values()) {
      const { stored, dirty, savedCursor } = share.ledger
      if (stored && (dirty || (idleToo && savedCursor < share.cursor))) changes.push(...share.changes())
    }
    return changes
  }

  #add(session: string, row: SubscriptionRow, cursor = this.#context.dispatcher.position): ShareMember {
    const key = row.filter
    let share = this.#shares.get(key)
    if (share === undefined) {
      const filter = innerFilter(key) ?? key // it was checked when it was subscribed to
      share = new Share({ key, filter, cursor }, this.#context)
      this.#shares.set(key, share)
    }
    const member = new ShareMember(share, session, row)
    share.members.set(session, member)
    let members = this.#bySession.get(session)
    if (members === undefined) this.#bySession.set(session, (members = new Map()))
    members.set(key, member)
    return member
  }

  #forget({ share, sessionKey }: ShareMember): void {
    const members = this.#bySession.get(sessionKey)
    members?.delete(share.key)
    if (members?.size === 0) this.#bySession.delete(sessionKey)
    if (share.members.size === 0) this.#shares.delete(share.key)
  }

  #changesOf(share: Share): Change[] {
    if (!share.ledger.stored) return []
    return share.members.size > 0 ? share.changes() : share.ledger.close()
  }
}
