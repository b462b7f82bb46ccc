// The whole story of an alert: what caused it, what became of it, who was told, and with what outcome.
import type { Notification } from '../../store/notification.ts'
import type { Log, Tables } from '../../store/store.ts'
import { notificationJson } from '../feed/messages.ts'
import type { AlertBook } from './alert-book.ts'
import { alertJson } from './alert-json.ts'
import type { AlertJson } from './alert-json.ts'
import { alertOfRow } from './alert-row.ts'

const ENTRIES_MAX = 500

/** A notification as the feed shows it. */
export type NotificationJson = Record<string, unknown>

export interface Story {
  alert: AlertJson
  /** The event, or presence, that raised it; null: there was none, or retention took it. */
  cause: NotificationJson | null
  /** There was a cause, which retention took. */
  causeGone: boolean
  /** The alert's own notifications and its deliveries, in order. */
  entries: NotificationJson[]
  /** How many of them retention took. */
  gone: number
  /** Whether there are older ones beyond the most that are shown. */
  truncated: boolean
}

export interface StorySources {
  tables: Tables
  log: Log
  book: AlertBook
  /** Most entries; the newest are shown. */
  entriesMax?: number
}

/** Null: there is no such alert, or none any more. */
export async function storyOf(id: string, sources: StorySources): Promise<Story | null> {
  const { tables, log, book, entriesMax = ENTRIES_MAX } = sources
  const row = await tables.alert(id)
  const alert = book.byId(id) ?? (row && alertOfRow(row))
  if (!alert) return null
  const seqs = await tables.alertEntries(id, entriesMax + 1)
  const shown = seqs.slice(-entriesMax)
  const [cause = null] = alert.causeSeq === 0 ? [] : await readAll(log, [alert.causeSeq])
  const entries = await readAll(log, shown)
  const kept = entries.filter(entry => entry !== null)
  const { epoch } = log.bounds()
  return {
    alert: alertJson(alert),
    cause: cause && shownOf(epoch, cause),
    causeGone: alert.causeSeq !== 0 && cause === null,
    entries: kept.map(entry => shownOf(epoch, entry)),
    gone: entries.length - kept.length,
    truncated: seqs.length > entriesMax
  }
}

/** The notifications with these sequences; null for those that retention took. */
async function readAll(log: Log, seqs: readonly number[]): Promise<(Notification | null)[]> {
  const found = new Map<number, Notification>()
  await log.getMany(seqs, items => {
    for (const item of items) found.set(item.seq, item)
  })
  return seqs.map(seq => found.get(seq) ?? null)
}

function shownOf(epoch: string, notification: Notification): NotificationJson {
  return JSON.parse(notificationJson(epoch, notification)) as NotificationJson
}
