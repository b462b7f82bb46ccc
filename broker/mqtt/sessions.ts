// All sessions of this process: those in memory, and which ones the store has. Loads, saves, parks and expires them.
import type { Logger } from 'pino'
import type { Change, Log, Tables } from '../../store/store.ts'
import { Session, type SessionContext } from './session.ts'

/** Session Expiry Interval that means never [MQTT-3.1.2.11.2]. */
export const NEVER_EXPIRES_S = 0xffffffff
/** A connected session that got nothing for this long has its place saved all the same, so that it needn't reread much. */
const IDLE_SAVE_MS = 60_000

export interface SessionsOptions {
  context: SessionContext
  tables: Tables
  log: Log
  logger: Logger
  sessionsMax: number
  sessionSaveMs: number
  now: () => number
  /** A session has ended, by expiry or because a client began anew. */
  onEnded: (key: string) => void
}

export interface OpenRequest {
  key: string
  device: string
  clientId: string
  /** Clean Start: whatever there was ends. */
  clean: boolean
  expiryIntervalS: number
}

interface Opened {
  session: Session
  present: boolean
}

/** Knows every session by its key. */
export class Sessions {
  readonly #options: SessionsOptions
  /** In memory: connected ones, and those whose last save is not durable yet. */
  readonly #loaded = new Map<string, Session>()
  /** In the store, with the time of their end, ms; null while connected or for ever. */
  readonly #stored = new Map<string, number | null>()
  /** Sessions whose last save is under way, by what that save is known by. Whoever takes one up keeps it in memory. */
  readonly #parking = new Map<string, object>()
  /** The newest CONNECT of each session that is being opened. */
  readonly #opening = new Map<string, OpenRequest>()
  /** Sessions that ended because their time was up. */
  expiredCount = 0
  #timers: NodeJS.Timeout[] = []
  #idleSavedAt = 0

  private constructor(options: SessionsOptions) {
    this.#options = options
  }

  /** Learns which sessions are stored. Those that were connected when the server ended are disconnected from now on. */
  static async load(options: SessionsOptions): Promise<Sessions> {
    const sessions = new Sessions(options)
    const now = options.now()
    const lost: Change[] = []
    for (const row of await options.tables.sessions()) {
      const expiresAt = row.expiresAt ?? expiry(now, row.expiryIntervalS)
      sessions.#stored.set(row.key, expiresAt)
      if (expiresAt !== row.expiresAt) lost.push({ put: 'session', row: { ...row, expiresAt } })
    }
    if (lost.length > 0) options.log.write(lost, null)
    return sessions
  }

  /** Durable sessions, connected or not. */
  get storedCount(): number {
    return this.#stored.size
  }

  /** Sessions in memory. */
  get loaded(): Iterable<Session> {
    return this.#loaded.values()
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.#save(), this.#options.sessionSaveMs),
      setInterval(() => this.#expire(), 1000)
    ]
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#save()
  }

  /**
   * The session for a CONNECT; `present` if there was one. Null when no more durable sessions may be made, or when a
   * newer CONNECT of the same client asked for the session meanwhile: then it is that one's.
   */
  async open(request: OpenRequest): Promise<Opened | null> {
    const { key } = request
    this.#opening.set(key, request)
    try {
      return await this.#open(request)
    } finally {
      if (this.#isNewest(request)) this.#opening.delete(key)
    }
  }

  async #open(request: OpenRequest): Promise<Opened | null> {
    const { key, clean, expiryIntervalS } = request
    if (clean) this.#end(key)
    const durable = expiryIntervalS > 0
    if (durable && !this.#stored.has(key) && this.#stored.size >= this.#options.sessionsMax) return null
    const found = await this.#find(request)
    if (!this.#isNewest(request)) return null
    this.#parking.delete(key)
    const session = found ?? new Session(request, this.#options.context)
    session.durable = durable
    session.expiryIntervalS = expiryIntervalS
    this.#loaded.set(key, session)
    if (durable || this.#stored.has(key)) {
      this.#stored.set(key, null)
      this.#options.log.write([{ put: 'session', row: session.row(session.savedCursor) }], null)
    }
    return { session, present: found !== null }
  }

  /** The connection has ended: a durable session is stored away, any other ends. */
  close(session: Session, expiryIntervalS: number): void {
    const { key } = session
    const { context } = this.#options
    session.detach()
    if (this.#loaded.get(key) !== session) return // it ended, or began anew, while it was connected
    session.durable = expiryIntervalS > 0
    session.expiryIntervalS = expiryIntervalS
    if (!session.durable) return this.#end(key)
    const expiresAt = expiry(this.#options.now(), expiryIntervalS)
    this.#stored.set(key, expiresAt)
    const changes: Change[] = session
      .changes({ ending: true })
      .map(change =>
        'put' in change && change.put === 'session'
          ? { put: 'session', row: { ...change.row, expiresAt } }
          : change
      )
    changes.push(...context.shares.sessionParked(session))
    const save = {}
    this.#parking.set(key, save)
    this.#options.log.write(changes, () => {
      if (this.#parking.get(key) !== save) return // taken up again, though perhaps not attached yet
      this.#parking.delete(key)
      this.#loaded.delete(key)
      context.shares.unloaded(session)
    })
  }

  #isNewest(request: OpenRequest): boolean {
    return this.#opening.get(request.key) === request
  }

  async #find(request: OpenRequest): Promise<Session | null> {
    const { key } = request
    const expiresAt = this.#stored.get(key)
    if (expiresAt === undefined) return null
    if (expiresAt !== null && expiresAt <= this.#options.now()) {
      this.expiredCount++
      this.#end(key)
      return null
    }
    const loaded = this.#loaded.get(key)
    if (loaded !== undefined) return loaded
    const state = await this.#options.tables.session(key)
    return state === null || !this.#isNewest(request) ? null : Session.restore(state, this.#options.context)
  }

  #end(key: string): void {
    const { context, log } = this.#options
    const stored = this.#stored.delete(key)
    this.#loaded.delete(key)
    this.#parking.delete(key)
    const changes = context.shares.sessionEnded(key, { stored })
    if (stored) changes.push({ delete: 'session', key })
    if (changes.length > 0) log.write(changes, null)
    this.#options.onEnded(key)
  }

  #save(): void {
    const now = this.#options.now()
    const idleToo = now - this.#idleSavedAt >= IDLE_SAVE_MS
    if (idleToo) this.#idleSavedAt = now
    const changes = this.#options.context.shares.changes({ idleToo })
    for (const session of this.#loaded.values()) {
      if (!session.durable || !session.attached) continue
      if (session.dirty || (idleToo && session.savedCursor < session.cursor))
        changes.push(...session.changes({ ending: false }))
    }
    if (changes.length > 0) this.#options.log.write(changes, null)
  }

  #expire(): void {
    const now = this.#options.now()
    for (const [key, expiresAt] of this.#stored) {
      if (expiresAt === null || expiresAt > now || this.#opening.has(key)) continue
      this.#options.logger.debug({ session: key }, 'session expired')
      this.expiredCount++
      this.#end(key)
    }
  }
}

function expiry(now: number, intervalS: number): number | null {
  return intervalS === NEVER_EXPIRES_S ? null : now + intervalS * 1000
}
