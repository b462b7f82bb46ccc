// Alerts of one route that are told together: who was told of what, and what is due when. Pure but for its own state: it
// decides, and whoever asks it acts.
import { severities } from '../../store/notification.ts'
import type { Severity } from '../../store/notification.ts'
import type { Alert } from '../alerts/alert.ts'
import { noticeAlertOf } from './notice-alert.ts'
import type { NoticeAlert } from './notice.ts'
import { quietUntil } from './quiet-hours.ts'
import type { Route } from './route.ts'

/** What a group remembers of an alert. Plain data. */
interface Member {
  /** The severity in which it was told to fire; null: it was not. */
  told: Severity | null
  /** Why it was not told, as was said last; empty: nothing was said. */
  withheld: string
  /** Places of the escalation steps that have told it, and of those that were due and hindered: they are looked at again. */
  steps: number[]
  late: number[]
  /** As it ended; null: it is open. */
  ended: NoticeAlert | null
}

/** What is saved of a group. */
export interface SavedGroup {
  route: string
  values: Record<string, string>
  members: [id: string, member: Member][]
  toldAt: number
  flushAt: number
}

/** Something to be told. */
export interface Telling {
  channels: readonly string[]
  reason: 'alert' | 'repeat' | 'escalation'
  alerts: NoticeAlert[]
}

/** Something that is not told, and why. */
export interface Withheld {
  channels: readonly string[]
  alert: NoticeAlert
  reason: string
}

export interface Verdict {
  tell: Telling[]
  withhold: Withheld[]
}

export interface GroupContext {
  /** An open alert. */
  alert: (id: string) => Alert | undefined
  /** Why an alert must not be told now; null: it may. */
  muted: (alert: Alert, at: number) => string | null
}

export class Group {
  readonly values: Record<string, string>
  readonly #context: GroupContext
  readonly #members = new Map<string, Member>()
  #route: Route
  /** When something was last told; 0: never. */
  #toldAt = 0
  #flushAt: number

  constructor(
    route: Route,
    values: Record<string, string>,
    { at, ...context }: GroupContext & { at: number }
  ) {
    this.#route = route
    this.values = values
    this.#context = context
    this.#flushAt = at + route.groupWaitMs
  }

  static restore(route: Route, saved: SavedGroup, context: GroupContext): Group {
    const group = new Group(route, saved.values, { ...context, at: 0 })
    for (const [id, member] of saved.members) group.#members.set(id, member)
    group.#toldAt = saved.toldAt
    group.#flushAt = saved.flushAt
    return group
  }

  get route(): Route {
    return this.#route
  }

  get empty(): boolean {
    return this.#members.size === 0
  }

  /** Goes on under another route of the same name. */
  replaceRoute(route: Route): void {
    this.#route = route
  }

