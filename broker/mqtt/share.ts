// One shared subscription: a share name and a topic filter, its members, and its place in the log. Each message goes to
// one member that is connected and has room, by turns. When none has room the share falls behind, and reads on from its
// place when one has. What a member that is gone had not acknowledged is due to the others.
import { mqttMessage } from '../../store/alert-message.ts'
import type { EventNotification } from '../../store/notification.ts'
import { topicMatches } from '../../store/topic-filter.ts'
import type { Change, Filter, ShareRow } from '../../store/store.ts'
import type { LiveSubscriber } from './dispatcher.ts'
import { logFilter } from './log-filter.ts'
import { LogPlace, type LogPlaceContext, type LogReader } from './log-place.ts'
import { Message } from './message.ts'
import { ShareLedger } from './share-ledger.ts'
import type { ShareMember } from './share-member.ts'
import type { Subscription } from './subscription.ts'

export interface ShareContext extends LogPlaceContext {
  counts: { catchUps: number; gaps: number; tooLarge: number; takenOver: number }
}

/** A share, from its first member to its last. */
export class Share implements LiveSubscriber, LogReader {
  /** Its whole topic filter, `$share/NAME/FILTER`. */
  readonly key: string
  readonly ledger: ShareLedger
  readonly filter: Filter
  /** By their session's key. */
  readonly members = new Map<string, ShareMember>()
  readonly #context: ShareContext
  readonly #place: LogPlace
  readonly #subscription: Subscription<LiveSubscriber>
  #connected: ShareMember[] = []
  /** Whose turn it is. */
  #turn = 0
  /** Members that went while nobody else was there, with what they have in flight. */
  readonly #left = new Set<ShareMember>()
  /** Messages up to here came while no member was connected: none of them is sent whose QoS is 0 for all members. */
  #connectedAt = 0
  #audience: object | null = null
  /** Whether what it reads of the log need not match. */
  readonly #sorts: boolean

