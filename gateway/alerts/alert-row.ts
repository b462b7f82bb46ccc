// An alert as the store's row: what queries look at in columns, the rest as one MessagePack map.
import { Packr } from 'msgpackr'
import type { AlertRow } from '../../store/store.ts'
import type { Alert, AlertId } from './alert.ts'

const packr = new Packr({ useRecords: false })

/** What the book keeps of an alert beside what anyone sees. Times are ms since 1970 UTC. */
export interface AlertRecord {
  readonly number: number
  readonly alert: Alert
  /** When it was last told that its condition was met, or that it changed. */
  toldAt: number
  /** Sequence of its newest notification that was seen; 0: none. */
  lastSeq: number
  /** Of one that flaps: how long it must be clear to end, and since when it is, by what; `at` null: it is not clear. */
  hold: { withinMs: number; clear: { at: number; causeSeq: number; detail: string } | null } | null
}

/** Fields that are in the row's own columns. */
type Column = 'id' | 'rule' | 'key' | 'device' | 'state' | 'severity' | 'firstAt' | 'changedAt'
type Body = Omit<Alert, Column> & Omit<AlertRecord, 'number' | 'alert'>

/** The id of the alert with this number. */
export function alertIdOf(number: number): AlertId {
  return `a${number}` as AlertId
}

/** The number of an alert's id; null: the text is none. */
export function alertNumberOf(id: string): number | null {
  const digits = /^a([1-9]\d{0,15})$/.exec(id)?.[1]
  return digits === undefined ? null : Number(digits)
}

export function rowOfAlert({ number, alert, toldAt, lastSeq, hold }: AlertRecord): AlertRow {
  const { id, rule, key, device, state, severity, firstAt, changedAt, ...rest } = alert
  const body: Body = { ...rest, toldAt, lastSeq, hold }
  return {
    id,
    number,
    rule,
    key,
    device,
    state,
    severity,
    firstAt,
    changedAt,
    body: packr.pack(body)
  }
}

export function recordOfRow({ number, body, ...columns }: AlertRow): AlertRecord {
  const { toldAt, lastSeq, hold, ...rest } = packr.unpack(body) as Body
  return { number, alert: { ...rest, ...columns, id: columns.id as AlertId }, toldAt, lastSeq, hold }
}

/** The alert that a row of the store's table holds. */
export function alertOfRow(row: AlertRow): Alert {
  return recordOfRow(row).alert
}
