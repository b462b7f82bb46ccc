// The log over an engine: appends become group commits, commits become batches for followers and the recent window.
import type { Logger } from 'pino'
import { retainedAlert } from './alert-message.ts'
import { encodeBlock } from './block.ts'
import type { Block, EncodedBlock, TimedDraft } from './block.ts'
import type { Engine, LogState, MaintenanceSlice, Statement } from './engine.ts'
import { Followers } from './followers.ts'
import { GroupCommit } from './group-commit.ts'
import type { Waiting } from './group-commit.ts'
import { draftBytes, placeDraft, statementBytes } from './drafts.ts'
import type { LogCounts } from './log-metrics.ts'
import { LogReader } from './log-reader.ts'
import { MsgpackWriter } from './msgpack-writer.ts'
import type { Draft, Notification } from './notification.ts'
import { RecentWindow } from './recent-window.ts'
import type { Statements } from './statements.ts'
import type { StreamPositions } from './stream-positions.ts'
import type {
  AppendOptions,
  Batch,
  Change,
  Follower,
  Gap,
  Log,
  LogBounds,
  LogHealth,
  LogTransaction,
  OnDurable,
  ReadBackResult,
  ReadOptions,
  ReadResult,
  StoreOptions
} from './store.ts'

const CHANGES_BYTES = 32 // bookkeeping of an append beside its data

export interface LogOptions {
  engine: Engine
  state: LogState
  statements: Statements
  streams: StreamPositions
  store: StoreOptions
  counts: LogCounts
  log: Logger
  onFatal: (error: Error) => void
}

export class StoreLog implements Log {
  readonly #options: LogOptions
  readonly #group: GroupCommit
  readonly #window: RecentWindow
  readonly #reader: LogReader
  readonly #followers: Followers
  readonly #writer = new MsgpackWriter()
  #first: number
  #last: number
  #lastAt: number