  constructor(
    { key, filter, cursor }: { key: string; filter: string; cursor: number },
    context: ShareContext
  ) {
    this.key = key
    this.filter = logFilter([filter])
    this.#sorts = this.filter.topics === undefined
    this.#context = context
    this.#place = new LogPlace(context, this, cursor)
    this.#subscription = {
      filter,
      qos: 2,
      noLocal: false,
      retainAsPublished: true,
      retainHandling: 2,
      identifier: null,
      since: cursor,
      owner: this
    }
    const now = () => ({ cursor: this.#place.cursor, open: this.#open() })
    this.ledger = new ShareLedger({ key, log: context.log, now })
  }

  /** Takes over what the store has, when all members and what they have in flight are known. */
  load(row: ShareRow): void {
    const held = new Set<number>()
    for (const member of this.members.values()) {
      for (const seq of member.held.keys()) held.add(seq)
      if (member.held.size > 0) this.#left.add(member)
    }
    this.ledger.load(row, held)
  }

  get live(): boolean {
    return this.#place.live
  }

  get cursor(): number {
    return this.#place.cursor
  }

  // ── Members come and go ──

  /** A member is there: from now on it gets its part, and what others left behind is due to it too. */
  connected(member: ShareMember): void {
    if (member.connected) return
    member.connected = true
    this.#left.delete(member) // it goes on with what it has
    if (this.#connected.push(member) === 1) {
      this.#audience = {}
      this.#connectedAt = this.#context.dispatcher.position
      this.#context.dispatcher.subscribe(this.#subscription)
    }
    for (const other of this.#left) this.#takeBack(other)
    this.#left.clear()
    this.readOn()
  }

  /** A member's connection is gone: what it had not acknowledged goes to others, or stays until there are any. */
  disconnected(member: ShareMember): void {
    if (!this.#remove(member)) return
    if (this.#connected.length > 0) this.#takeBack(member)
    else if (member.held.size > 0) this.#left.add(member)
    this.readOn()
  }

  /** A member's session has ended: its QoS 1 messages are due to others, those of QoS 2 to nobody [MQTT-4.8.2-5]. */
  ended(member: ShareMember): void {
    this.#remove(member)
    this.#left.delete(member)
    this.members.delete(member.sessionKey)
    this.#addDue(mayGoToOthers(member))
    member.held.clear()
    this.readOn()
  }

  /** A member has unsubscribed; what is in flight to it is its own from now on. */
  unsubscribed(member: ShareMember): void {
    this.#remove(member)
    this.members.delete(member.sessionKey)
    member.held.clear()
    this.readOn()
  }

  // ── Messages ──

  /** Sends what is due and what it has missed, as far as members have room. */
  readOn(): void {
    this.#place.readOn()
  }

  deliver(message: Message): void {
    if (!this.#hand(message)) this.#place.fallBehind(message.event.seq - 1)
  }

  /** What to write so that the share could be loaded as it is now. */
  changes(): Change[] {
    return this.ledger.changes()
  }

  // ── As the reader of its place ──

  get audience(): object | null {
    return this.#audience
  }

  get hasRoom(): boolean {
    return this.#connected.some(member => member.room > 0)
  }

  get hasFirst(): boolean {
    return this.ledger.firstDue !== undefined
  }

  get pageItems(): number {
    return this.#connected.reduce((sum, member) => sum + member.room, 0)
  }

  async sendFirst(): Promise<boolean> {
    const seq = this.ledger.firstDue
    if (seq === undefined) return true
    const { log } = this.#context
    const notification = await log.get(seq)
    if (this.ledger.firstDue !== seq) return true
    const event = notification && mqttMessage(log.bounds().epoch, notification)
    if (event === null) {
      this.#context.counts.gaps++
    } else {
      if (!this.#hand(new Message(event))) return false
      this.#context.counts.takenOver++
    }
    this.ledger.settle(seq)
    return true
  }

  take(event: EventNotification): boolean {
    if (this.#sorts && !topicMatches(this.#subscription.filter, event.topic)) return true
    if (this.ledger.passTaken(event.seq)) return true
    const message = new Message(event)
    if (event.seq <= this.#connectedAt && (message.qos === 0 || !this.#wantsAboveQos0)) return true
    return this.#hand(message)
  }

  // Gives it to the next member that has room. False when none has. A message that all members there find too large is
  // dropped [MQTT-3.1.2-25].
  #hand(message: Message): boolean {
    const members = this.#connected
    let full = members.length === 0
    for (let tries = members.length; tries > 0; tries--) {
      this.#turn = (this.#turn + 1) % members.length
      const taking = members[this.#turn]?.offer(message)
      if (taking === 'taken') return true
      if (taking === 'no-room') full = true
    }
    if (!full) this.#context.counts.tooLarge++
    return !full
  }

  get #wantsAboveQos0(): boolean {
    for (const { view } of this.members.values()) if (view.qos > 0) return true
    return false
  }

  #remove(member: ShareMember): boolean {
    if (!member.connected) return false
    member.connected = false
    this.#connected.splice(this.#connected.indexOf(member), 1)
    if (this.#connected.length === 0) {
      this.#place.fallBehind()
      this.#audience = null
      this.#context.dispatcher.unsubscribe(this.#subscription)
    }
    return true
  }

  // QoS 2 messages stay with a session that may return [MQTT-4.8.2-4].
  #takeBack(member: ShareMember): void {
    const sequences = mayGoToOthers(member)
    const removals: Change[] = []
    for (const seq of sequences) {
      const entry = member.held.get(seq)
      if (entry === undefined) continue
      member.giveBack(entry)
      const { packetId, stored } = entry
      if (stored) removals.push({ delete: 'inflight', session: member.sessionKey, packetId })
    }
    this.#addDue(sequences)
    if (removals.length > 0) this.#context.log.write([...this.changes(), ...removals], null)
  }

  #addDue(sequences: readonly number[]): void {
    if (sequences.length === 0) return
    this.#place.fallBehind() // what is due comes first
    this.ledger.addDue(sequences)
  }

  // What members have in flight and the store does not know of.
  #open(): number[] {
    const open: number[] = []
    for (const { held } of this.members.values()) {
      for (const { seq, qos, stored } of held.values()) if (qos === 1 && !stored) open.push(seq)
    }
    return open
  }
}

// In flight to a member that is gone, and allowed to others: QoS 1, and what was never sent.
function mayGoToOthers({ held }: ShareMember): number[] {
  const sequences: number[] = []
  for (const { seq, qos, sent } of held.values()) if (qos === 1 || !sent) sequences.push(seq)
  return sequences
}
