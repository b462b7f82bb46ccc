// Deletes alerts that were resolved long ago, a few at a time.
import type { Logger } from 'pino'
import type { Tables } from '../../store/store.ts'
import type { Agenda } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { AlertId } from './alert.ts'

/** Most alerts deleted in one transaction. */
const STEP = 200
const STEP_PAUSE_MS = 1000
const PAUSE_MS = 10 * 60_000

export interface AlertRetentionOptions {
  tables: Tables
  agenda: Agenda
  ledger: Ledger
  logger: Logger
  keepResolvedMs: number
  /** The newest alert, which stays: the next one's number follows its. */
  newest: () => AlertId
}

/** Looks again and again from this time on. */
export function retainAlerts(options: AlertRetentionOptions, startAt: number): void {
  options.agenda.add(startAt, at => {
    void deleteSome(options, at).then(more => retainAlerts(options, at + (more ? STEP_PAUSE_MS : PAUSE_MS)))
  })
}

/** Whether there may be more to delete. */
async function deleteSome(options: AlertRetentionOptions, at: number): Promise<boolean> {
  const { tables, ledger, logger, keepResolvedMs, newest } = options
  try {
    const ids = await tables.alertsResolvedBefore(at - keepResolvedMs, STEP)
    const old = ids.filter(id => id !== newest())
    for (const id of old) ledger.write({ delete: 'alert', id })
    return old.length > 0 && ids.length === STEP
  } catch (error) {
    logger.warn({ err: error }, 'old alerts could not be looked for; this is tried again')
    return false
  }
}
