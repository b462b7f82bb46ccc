// Sessions of the console: a browser that signed in once acts with the rights of a token while its session lasts.
// What is kept of a session is the hash of its secret. Memory is what counts; the store is brought up to it.
import { Packr } from 'msgpackr'
import { hashToken, newToken } from '../../store/credentials.ts'
import type { Change, Store, TokenRow } from '../../store/store.ts'
import type { Tokens } from '../../store/tokens.ts'
import { oldestOfMost } from './fair-limit.ts'
import { sessionCookie } from './session-cookie.ts'
import type { SessionCookie } from './session-cookie.ts'

const SCOPE = 'session'
const packr = new Packr({ useRecords: false })

export interface Session {
  /** SHA-256 of its secret, as base64url. */
  readonly key: string
  readonly tokenId: string
  /** ms since 1970 */
  readonly createdAt: number
  /** ms since 1970; using the session moves it. */
  readonly expiresAt: number
}

/** Who a request with a session's cookie comes from. */
export interface SignedIn {
  session: Session
  /** The token's row as it is now. */
  operator: TokenRow
  secret: string
}

export interface SessionsOptions {
  store: Pick<Store, 'log' | 'tables'> & { tokens: Pick<Store['tokens'], 'get'> }
  tokens: Pick<Tokens, 'onRevoked'>
  settings: { sessionMs: number; sessionsMax: number; publicUrl: string }
  /** How often those that have expired are looked for, ms. */
  sweepMs: number
  /** ms since 1970 */
  now: () => number
}

type Entry = { -readonly [Key in keyof Session]: Session[Key] }

export class Sessions {
  readonly cookie: SessionCookie
  readonly #options: SessionsOptions
  /** Oldest first. */
  readonly #all = new Map<string, Entry>()
  /** Keys whose row is not, or no longer, as it is here. */
  readonly #unsaved = new Set<string>()
  readonly #onEnded = new Set<(session: Session) => void>()
  readonly #sweepTimer: NodeJS.Timeout

  private constructor(options: SessionsOptions) {
    const { store, tokens, settings, sweepMs } = options
    this.#options = options
    this.cookie = sessionCookie({ epoch: store.log.bounds().epoch, publicUrl: settings.publicUrl })
    tokens.onRevoked(id => {
      for (const entry of this.#all.values()) if (entry.tokenId === id) this.#end(entry)
      this.#save()
    })
    this.#sweepTimer = setInterval(() => this.#sweep(), sweepMs)
    this.#sweepTimer.unref()
  }

  /** The sessions that were there before a restart, but for those that have expired or whose token is gone. */
  static async load(options: SessionsOptions): Promise<Sessions> {
    const { store, settings, now } = options
    const latest = now() + settings.sessionMs
    const loaded: Entry[] = []
    await store.tables.state(SCOPE, rows => {
      for (const { key, value } of rows) loaded.push({ key, ...(packr.unpack(value) as Omit<Entry, 'key'>) })
    })
    const sessions = new Sessions(options)
    for (const entry of loaded.toSorted((a, b) => a.createdAt - b.createdAt)) {
      entry.expiresAt = Math.min(entry.expiresAt, latest) // the setting may be shorter now
      sessions.#all.set(entry.key, entry)
      if (store.tokens.get(entry.tokenId) === undefined) sessions.#end(entry)
    }
    sessions.#makeRoom(settings.sessionsMax)
    sessions.#sweep()
    return sessions
  }

  /** Begins a session of a token. Where there are too many, the oldest of the token that has most ends. */
  begin(tokenId: string): { session: Session; secret: string } {
    const { settings, now } = this.#options
    this.#makeRoom(settings.sessionsMax - 1)
    const secret = newToken()
    const at = now()
    const entry = { key: keyOf(secret), tokenId, createdAt: at, expiresAt: at + settings.sessionMs }
    this.#all.set(entry.key, entry)
    this.#unsaved.add(entry.key)
    this.#save()
    return { session: entry, secret }
  }

  /**
   * Who a Cookie header stands for; null where that is nobody. A header with the secrets of two sessions is nobody's:
   * one of them was put there by somebody else.
   */
  find(cookieHeader: string | undefined): SignedIn | null {
    const found = new Map<string, SignedIn>()
    for (const secret of this.cookie.read(cookieHeader)) {
      const session = this.#all.get(keyOf(secret))
      const operator = session && this.#options.store.tokens.get(session.tokenId)
      if (session === undefined || operator === undefined) continue
      if (session.expiresAt > this.#options.now()) found.set(session.key, { session, operator, secret })
    }
    const [only = null] = found.values()
    return found.size === 1 ? only : null
  }

  /**
   * Prolongs a session that is used once less than half of its time is left, so that it costs a write at most that
   * often. The Set-Cookie header that must go out then, else null.
   */
  renew({ session, secret }: SignedIn): string | null {
    const { settings, now } = this.#options
    const entry = this.#all.get(session.key)
    const at = now()
    if (entry === undefined || entry.expiresAt - at >= settings.sessionMs / 2) return null
    entry.expiresAt = at + settings.sessionMs
    this.#unsaved.add(entry.key)
    this.#save()
    return this.cookie.write(secret, settings.sessionMs)
  }

  end(session: Session): void {
    this.#end(session)
    this.#save()
  }

  /** Tells of sessions that have ended, whatever the reason. */
  onEnded(listener: (session: Session) => void): void {
    this.#onEnded.add(listener)
  }

  /** Resolves when all that was done so far is durable; waits for a log that is unwritable to recover. */
  durable(): Promise<void> {
    const changes = this.#takeUnsaved()
    return new Promise((resolve, reject) =>
      this.#options.store.log.write(changes, error => (error ? reject(error) : resolve()))
    )
  }

  stop(): void {
    clearInterval(this.#sweepTimer)
  }

  #makeRoom(count: number): void {
    while (this.#all.size > count) {
      const leaving = oldestOfMost(this.#all.values())
      if (leaving === undefined) return
      this.#end(leaving)
    }
  }

  #end(session: Session): void {
    if (!this.#all.delete(session.key)) return
    this.#unsaved.add(session.key)
    for (const tell of this.#onEnded) tell(session)
  }

  #sweep(): void {
    const now = this.#options.now()
    for (const entry of this.#all.values()) if (entry.expiresAt <= now) this.#end(entry)
    this.#save()
  }

  /** While the log is unwritable nothing is queued: what is unsaved is as bounded as the sessions, a queue is not. */
  #save(): void {
    const { log } = this.#options.store
    if (this.#unsaved.size > 0 && log.health().writable) log.write(this.#takeUnsaved(), null)
  }

  #takeUnsaved(): Change[] {
    const changes = [...this.#unsaved].map((key): Change => {
      const entry = this.#all.get(key)
      if (entry === undefined) return { delete: 'state', scope: SCOPE, key }
      const { key: _, ...value } = entry
      return { put: 'state', row: { scope: SCOPE, key, value: packr.pack(value) } }
    })
    this.#unsaved.clear()
    return changes
  }
}

function keyOf(secret: string): string {
  return Buffer.from(hashToken(secret)).toString('base64url')
}
