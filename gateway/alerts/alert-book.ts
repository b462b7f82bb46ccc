// The open alerts, at most one of a rule and key, and all that can happen to one. A change and what follows from it are
// made in one go and reach the log together:
//   raise → begin, or once more → change → notification, row, listeners
//   clear → (flapping: hold) → resolve → change → …
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { formatCursor } from '../../store/cursor.ts'
import type { AlertChange, AlertNotification } from '../../store/notification.ts'
import type { Log, Tables } from '../../store/store.ts'
import type { Agenda } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { Clock } from '../clock.ts'
import type { Transaction } from '../transaction.ts'
import { alertDraft } from './alert-draft.ts'
import { alertIdOf, alertNumberOf, recordOfRow, rowOfAlert } from './alert-row.ts'
import { retainAlerts } from './alert-retention.ts'
import type { Alert } from './alert.ts'
import { BookCounts } from './book-counts.ts'
import { FlapMemory } from './flap-memory.ts'
import { OpenAlerts } from './open-alerts.ts'
import type { OpenAlert } from './open-alerts.ts'
import type { Action, Changed, Clear, Raise } from './raise.ts'

export type { Action, Changed, Clear, Raise } from './raise.ts'

/** Resolved alerts whose newest notification is remembered, for deliveries that tell of the end. */
const ENDED_MAX = 10_000

export interface AlertBookOptions {
  log: Log
  tables: Tables
  ledger: Ledger
  agenda: Agenda
  /** Tells when old alerts are first looked for; what happens to alerts brings its own time. */
  clock: Clock
  /** Of the section `alerting`; durations in ms. */
  settings: { openMax: number; repeatTellMs: number; keepResolvedMs: number }
  logger: Logger
  registry: Registry
}

/** Hears of every change that is told, when it has been made. */
export type AlertListener = (alert: Alert, change: AlertChange, causeSeq: number) => void

export class AlertBook {
  readonly #options: AlertBookOptions
  readonly #epoch: string
  readonly #flaps: FlapMemory
  readonly #open = new OpenAlerts()
  readonly #unsaved = new Set<OpenAlert>()
  readonly #ended = new Map<string, number>()
  readonly #listeners: AlertListener[] = []
  readonly #counts = new BookCounts()
  #lastNumber: number
  #full = false

  private constructor(options: AlertBookOptions, flaps: FlapMemory, lastNumber: number) {
    this.#options = options
    this.#epoch = options.log.bounds().epoch
    this.#flaps = flaps
    this.#lastNumber = lastNumber
  }