  constructor(options: LogOptions) {
    const { state, store, log, onFatal } = options
    this.#options = options
    this.#first = state.first
    this.#last = state.next - 1
    this.#lastAt = state.lastAt
    this.#window = new RecentWindow(store.recentBytesMax)
    this.#reader = new LogReader({
      engine: options.engine,
      window: this.#window,
      first: () => this.#first,
      last: () => this.#last,
      onDamage: firsts => this.#tellDamage(firsts)
    })
    this.#group = new GroupCommit({
      commit: group => this.#commit(group),
      waitingBytesMax: store.waitingBytesMax,
      commitIntervalMs: store.commitIntervalMs,
      now: store.now,
      log,
      onFatal
    })
    this.#followers = new Followers(
      {
        last: () => this.#last,
        recent: seq => (seq < this.#first ? null : this.#window.batch(seq)),
        read: (after, limits) => this.read(after, limits)
      },
      log
    )
  }

  bounds(): LogBounds {
    return { epoch: this.#options.state.epoch, first: this.#first, last: this.#last }
  }

  health(): LogHealth {
    return this.#group.health
  }

  waitingBytes(): number {
    return this.#group.waitingBytes
  }

  full(): boolean {
    return this.#group.full
  }

  whenRoom(callback: () => void): void {
    this.#group.whenRoom(callback)
  }

  append(draft: Draft, onDurable: OnDurable | null, options?: AppendOptions): void {
    const changes = options?.changes
    const statements = changes === undefined ? null : this.#statementsOf(changes)
    // A clock that was set back must not put the log out of order.
    const at = Math.max(this.#options.store.now(), this.#lastAt)
    this.#lastAt = at
    this.#group.add({
      draft,
      at,
      statements,
      streamName: options?.stream?.name ?? null,
      streamSeq: options?.stream?.seq ?? 0,
      failFast: options?.failFast === true,
      onDurable,
      bytes: CHANGES_BYTES + draftBytes(draft) + (statements === null ? 0 : statementBytes(statements)),
      joined: false
    })
  }

  transact({ drafts, changes }: LogTransaction, onDurable: OnDurable | null): void {
    const at = Math.max(this.#options.store.now(), this.#lastAt)
    if (drafts.length > 0) this.#lastAt = at
    for (const draft of drafts)
      this.#group.add({
        draft,
        at,
        statements: null,
        streamName: null,
        streamSeq: 0,
        failFast: false,
        onDurable: null,
        bytes: CHANGES_BYTES + draftBytes(draft),
        joined: true
      })
    this.write(changes, onDurable)
  }

  write(changes: readonly Change[], onDurable: OnDurable | null): void {
    this.writeStatements(this.#statementsOf(changes), onDurable, false)
  }

  /** Commits statements alone, in order with the appends around them. */
  writeStatements(statements: readonly Statement[], onDurable: OnDurable | null, failFast: boolean): void {
    const bytes = CHANGES_BYTES + statementBytes(statements)
    this.#group.add({
      draft: null,
      at: 0,
      statements,
      streamName: null,
      streamSeq: 0,
      failFast,
      onDurable,
      bytes,
      joined: false
    })
  }

  read(after: number, options: ReadOptions): Promise<ReadResult> {
    return this.#reader.read(after, options)
  }

  readBack(before: number, options: ReadOptions): Promise<ReadBackResult> {
    return this.#reader.readBack(before, options)
  }

  seqBefore(at: number): Promise<number> {
    return this.#reader.seqBefore(at)
  }

  get(seq: number): Promise<Notification | null> {
    return this.#reader.get(seq)
  }

  getMany(seqs: readonly number[], onItems: (items: Notification[]) => void): Promise<void> {
    return this.#reader.getMany(seqs, onItems)
  }

  follow(
    after: number,
    onBatch: (batch: Batch) => void | Promise<void>,
    onGap?: (gap: Gap) => void
  ): Follower {
    return this.#followers.follow(after, { onBatch, onGap: onGap ?? null })
  }

  streamPosition(device: string, stream: string): number {
    return this.#options.streams.get(device, stream)
  }

  streamCount(device: string): number {
    return this.#options.streams.count(device)
  }

  /** Takes note of what maintenance did. */
  maintained({ first }: MaintenanceSlice): void {
    this.#first = Math.max(this.#first, first)
    this.#window.forgetBefore(this.#first)
  }

  /** Commits what waits; what can't be committed fails. */
  async close(): Promise<void> {
    await this.#group.close()
    this.#followers.stopAll()
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { engine, streams, counts } = this.#options
    const startedMs = performance.now()
    const drafts: (Waiting & TimedDraft)[] = []
    const statements: Statement[] = []
    const retained = new Map<string, Statement>()
    for (const waiting of group) {
      if (waiting.statements) for (const statement of waiting.statements) statements.push(statement)
      if (!hasDraft(waiting)) continue
      const { draft, at } = waiting
      if (draft.kind === 'event' && draft.mqtt?.retain === true)
        retained.set(draft.topic, this.#options.statements.retained(draft, at, drafts.length))
      if (draft.kind === 'alert' || draft.kind === 'delivery')
        statements.push(...this.#options.statements.alertEntries(draft, drafts.length))
      if (draft.kind === 'alert') {
        const message = retainedAlert(draft, at)
        if (message)
          retained.set(message.topic, this.#options.statements.retained(message, at, drafts.length))
      }
      drafts.push(waiting)
    }
    statements.push(...retained.values())
    const blockStreams = streams.encode(this.#writer, drafts)
    const encoded = drafts.length > 0 ? encodeBlock(this.#writer, drafts, blockStreams) : null
    const committed = engine.commit({ block: encoded?.block ?? null, statements })
    // While the database works: what followers will get.
    const items = encoded ? placeAll(drafts, encoded) : []
    try {
      const first = await committed
      streams.settle(true)
      if (encoded) this.#publish(items, first, encoded.block)
    } catch (error) {
      streams.settle(false)
      counts.failures++
      throw error
    }
    counts.committed(items.length, encoded?.block.body.length ?? 0, performance.now() - startedMs)
  }

  #publish(items: Notification[], first: number, block: Block): void {
    let seq = first
    for (const item of items) item.seq = seq++
    const batch: Batch = { first, last: seq - 1, items }
    this.#last = batch.last
    const { kinds, severity, devices, body } = block
    this.#window.push({ first, last: batch.last, kinds, severity, devices, body })
    this.#followers.deliver(batch)
  }

  #tellDamage(firsts: readonly number[]): void {
    const { counts, log } = this.#options
    for (const first of firsts) {
      if (counts.damagedBlocks.has(first)) continue
      counts.damagedBlocks.add(first)
      log.error({ first }, 'a block of the log is damaged; readers are told a gap in place of what it held')
    }
  }

  #statementsOf(changes: readonly Change[]): Statement[] {
    return changes.flatMap(change => this.#options.statements.change(change))
  }
}

function hasDraft(waiting: Waiting): waiting is Waiting & TimedDraft {
  return waiting.draft !== null
}

function placeAll(drafts: readonly TimedDraft[], { block, payloadsAt }: EncodedBlock): Notification[] {
  const { buffer, byteOffset } = block.body
  return drafts.map(({ draft, at }, index) =>
    placeDraft(draft, at, { buffer, at: byteOffset + (payloadsAt[index] ?? 0) })
  )
}
