// What a group remembers of an alert.
import { severityIndex } from '../../store/entry-codec.ts'
import type { Severity } from '../../store/notification.ts'
import type { Alert } from '../alerts/alert.ts'

/** Different reasons that are kept of an alert, so as to say each once. */
const SAID_MAX = 20

/** Plain data: it is saved. */
export interface Member {
  /** The severity in which the route's channels were told that it fires; null: they were not. */
  told: Severity | null
  /** Why it was not told, as far as that was said. */
  said: string[]
  /** Places of the escalation steps that have told it. */
  steps: number[]
  /** Places of those that were due and hindered: they are looked at again with the group. */
  late: number[]
  /** The route is not for it any more. */
  left: boolean
  /** As it ended; null: it is open. */
  ended: Alert | null
}

export function newMember(): Member {
  return { told: null, said: [], steps: [], late: [], left: false, ended: null }
}

/** Whether the route's channels have yet to be told that it fires, or how severe it has become. */
export function isNews({ severity }: Alert, { told }: Member): boolean {
  return told === null || severityIndex(severity) > severityIndex(told)
}

/** Whether anybody was told that it fires. */
export function wasTold({ told, steps }: Member): boolean {
  return told !== null || steps.length > 0
}

/** Notes that a reason is said. False: it was before. */
export function sayOnce({ said }: Member, reason: string): boolean {
  if (said.includes(reason)) return false
  said.push(reason)
  if (said.length > SAID_MAX) said.shift()
  return true
}
