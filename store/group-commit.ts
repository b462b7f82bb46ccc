// Group commit: what arrives while a commit runs forms the next one. Holds the queue, its limits, and what happens
// when the database can't commit: what waits stays in order and is tried again, until it is committed or closed.
import type { Logger } from 'pino'
import { CommitError } from './engine.ts'
import type { Statement } from './engine.ts'
import { StoreError } from './errors.ts'
import type { Draft } from './notification.ts'
import type { LogHealth, OnDurable } from './store.ts'

// One commit holds no more than this: encoding and handing over that many takes the event loop a few milliseconds.
const COMMIT_ENTRIES_MAX = 4096
const COMMIT_BYTES_MAX = 1024 * 1024
// With this many waiting there is no use in gathering more.
const GATHER_ENTRIES_MAX = 512
// With this many, a commit's own cost is small beside theirs.
const FILLED_ENTRIES = 16
const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 5000

/** One append or write that waits. */
export interface Waiting {
  draft: Draft | null
  at: number
  statements: readonly Statement[] | null
  /** The draft's place in a stream of its device; null and 0 when it has none. */
  streamName: string | null
  streamSeq: number
  failFast: boolean
  onDurable: OnDurable | null
  bytes: number
  /** Committed with the next one: it is never the last of a commit. */
  joined: boolean
}

export interface GroupCommitOptions {
  /** Commits what it is given, in order. Rejects with `CommitError` when it may be tried again. */
  commit: (group: readonly Waiting[]) => Promise<void>
  waitingBytesMax: number
  /** Least time, to half a millisecond, between the starts of two commits while several entries arrive at a time, ms; 0: none. */
  commitIntervalMs: number
  now: () => number
  log: Logger
  /** Called when committing failed in a way that must not be: the process can't go on. */
  onFatal: (error: Error) => void
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  #queue: Waiting[] = []
  #head = 0 // entries before it are done; they are cut off now and then
  #bytes = 0
  #health: LogHealth = { writable: true }
  #retryMs = RETRY_FIRST_MS
  #retry: NodeJS.Timeout | null = null
  #busy = false
  #scheduled = false
  /** Runs while a commit is put off so that it carries more. */
  #gathering: NodeJS.Timeout | null = null
  #startedMs = 0
  #lastEntries = 0
  #roomWaiters: (() => void)[] = []
  #closing: { resolve: () => void } | null = null
  #closed = false
  #broken = false

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  get health(): LogHealth {
    return this.#health
  }

  get waitingBytes(): number {
    return this.#bytes
  }

  get full(): boolean {
    return this.#bytes > this.#options.waitingBytesMax
  }

