// What somebody outside wants done to an alert, whatever they said it in.
import type { AlertOrigin } from './alert.ts'
import type { Raise } from './raise.ts'

interface Named {
  readonly origin: Extract<AlertOrigin, 'api' | 'alertmanager'>
  readonly rule: string
  readonly key: string
}

export interface TriggerOperation
  extends Named, Pick<Raise, 'device' | 'severity' | 'title' | 'detail' | 'labels' | 'runbook'> {
  readonly action: 'trigger'
  /** When it ends by itself unless it is sent again, ms since 1970 UTC; null: it was not said. */
  readonly endsAt: number | null
}

export interface EndOperation extends Named {
  readonly action: 'acknowledge' | 'resolve'
  readonly comment: string
}

export type AlertOperation = TriggerOperation | EndOperation
