// What a share must not forget: which messages are due to its members again, and which ones it need not send any more.
// Its row is at any time exact, so that a restart neither loses a message nor sends one of QoS 2 twice.
import type { Change, Log, ShareRow } from '../../store/store.ts'

/** A row of a finished message that goes when the share's row shows that it is not to be sent again. */
export interface FinishedRow {
  session: string
  packetId: number
  /** Called when the removal is on its way. */
  forgotten: () => void
}

export interface ShareLedgerOptions {
  key: string
  log: Log
  /** The share's place, and what its members have in flight that only this process knows of. */
  now: () => { cursor: number; open: number[] }
}

/** The books of one share. */
export class ShareLedger {
  /** Whether the store has the share: from the first member on whose session outlives its connection. */
  stored = false
  /** Whether something changed that the store doesn't know. */
  dirty = false
  /** Place that the store knows. */
  savedCursor = 0
  readonly #options: ShareLedgerOptions
  #due: number[] = []
  readonly #taken = new Set<number>()
  #finished: FinishedRow[] = []
  #recording: (() => void)[] = []

  constructor(options: ShareLedgerOptions) {
    this.#options = options
  }

  /** Takes over what the store has; `held` are the sequences that members have in flight. */
  load({ cursor, due, taken }: ShareRow, held: ReadonlySet<number>): void {
    this.stored = true
    this.savedCursor = cursor
    this.#due = due.filter(seq => !held.has(seq))
    for (const seq of taken) this.#taken.add(seq)
    for (const seq of held) if (seq > cursor) this.#taken.add(seq)
  }

  /** The first sequence that is to be sent again. */
  get firstDue(): number | undefined {
    return this.#due[0]
  }

  addDue(sequences: readonly number[]): void {
    if (sequences.length === 0) return
    this.#due = [...this.#due, ...sequences].sort((a, b) => a - b)
    this.dirty = true
  }

  /** `seq` is sent, or gone from the log. */
  settle(seq: number): void {
    const at = this.#due.indexOf(seq)
    if (at >= 0) this.#due.splice(at, 1)
    this.dirty = true
  }

  /** Whether a member got this before the restart, though the place that was saved lies before it. Asked once for each. */
  passTaken(seq: number): boolean {
    return this.#taken.size > 0 && this.#taken.delete(seq)
  }

  /** Has a row removed when the share is next saved. */
  addFinished(row: FinishedRow): void {
    this.#finished.push(row)
  }

  /** Whether there are rows of this session to be removed. */
  hasFinished(session: string): boolean {
    return this.#finished.some(row => row.session === session)
  }

  /** What to write so that the share could be loaded as it is now. */
  changes(): Change[] {
    const { key, now } = this.#options
    const { cursor, open } = now()
    const due = [...this.#due, ...open].sort((a, b) => a - b)
    this.stored = true
    this.dirty = false
    this.savedCursor = cursor
    return [{ put: 'share', row: { key, cursor, due, taken: [...this.#taken] } }, ...this.#removals()]
  }

  /** The share has ended. Returns what to write. */
  close(): Change[] {
    const { key } = this.#options
    this.stored = false
    return [{ delete: 'share', key }, ...this.#removals()]
  }

  /** Calls back when the store knows what was handed out so far. All who ask in one turn share a write. */
  recorded(done: () => void): void {
    if (this.#recording.push(done) > 1) return
    queueMicrotask(() => {
      const waiting = this.#recording
      this.#recording = []
      this.#options.log.write(this.stored ? this.changes() : [], error => {
        if (error === null) for (const callback of waiting) callback()
      })
    })
  }

  #removals(): Change[] {
    const finished = this.#finished
    this.#finished = []
    return finished.map(({ session, packetId, forgotten }) => {
      forgotten()
      return { delete: 'inflight', session, packetId }
    })
  }
}
