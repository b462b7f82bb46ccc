// Alerts whose conditions are watched elsewhere. Those that are sent again and again while they last, as a Prometheus
// does, end when they are not: each has a time by which it must be heard of.
import { Packr } from 'msgpackr'
import type { Tables } from '../../store/store.ts'
import type { Agenda, Appointment } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { Clock } from '../clock.ts'
import type { AlertBook } from './alert-book.ts'
import type { AlertOperation, EndOperation, TriggerOperation } from './alert-operation.ts'
import type { Alert } from './alert.ts'

const SCOPE = 'external'
const packr = new Packr({ useRecords: false })

export interface ExternalAlertsOptions {
  tables: Tables
  ledger: Ledger
  agenda: Agenda
  clock: Clock
  book: AlertBook
  /** Of the section `alerting`. */
  settings: { externalResolveMs: number }
}

/** `alert` is null where none was open that could be acknowledged or resolved: there is nothing to do then. */
export type Applied =
  { ok: true; alert: Alert | null; changed: boolean } | { ok: false; code: 'alerts-limit' }

/** When an alert ends unless it is heard of before; ms since 1970 UTC. */
interface End {
  at: number
  /** No later than that: most ends are put off before they come, which then costs the agenda nothing. */
  appointment: Appointment
  appointedAt: number
}

export class ExternalAlerts {
  readonly #options: ExternalAlertsOptions
  /** By the alert's id. */
  readonly #ends = new Map<string, End>()

  private constructor(options: ExternalAlertsOptions) {
    this.#options = options
  }

  static async load(options: ExternalAlertsOptions): Promise<ExternalAlerts> {
    const { tables, ledger, clock, book, settings } = options
    const external = new ExternalAlerts(options)
    // While this process was away nobody could be heard: they are given their time anew.
    const endsAtMin = clock.now() + settings.externalResolveMs
    await tables.state(SCOPE, rows => {
      for (const { key: id, value } of rows) {
        if (book.byId(id) === undefined) ledger.write({ delete: 'state', scope: SCOPE, key: id })
        else external.#endAt(id, Math.max(endsAtMin, packr.unpack(value) as number))
      }
    })
    book.onChange(({ id }, change) => {
      if (change !== 'resolved' || !external.#ends.delete(id)) return
      ledger.write({ delete: 'state', scope: SCOPE, key: id })
    })
    return external
  }

  /** Does what was asked, in order. It is durable when the ledger is. */
  apply(operations: readonly AlertOperation[], by: { at: number; actor: string }): Applied[] {
    return operations.map(operation =>
      operation.action === 'trigger' ? this.#trigger(operation, by.at) : this.#end(operation, by)
    )
  }

  #trigger(operation: TriggerOperation, at: number): Applied {
    const { book, settings } = this.#options
    const { action: _, endsAt, ...raise } = operation
    const open = book.find(operation.rule, operation.key)
    // Sent again only to say that it lasts: that is no repetition.
    const lasts = open?.origin === 'alertmanager' && saysTheSame(open, operation)
    const alert = lasts ? open : book.raise({ ...raise, eventTopic: '', at, causeSeq: 0, flapping: null })
    if (alert === null) return { ok: false, code: 'alerts-limit' }
    if (operation.origin === 'alertmanager' && alert.origin === 'alertmanager')
      this.#heard(alert.id, endsAt ?? at + settings.externalResolveMs)
    return { ok: true, alert, changed: !lasts }
  }

  #end({ action, origin, rule, key, comment }: EndOperation, by: { at: number; actor: string }): Applied {
    const { book } = this.#options
    const open = book.find(rule, key)
    if (open === undefined) return { ok: true, alert: null, changed: false }
    // There it is its condition that has ended, and no person who says so.
    if (origin === 'alertmanager') {
      book.clear({ rule, key, at: by.at, causeSeq: 0 })
      return { ok: true, alert: open, changed: true }
    }
    const changed = book[action](open.id, { ...by, comment })
    return changed.ok ? changed : { ok: true, alert: null, changed: false }
  }

  #heard(id: string, endsAt: number): void {
    if (this.#ends.get(id)?.at === endsAt) return
    this.#endAt(id, endsAt)
    const row = { scope: SCOPE, key: id, value: packr.pack(endsAt) }
    this.#options.ledger.write({ put: 'state', row })
  }

  #endAt(id: string, at: number): void {
    const known = this.#ends.get(id)
    if (known !== undefined && known.appointedAt <= at) {
      known.at = at
      return
    }
    const { agenda } = this.#options
    agenda.cancel(known?.appointment ?? null)
    this.#ends.set(id, { at, appointment: agenda.add(at, () => this.#appointed(id)), appointedAt: at })
  }

  #appointed(id: string): void {
    const { book } = this.#options
    const end = this.#ends.get(id)
    const alert = book.byId(id)
    if (end === undefined || alert === undefined) return
    if (end.at > end.appointedAt) {
      this.#ends.delete(id)
      this.#endAt(id, end.at)
      return
    }
    const { rule, key } = alert
    book.clear({ rule, key, at: end.at, causeSeq: 0, detail: 'it was not sent again' })
  }
}

function saysTheSame(open: Alert, { severity, title, detail, runbook }: TriggerOperation): boolean {
  return (
    open.severity === severity && open.title === title && open.detail === detail && open.runbook === runbook
  )
}