  whenRoom(callback: () => void): void {
    if (!this.full || this.#closed) callback()
    else this.#roomWaiters.push(callback)
  }

  /** Entries that are `joined` to the next must be followed by it in the same turn. */
  add(waiting: Waiting): void {
    if (this.#closing || this.#broken) {
      refuse(waiting, new StoreError('store-closed', 'the log is closed'), this.#options.log)
      return
    }
    if (waiting.failFast && !this.#health.writable) {
      refuse(waiting, unavailable(this.#health.reason), this.#options.log)
      return
    }
    this.#queue.push(waiting)
    this.#bytes += waiting.bytes
    if (this.#gathering !== null && this.#waitingEntries >= GATHER_ENTRIES_MAX) this.#start()
    else if (!this.#busy && !this.#scheduled && this.#retry === null) this.#schedule()
  }

  /** Commits what waits; what can't be committed fails with `store-closed`. */
  close(): Promise<void> {
    return new Promise(resolve => {
      this.#closing = { resolve }
      if (this.#retry !== null) clearTimeout(this.#retry)
      this.#retry = null
      if (this.#gathering !== null || (!this.#busy && !this.#scheduled)) this.#start()
    })
  }

  get #waitingEntries(): number {
    return this.#queue.length - this.#head
  }

  // A commit costs the same for one entry as for fifty. So under load, which is when the last one carried several, the
  // next one begins no sooner than an interval after it. Whoever appends one at a time never waits.
  #schedule(): void {
    const waitMs = this.#startedMs + this.#options.commitIntervalMs - performance.now()
    const gather = this.#lastEntries > 1 && this.#waitingEntries < GATHER_ENTRIES_MAX && !this.#closing
    // Timers count whole milliseconds: rounded up, an interval of two is mostly three, which only small commits need.
    const wholeMs = this.#lastEntries < FILLED_ENTRIES ? Math.ceil(waitMs) : Math.round(waitMs)
    if (!gather || wholeMs <= 0) return this.#start()
    this.#scheduled = true
    this.#gathering = setTimeout(() => this.#start(), wholeMs)
  }

  #start(): void {
    if (this.#gathering !== null) clearTimeout(this.#gathering)
    this.#gathering = null
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#commitNext()
    })
  }

  /** Never rejects. */
  async #commitNext(): Promise<void> {
    const group = this.#nextGroup()
    if (group.length === 0) {
      this.#finishClose()
      return
    }
    this.#busy = true
    this.#startedMs = performance.now()
    this.#lastEntries = group.length
    try {
      await this.#options.commit(group)
      this.#succeeded(group)
    } catch (error) {
      this.#failed(error, group.length)
    }
    this.#busy = false
    if (this.#retry === null && (this.#head < this.#queue.length || this.#closing)) this.#schedule()
  }

  #nextGroup(): Waiting[] {
    let bytes = 0
    let end = this.#head
    for (; end < this.#queue.length; end++) {
      bytes += this.#queue[end]?.bytes ?? 0
      const full = end - this.#head >= COMMIT_ENTRIES_MAX || (bytes > COMMIT_BYTES_MAX && end > this.#head)
      if (full && this.#queue[end - 1]?.joined !== true) break
    }
    return this.#queue.slice(this.#head, end)
  }

  #succeeded(group: readonly Waiting[]): void {
    this.#head += group.length
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
    for (const waiting of group) this.#bytes -= waiting.bytes
    if (!this.#health.writable) {
      this.#options.log.info({ sinceMs: this.#options.now() - this.#health.since }, 'log is writable again')
      this.#health = { writable: true }
      this.#retryMs = RETRY_FIRST_MS
    }
    for (const waiting of group) if (waiting.onDurable) call(waiting.onDurable, null, this.#options.log)
    this.#letIn()
  }

  #failed(error: unknown, entries: number): void {
    if (!(error instanceof CommitError)) {
      // A broken invariant: nothing is known of this commit any more, so nothing may be acknowledged.
      this.#options.log.fatal({ err: error, entries }, 'commit failed in a way that must not be')
      this.#broken = true
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error)))
      this.#failAll()
      return
    }
    if (this.#health.writable || this.#health.code !== error.code) {
      const since = this.#health.writable ? this.#options.now() : this.#health.since
      this.#health = { writable: false, code: error.code, reason: error.message, since }
      this.#options.log.error({ code: error.code, reason: error.message }, 'log is not writable')
    }
    if (this.#closing) {
      this.#failAll()
      return
    }
    this.#failImpatient(error.message)
    this.#retry = setTimeout(() => {
      this.#retry = null
      if (!this.#scheduled) this.#schedule()
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS)
  }

  /** Fails those that do not want to wait for the log to recover. */
  #failImpatient(reason: string): void {
    const all = this.#queue.slice(this.#head)
    this.#head = 0
    this.#queue = all.filter(waiting => !waiting.failFast)
    const error = unavailable(reason)
    for (const waiting of all) {
      if (!waiting.failFast) continue
      this.#bytes -= waiting.bytes
      if (waiting.onDurable) call(waiting.onDurable, error, this.#options.log)
    }
    this.#letIn()
  }

  #failAll(): void {
    const all = this.#queue.slice(this.#head)
    this.#queue = []
    this.#head = 0
    this.#bytes = 0
    const error = new StoreError('store-closed', 'the log was closed before this could be committed')
    for (const waiting of all) if (waiting.onDurable) call(waiting.onDurable, error, this.#options.log)
    this.#finishClose()
  }

  #finishClose(): void {
    if (!this.#closing || this.#closed) return
    this.#closed = true
    this.#letIn()
    this.#closing.resolve()
  }

  #letIn(): void {
    while (this.#roomWaiters.length > 0 && (!this.full || this.#closed)) {
      const waiters = this.#roomWaiters
      this.#roomWaiters = []
      for (const [index, waiter] of waiters.entries()) {
        if (this.full && !this.#closed) {
          this.#roomWaiters = [...waiters.slice(index), ...this.#roomWaiters]
          return
        }
        call(waiter, null, this.#options.log)
      }
    }
  }
}

function unavailable(reason: string): StoreError {
  return new StoreError('store-unavailable', `the log cannot be written now: ${reason}`)
}

/** Calls back later, as a commit would. */
function refuse({ onDurable }: Waiting, error: StoreError, log: Logger): void {
  if (onDurable) queueMicrotask(() => call(onDurable, error, log))
}

// One caller's mistake must not cost others their answer.
function call(callback: OnDurable, error: StoreError | null, log: Logger): void {
  try {
    callback(error)
  } catch (err) {
    log.error({ err }, 'a callback of the log failed')
  }
}
