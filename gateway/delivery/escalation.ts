// Which alerts have yet to be told to whom because nobody acknowledges them, and who was told. Pure.
import type { Alert } from '../alerts/alert.ts'
import type { Member } from './group-member.ts'
import { NEVER } from './group-schedule.ts'
import type { Route } from './route.ts'

/** Whether the step at this place tells the alert, unless somebody acknowledges it before. */
export function isAhead({ state }: Alert, { steps, left, ended }: Member, place: number): boolean {
  return state === 'firing' && !left && ended === null && !steps.includes(place)
}

/** When the next step falls due, ms since 1970 UTC; NEVER: none will. Those that are late are not counted. */
export function nextStepAt(alert: Alert, member: Member, { escalate }: Route): number {
  let next = NEVER
  for (const [place, { afterMs }] of escalate.entries())
    if (isAhead(alert, member, place) && !member.late.includes(place))
      next = Math.min(next, alert.firstAt + afterMs)
  return next
}

/** By channel, the ended alerts that escalation alone has told it. */
export function endsByChannel(
  ended: readonly (readonly [Alert, Member])[],
  { channels, escalate }: Route
): Map<string, Alert[]> {
  const byChannel = new Map<string, Alert[]>()
  for (const [alert, { told, steps }] of ended) {
    const escalated = new Set(steps.flatMap(place => escalate[place]?.channels ?? []))
    if (told !== null) for (const channel of channels) escalated.delete(channel)
    for (const channel of escalated) {
      const alerts = byChannel.get(channel)
      if (alerts === undefined) byChannel.set(channel, [alert])
      else alerts.push(alert)
    }
  }
  return byChannel
}
