// What rules, alerts and deliveries have decided and changed, on its way into the log. Everything that is unsaved goes into
// every transaction, whoever asked for it: so what is durable is always one moment of all of them together, and after a
// crash the log is read on from the checkpoint of exactly that moment.
import type { Draft } from '../../store/notification.ts'
import type { Change, Log } from '../../store/store.ts'
import type { Clock, Timer } from '../clock.ts'
import { Transaction } from '../transaction.ts'

/** A part that keeps what it knows in memory and saves what has changed of it. */
export interface Participant {
  /** Adds the changes since it was last called. */
  save(transaction: Transaction): void
}

/** Rows that wait beyond which they are saved at once: a commit of so many holds the event loop for some 30 ms. */
const UNSAVED_MAX = 8192

export interface LedgerOptions {
  log: Log
  clock: Clock
  /** How long changes that nobody need be told of may wait, ms. */
  saveMs: number
}

export class Ledger {
  readonly #options: LedgerOptions
  readonly #participants: Participant[] = []
  #transaction = new Transaction()
  #scheduled = false
  #timer: Timer | null = null
  #waiters: (() => void)[] = []
  /** Rows that participants have to save, about. */
  #unsaved = 0

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  join(participant: Participant): void {
    this.#participants.push(participant)
  }

  /** Appends a notification, at the end of this turn's work. */
  append(draft: Draft): void {
    this.#transaction.append(draft)
    this.#schedule()
  }

  /** Writes a change at the end of this turn's work. */
  write(change: Change): void {
    this.#transaction.write(change)
    this.#schedule()
  }

  /** A participant has another row to save, which may wait a while. */
  touch(): void {
    if (++this.#unsaved >= UNSAVED_MAX) this.#schedule()
    if (this.#timer === null && !this.#scheduled)
      this.#timer = this.#options.clock.setTimer(this.#options.saveMs, () => this.commit())
  }

  /** Resolves when all that was decided up to this call is durable; rejects only when the log is closed before. */
  durable(): Promise<void> {
    return new Promise((resolve, reject) => this.#commit(error => (error ? reject(error) : resolve())))
  }

  /** Calls back in the turn in which all that was decided up to now is durable; never, if the log is closed before. */
  whenDurable(callback: () => void): void {
    this.#waiters.push(callback)
    this.#schedule()
  }

  /** Hands everything unsaved to the log. */
  commit(): void {
    this.#commit(null)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      if (this.#scheduled) this.commit()
    })
  }

  #commit(onDurable: ((error: Error | null) => void) | null): void {
    this.#scheduled = false
    this.#unsaved = 0
    this.#timer?.clear()
    this.#timer = null
    const transaction = this.#transaction
    this.#transaction = new Transaction()
    const waiters = this.#waiters
    this.#waiters = []
    for (const participant of this.#participants) participant.save(transaction)
    if (transaction.empty && waiters.length === 0 && onDurable === null) return
    this.#options.log.transact(transaction, error => {
      if (error === null) for (const waiter of waiters) waiter()
      onDurable?.(error)
    })
  }
}