  saved(): SavedGroup {
    return {
      route: this.#route.name,
      values: this.values,
      members: [...this.#members],
      toldAt: this.#toldAt,
      flushAt: this.#flushAt
    }
  }

  has(id: string): boolean {
    return this.#members.has(id)
  }

  add(id: string): void {
    if (!this.#members.has(id))
      this.#members.set(id, { told: null, withheld: '', steps: [], late: [], ended: null })
  }

  /** Notes that an alert is over. It is told, or dropped, at the next look. */
  end(alert: Alert): void {
    const member = this.#members.get(alert.id)
    if (member !== undefined) member.ended = noticeAlertOf(alert)
  }

  /** When to look again, ms since 1970. */
  get dueAt(): number {
    let due = this.#flushAt
    for (const [id, member] of this.#members) {
      const alert = this.#context.alert(id)
      if (alert?.state !== 'firing') continue
      for (const [place, { afterMs }] of this.#route.escalate.entries())
        if (!member.steps.includes(place) && !member.late.includes(place))
          due = Math.min(due, alert.firstAt + afterMs)
    }
    return due
  }

  /** What is to be told at this time; the group counts it as told from here on. */
  look(at: number): Verdict {
    const verdict: Verdict = { tell: [], withhold: [] }
    this.#escalate(at, verdict)
    if (at >= this.#flushAt) this.#flush(at, verdict)
    return verdict
  }

  #flush(at: number, verdict: Verdict): void {
    const { channels, groupIntervalMs, repeatIntervalMs, sendResolved } = this.#route
    const ended = this.#takeEnded(verdict)
    const { firing, quietEnd } = this.#tellable(at, { channels, verdict })
    const isNews = ([id, alert]: [string, Alert]) => {
      const told = this.#members.get(id)?.told ?? null
      return told === null || severities.indexOf(alert.severity) > severities.indexOf(told)
    }
    const news = firing.some(isNews) || (sendResolved && ended.told.length > 0)
    const repeat = repeatIntervalMs > 0 && firing.length > 0 && at >= this.#toldAt + repeatIntervalMs
    if (news || repeat) {
      const alerts = firing.map(([, alert]) => noticeAlertOf(alert))
      for (const [id, alert] of firing) this.#note(id, { told: alert.severity, withheld: '' })
      if (sendResolved) alerts.push(...ended.told)
      this.#toldAt = at
      verdict.tell.push({ channels, reason: news ? 'alert' : 'repeat', alerts })
    }
    if (sendResolved) this.#endEscalations(ended.escalated, verdict)
    this.#flushAt = Math.min(at + groupIntervalMs, quietEnd ?? Number.POSITIVE_INFINITY)
  }

  /** Those that are over leave the group: what was told of is told to be over, what was not is not told at all. */
  #takeEnded({ withhold }: Verdict): { told: NoticeAlert[]; escalated: [NoticeAlert, Member][] } {
    const told: NoticeAlert[] = []
    const escalated: [NoticeAlert, Member][] = []
    for (const [id, member] of this.#members) {
      const { ended } = member
      if (ended === null) {
        if (this.#context.alert(id) === undefined) this.#members.delete(id)
        continue
      }
      this.#members.delete(id)
      if (member.told !== null) told.push(ended)
      else if (member.withheld === '')
        withhold.push({
          channels: this.#route.channels,
          alert: ended,
          reason: 'it was resolved before it was told'
        })
      if (member.steps.length > 0) escalated.push([ended, member])
    }
    return { told, escalated }
  }

  /** Open alerts that may be told now; why others may not is said once. */
  #tellable(
    at: number,
    { channels, verdict }: { channels: readonly string[]; verdict: Verdict }
  ): { firing: [string, Alert][]; quietEnd: number | null } {
    const firing: [string, Alert][] = []
    let quietEnd: number | null = null
    for (const [id, member] of this.#members) {
      const alert = this.#context.alert(id)
      if (alert === undefined) continue
      const { reason, until } = this.#hindrance(alert, at)
      if (reason === null) {
        firing.push([id, alert])
        continue
      }
      if (until !== null) quietEnd = Math.min(quietEnd ?? until, until)
      if (member.told !== null || member.withheld === reason) continue
      member.withheld = reason
      verdict.withhold.push({ channels, alert: noticeAlertOf(alert), reason })
    }
    return { firing, quietEnd }
  }

  #hindrance(alert: Alert, at: number): { reason: string | null; until: number | null } {
    if (alert.state === 'acknowledged') {
      const by = alert.acknowledged?.actor ?? ''
      return { reason: `it was acknowledged${by === '' ? '' : ` by ${by}`}`, until: null }
    }
    const muted = this.#context.muted(alert, at)
    if (muted !== null) return { reason: muted, until: null }
    const until = quietUntil(this.#route.quiet, { at, severity: alert.severity })
    return { reason: until === null ? null : 'the route is quiet at this time', until }
  }

  #escalate(at: number, verdict: Verdict): void {
    for (const [place, { afterMs, channels }] of this.#route.escalate.entries()) {
      const due: NoticeAlert[] = []
      for (const [id, member] of this.#members) {
        const alert = this.#context.alert(id)
        if (alert?.state !== 'firing' || member.steps.includes(place) || at < alert.firstAt + afterMs)
          continue
        const late = member.late.includes(place)
        if (late && at < this.#flushAt) continue
        const { reason } = this.#hindrance(alert, at)
        if (reason === null) {
          member.steps.push(place)
          due.push(noticeAlertOf(alert))
        } else if (!late) {
          member.late.push(place)
          verdict.withhold.push({ channels, alert: noticeAlertOf(alert), reason })
        }
      }
      if (due.length > 0) verdict.tell.push({ channels, reason: 'escalation', alerts: due })
    }
  }

  #endEscalations(ended: readonly [NoticeAlert, Member][], verdict: Verdict): void {
    for (const [place, { channels }] of this.#route.escalate.entries()) {
      const others = channels.filter(channel => !this.#route.channels.includes(channel))
      const alerts = ended.flatMap(([alert, { steps }]) => (steps.includes(place) ? [alert] : []))
      if (alerts.length > 0 && others.length > 0)
        verdict.tell.push({ channels: others, reason: 'alert', alerts })
    }
  }

  #note(id: string, changes: Partial<Member>): void {
    const member = this.#members.get(id)
    if (member !== undefined) Object.assign(member, changes)
  }
}
