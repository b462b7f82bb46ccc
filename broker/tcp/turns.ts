// Wakes sessions: to write at the end of a turn of the event loop, when the log has room, when their rate allows more.
// All sessions of a server share these three queues, so that a waiting connection costs a place in a set and no timer.
import type { Ingest } from '../ingest.ts'
import type { TcpSession } from './session.ts'

const RATE_TICK_MS = 20

/** The queues of sessions that wait for something of ours. */
export class Turns {
  #ingest: Ingest
  #flushing: TcpSession[] = []
  #awaitingRoom = new Set<TcpSession>()
  /** Whether the log has been asked to call back; once for all who come meanwhile, also if those before them leave. */
  #roomAsked = false
  #throttled = new Set<TcpSession>()
  #rateTimer: NodeJS.Timeout | null = null

  constructor(ingest: Ingest) {
    this.#ingest = ingest
  }

  /** Calls `flush` once, when the commits and the data of this turn have been seen. */
  flushSoon(session: TcpSession): void {
    this.#flushing.push(session)
    if (this.#flushing.length === 1) setImmediate(() => this.#flush())
  }

  /** Calls `onRoom` when the log has room. */
  awaitRoom(session: TcpSession): void {
    this.#awaitingRoom.add(session)
    if (this.#roomAsked) return
    this.#roomAsked = true
    this.#ingest.whenRoom(() => this.#giveRoom())
  }

  /** Calls `onRateTick` for as long as it returns true. */
  throttle(session: TcpSession): void {
    this.#throttled.add(session)
    this.#rateTimer ??= setInterval(() => this.#tickRates(), RATE_TICK_MS)
  }

  /** Forgets a session that is gone. */
  forget(session: TcpSession): void {
    this.#awaitingRoom.delete(session)
    this.#throttled.delete(session)
  }

  #flush(): void {
    const sessions = this.#flushing
    this.#flushing = []
    for (const session of sessions) session.flush()
  }

  // One turn of the event loop later: `whenRoom` may call back at once, in the middle of a session's work.
  #giveRoom(): void {
    setImmediate(() => {
      this.#roomAsked = false
      const sessions = [...this.#awaitingRoom]
      this.#awaitingRoom.clear()
      for (const session of sessions) session.onRoom()
    })
  }

  #tickRates(): void {
    const now = performance.now()
    for (const session of this.#throttled) {
      if (!session.onRateTick(now)) this.#throttled.delete(session)
    }
    if (this.#throttled.size > 0 || this.#rateTimer === null) return
    clearInterval(this.#rateTimer)
    this.#rateTimer = null
  }
}
