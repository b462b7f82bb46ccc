// The story of an alert as the steps of a time line, and who was told as a table. Pure.
import type { AlertStory, DeliveryNotification, Notification } from '../api/shapes.ts'

export interface Step {
  notification: Notification
  /** Time since the step before, ms; 0 for the first. */
  afterMs: number
}

/** What caused the alert, then what became of it, in the order of time. */
export function stepsOf({ cause, entries }: AlertStory): Step[] {
  const all = cause === null ? entries : [cause, ...entries]
  return all.map((notification, index) => ({
    notification,
    afterMs: Math.max(0, notification.at - (all[index - 1]?.at ?? notification.at))
  }))
}

/** How it stands with telling one channel. */
export interface Told {
  channel: string
  /** The last that is known. */
  outcome: DeliveryNotification['outcome']
  at: number
  detail: string
  /** Attempts that failed. */
  failures: number
  /** Times it was told. */
  sent: number
  /** When it was told last; null: never. */
  lastSentAt: number | null
}

/** What became of each channel, in the order in which they were first tried. */
export function toldOf({ entries }: AlertStory): Told[] {
  const byChannel = new Map<string, Told>()
  for (const entry of entries) {
    if (entry.kind !== 'delivery') continue
    const { channel, outcome, at, detail } = entry
    const known = byChannel.get(channel) ?? {
      channel,
      outcome,
      at,
      detail,
      failures: 0,
      sent: 0,
      lastSentAt: null
    }
    byChannel.set(channel, {
      ...known,
      outcome,
      at,
      detail,
      failures: known.failures + (outcome === 'failed' || outcome === 'gave-up' ? 1 : 0),
      sent: known.sent + (outcome === 'sent' ? 1 : 0),
      lastSentAt: outcome === 'sent' ? at : known.lastSentAt
    })
  }
  return [...byChannel.values()]
}