  static async load(options: AlertBookOptions): Promise<AlertBook> {
    const { tables, ledger, clock, registry, settings } = options
    const book = new AlertBook(options, await FlapMemory.load(options), await tables.lastAlert())
    await tables.openAlerts(rows => {
      for (const row of rows) {
        const open: OpenAlert = { ...recordOfRow(row), ending: null }
        book.#open.add(open)
        book.#armEnding(open)
      }
    })
    ledger.join({ save: transaction => book.#save(transaction) })
    book.#counts.register(registry, () => book.open())
    const newest = () => alertIdOf(book.#lastNumber)
    retainAlerts({ ...options, keepResolvedMs: settings.keepResolvedMs, newest }, clock.now())
    return book
  }

  /** Opens the alert of a rule and key, or adds to it. Null: too many are open. */
  raise(raise: Raise): Alert | null {
    const open = this.#open.find(raise.rule, raise.key)
    return open === undefined ? this.#begin(raise) : this.#onceMore(open, raise)
  }

  /** Its condition is over. One that flaps stays open until it has been clear for a while. Null: it was not open. */
  clear({ rule, key, at, causeSeq, detail = '' }: Clear): Alert | null {
    const open = this.#open.find(rule, key)
    if (open === undefined) return null
    if (open.hold === null) return this.#resolve(open, { at, actor: '', comment: detail }, causeSeq)
    if (open.hold.clear === null) {
      open.hold.clear = { at, causeSeq, detail }
      this.#armEnding(open)
      this.#touch(open)
    }
    return open.alert
  }

  isOpen(rule: string, key: string): boolean {
    return this.#open.find(rule, key) !== undefined
  }

  /** The open alert of a rule and key. */
  find(rule: string, key: string): Alert | undefined {
    return this.#open.find(rule, key)?.alert
  }

  /** All open alerts, in the order in which they began. */
  open(): IterableIterator<Alert> {
    return this.#open.alerts()
  }

  /** How many alerts of a rule are open. */
  openCount(rule: string): number {
    return this.#open.sizeOf(rule)
  }

  /** An open alert; one that is resolved is in the store's table. */
  byId(id: string): Alert | undefined {
    return this.#open.byId(id)?.alert
  }

  /** Somebody takes care of it. It stays so until it is resolved; who was first is kept. */
  acknowledge(id: string, { at, actor, comment }: Action): Changed {
    const open = this.#open.byId(id)
    if (open === undefined) return this.#missing(id)
    const { alert } = open
    if (alert.acknowledged !== null) return { ok: true, alert, changed: false }
    alert.acknowledged = { at, actor, comment }
    alert.state = 'acknowledged'
    alert.changedAt = at
    this.#tell(open, 'acknowledged', { at, causeSeq: 0 })
    return { ok: true, alert, changed: true }
  }

  /** Ends it, whatever its condition says. */
  resolve(id: string, action: Action): Changed {
    const open = this.#open.byId(id)
    if (open === undefined) return this.#missing(id)
    return { ok: true, alert: this.#resolve(open, action, 0), changed: true }
  }

  onChange(listener: AlertListener): void {
    this.#listeners.push(listener)
  }

  /** Takes note of an alert's notification that is in the log. */
  noted({ alert: id, seq }: AlertNotification): void {
    const open = this.#open.byId(id)
    if (open !== undefined) open.lastSeq = Math.max(open.lastSeq, seq)
    else if (this.#ended.has(id)) this.#ended.set(id, seq)
  }

  /** Sequence of the alert's newest notification that is known to be in the log, else of its cause; 0: none. */
  lastSeq(id: string): number {
    const open = this.#open.byId(id)
    return open === undefined ? (this.#ended.get(id) ?? 0) : open.lastSeq || open.alert.causeSeq
  }

  /** The cursor of a sequence; empty for 0. */
  cursorOf(seq: number): string {
    return seq === 0 ? '' : formatCursor(this.#epoch, seq)
  }

  #begin(raise: Raise): Alert | null {
    if (this.#open.size >= this.#options.settings.openMax) return this.#refuse()
    this.#full = false
    const { flapping, at, ...fields } = raise
    const flaps = this.#flaps.begins(raise)
    const number = ++this.#lastNumber
    const open: OpenAlert = {
      number,
      alert: {
        id: alertIdOf(number),
        ...fields,
        state: 'firing',
        firstAt: at,
        lastAt: at,
        changedAt: at,
        count: 1,
        acknowledged: null,
        resolved: null,
        flapping: flaps
      },
      toldAt: at,
      lastSeq: 0,
      hold: flaps && flapping !== null ? { withinMs: flapping.withinMs, clear: null } : null,
      ending: null
    }
    this.#open.add(open)
    this.#tell(open, 'raised', raise)
    if (flaps) this.#tell(open, 'flapping', raise)
    return open.alert
  }

  #onceMore(open: OpenAlert, raise: Raise): Alert {
    const { alert } = open
    const { at, severity, title, detail, runbook } = raise
    if (open.hold?.clear) {
      open.hold.clear = null
      this.#armEnding(open)
    }
    alert.count++
    alert.lastAt = at
    // What it says is news; what it is about, and so where it belongs, stays as it began.
    Object.assign(alert, { title, detail, runbook })
    if (severity !== alert.severity) {
      alert.severity = severity
      alert.changedAt = at
      this.#tell(open, 'severity', raise)
    } else if (alert.state === 'firing' && at - open.toldAt >= this.#options.settings.repeatTellMs) {
      this.#tell(open, 'repeated', raise)
    } else this.#touch(open)
    return alert
  }

  #resolve(open: OpenAlert, { at, actor, comment }: Action, causeSeq: number): Alert {
    const { alert } = open
    this.#options.agenda.cancel(open.ending)
    open.ending = null
    alert.resolved = { at, actor, comment }
    alert.state = 'resolved'
    alert.changedAt = at
    this.#remember(alert.id, this.lastSeq(alert.id))
    this.#open.remove(open)
    this.#tell(open, 'resolved', { at, causeSeq })
    return alert
  }

  #tell(open: OpenAlert, change: AlertChange, { at, causeSeq }: { at: number; causeSeq: number }): void {
    open.toldAt = at
    this.#unsaved.add(open)
    this.#counts.changes[change]++
    this.#options.ledger.append(alertDraft(open.alert, change, this.cursorOf(causeSeq)))
    for (const listener of this.#listeners) listener(open.alert, change, causeSeq)
  }

  /** It has changed in a way that nobody is told of. */
  #touch(open: OpenAlert): void {
    this.#unsaved.add(open)
    this.#options.ledger.touch()
  }

  #armEnding(open: OpenAlert): void {
    const { agenda } = this.#options
    agenda.cancel(open.ending)
    const { withinMs, clear } = open.hold ?? { withinMs: 0, clear: null }
    open.ending =
      clear &&
      agenda.add(clear.at + withinMs, at =>
        this.#resolve(open, { at, actor: '', comment: clear.detail }, clear.causeSeq)
      )
  }

  #refuse(): null {
    this.#counts.refused++
    if (!this.#full)
      this.#options.logger.warn(
        { openMax: this.#options.settings.openMax },
        'as many alerts are open as alerting.openMax allows; further ones are not opened until some end'
      )
    this.#full = true
    return null
  }

  #missing(id: string): Changed {
    const number = alertNumberOf(id)
    const was = number !== null && number <= this.#lastNumber
    return { ok: false, code: was ? 'alert-resolved' : 'alert-unknown' }
  }

  #remember(id: string, seq: number): void {
    this.#ended.set(id, seq)
    if (this.#ended.size <= ENDED_MAX) return
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest)
      return
    }
  }

  #save(transaction: Transaction): void {
    for (const open of this.#unsaved) transaction.write({ put: 'alert', row: rowOfAlert(open) })
    this.#unsaved.clear()
  }
}
