// Alerts of one route that are told together: who was told of what, and what is due when. Pure but for its own state: it
// decides, and whoever asks it acts.
import type { Alert } from '../alerts/alert.ts'
import { endsByChannel, isAhead, nextStepAt } from './escalation.ts'
import { isNews, newMember, sayOnce, wasTold } from './group-member.ts'
import type { Member } from './group-member.ts'
import { GroupSchedule, NEVER } from './group-schedule.ts'
import type { SavedSchedule } from './group-schedule.ts'
import { noticeAlertOf } from './notice-alert.ts'
import type { NoticeAlert } from './notice.ts'
import type { RouteAtWork } from './route-at-work.ts'
import type { Route } from './route.ts'

/** What is saved of a group beside its members. */
export interface SavedGroup {
  route: string
  values: Record<string, string>
  schedule: SavedSchedule
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

interface GroupParts {
  work: RouteAtWork
  values: Record<string, string>
  context: GroupContext
}

/** A look at the group. `now` is the time of day, which is later than `at` where something is made up for. */
interface Look {
  at: number
  now: number
  verdict: Verdict
}

/** What a regular look finds. */
interface Found {
  firing: [Alert, Member][]
  ended: [Alert, Member][]
  /** Whether alerts fire, told or not. */
  fires: boolean
  news: boolean
  /** When what is hindered may be told. */
  again: number
}

export class Group {
  readonly id: string
  readonly values: Record<string, string>
  readonly #context: GroupContext
  readonly #members = new Map<string, Member>()
  readonly #unsaved = new Set<string>()
  #work: RouteAtWork
  #schedule: GroupSchedule
  /** No step of escalation falls due before this. */
  #stepAt = NEVER

  constructor(id: string, { work, values, context, at }: GroupParts & { at: number }) {
    this.id = id
    this.values = values
    this.#work = work
    this.#context = context
    this.#schedule = new GroupSchedule(work.route, at + work.route.groupWaitMs)
  }

  static restore(
    id: string,
    {
      work,
      saved,
      members,
      context
    }: Omit<GroupParts, 'values'> & { saved: SavedGroup; members: Iterable<[string, Member]> }
  ): Group {
    const group = new Group(id, { work, values: saved.values, context, at: 0 })
    for (const [alertId, member] of members) group.#members.set(alertId, member)
    group.#schedule = GroupSchedule.restore(work.route, saved.schedule)
    group.#findStep()
    return group
  }

  get route(): Route {
    return this.#work.route
  }

  get empty(): boolean {
    return this.#members.size === 0
  }

  /** When to look, ms since 1970; null: not before something happens. */
  get dueAt(): number | null {
    const due = Math.min(this.#schedule.flushAt, this.#stepAt)
    return due === NEVER ? null : due
  }

  members(): IterableIterator<[id: string, member: Member]> {
    return this.#members.entries()
  }

  has(id: string): boolean {
    return this.#members.has(id)
  }

  saved(): SavedGroup {
    return { route: this.route.name, values: this.values, schedule: this.#schedule.saved() }
  }

  /** Members that have changed since this was last asked; null: it has gone. */
  takeUnsaved(): [id: string, member: Member | null][] {
    const ids = [...this.#unsaved]
    this.#unsaved.clear()
    return ids.map(id => [id, this.#members.get(id) ?? null])
  }

  /** Goes on under another route of the same name. */
  replaceRoute(work: RouteAtWork, at: number): void {
    this.#work = work
    this.#schedule.use(work.route)
    this.#schedule.lookSoon(at)
    this.#findStep()
  }

  /**
   * Takes an alert in, or back, or notes that its severity has changed. `told`: its channels were told before. False:
   * nothing is new.
   */
  add(alert: Alert, at: number, { told = false } = {}): boolean {
    const known = this.#members.get(alert.id)
    if (known?.left === false && !isNews(alert, known)) return false
    const member = known ?? newMember()
    this.#members.set(alert.id, member)
    member.left = false
    if (told) {
      member.told = alert.severity
      this.#schedule.begin(at)
    }
    this.#unsaved.add(alert.id)
    this.#schedule.lookSoon(at)
    this.#stepAt = Math.min(this.#stepAt, nextStepAt(alert, member, this.route))
    return true
  }

  /** The route is for this alert no more. What it has told, it tells the end of. */
  leave(id: string): void {
    const member = this.#members.get(id)
    if (member === undefined || member.left) return
    if (wasTold(member)) member.left = true
    else this.#members.delete(id)
    this.#unsaved.add(id)
  }

  /** Notes that an alert is over. It is told, or dropped, at the next look. */
  end(alert: Alert, at: number): void {
    const member = this.#members.get(alert.id)
    if (member === undefined) return
    member.ended = { ...alert }
    this.#unsaved.add(alert.id)
    this.#schedule.lookSoon(at)
  }

  /**
   * What is to be told at this time; the group counts it as told from here on. `now` is the time of day: of repeats that
   * fell due while nobody looked, the last alone is told.
   */
  look(at: number, now: number): Verdict {
    const look = { at, now, verdict: { tell: [], withhold: [] } }
    const regular = at >= this.#schedule.flushAt
    const again = regular || at >= this.#stepAt ? this.#escalate(look, regular) : NEVER
    if (regular) this.#flush(look, again)
    else this.#schedule.lookBy(again)
    if (at >= this.#stepAt) this.#findStep()
    return look.verdict
  }

  #flush(look: Look, again: number): void {
    const { at, now, verdict } = look
    const { route } = this
    const repeats = this.#schedule.takeRepeat(at, now)
    const found = this.#find(look, repeats)
    const { firing, ended, fires, news } = found
    if (news || (repeats && firing.length > 0)) {
      for (const [alert, member] of firing) {
        if (member.told === alert.severity) continue
        member.told = alert.severity
        this.#unsaved.add(alert.id)
      }
      const over = ended.filter(([, { told }]) => told !== null)
      const alerts = [...firing, ...over].map(([alert]) => noticeAlertOf(alert))
      verdict.tell.push({ channels: route.channels, reason: news ? 'alert' : 'repeat', alerts })
      this.#schedule.told(at)
    }
    for (const [channel, over] of endsByChannel(ended, route))
      verdict.tell.push({ channels: [channel], reason: 'alert', alerts: over.map(noticeAlertOf) })
    for (const [{ id }] of ended) this.#remove(id)
    this.#schedule.looked({ at, now, again: Math.min(again, found.again), fires })
  }

  /** Goes through the members: what may be told now, what may not, and who is there no more. */
  #find({ at, verdict }: Look, repeats: boolean): Found {
    const { channels, sendResolved } = this.route
    const found: Found = { firing: [], ended: [], fires: false, news: false, again: NEVER }
    for (const [id, member] of this.#members) {
      const { ended } = member
      const alert = ended ?? this.#context.alert(id)
      if (alert === undefined || (ended !== null && !(sendResolved && wasTold(member)))) {
        this.#remove(id)
        if (ended !== null && !wasTold(member) && member.said.length === 0)
          this.#withhold(verdict, {
            channels,
            alert: ended,
            member,
            reason: 'it was resolved before it was told'
          })
        continue
      }
      if (ended === null && (member.left || this.#isSettled(alert, { member, verdict }))) continue
      const fresh = ended !== null || isNews(alert, member)
      const hindrance = this.#hindrance(alert, at)
      found.fires ||= ended === null
      if (hindrance === null) {
        found.news ||= ended === null ? fresh : member.told !== null
        found[ended === null ? 'firing' : 'ended'].push([alert, member])
      } else if (fresh || repeats) {
        this.#withhold(verdict, { channels, alert, member, reason: hindrance.reason })
        found.again = Math.min(found.again, hindrance.until)
      }
    }
    return found
  }

  /** Whether it is acknowledged, and so nothing but its end is told. */
  #isSettled(alert: Alert, { member, verdict }: { member: Member; verdict: Verdict }): boolean {
    if (alert.state !== 'acknowledged') return false
    const by = alert.acknowledged?.actor ?? ''
    const reason = `it was acknowledged${by === '' ? '' : ` by ${by}`}`
    if (!wasTold(member)) this.#withhold(verdict, { channels: this.route.channels, alert, member, reason })
    return true
  }

  /** Why an alert must not be told now, and when to ask again. */
  #hindrance(alert: Alert, at: number): { reason: string; until: number } | null {
    const muted = this.#context.muted(alert, at)
    if (muted !== null) return { reason: muted, until: at + this.route.groupIntervalMs }
    const until = this.#work.quiet.until(at, alert.severity)
    return until === null ? null : { reason: 'the route is quiet at this time', until }
  }

  #withhold(
    { withhold }: Verdict,
    { member, alert, reason, channels }: Omit<Withheld, 'alert'> & { member: Member; alert: Alert }
  ): void {
    if (!sayOnce(member, reason)) return
    if (this.#members.has(alert.id)) this.#unsaved.add(alert.id)
    withhold.push({ channels, alert: noticeAlertOf(alert), reason })
  }

  /** Tells what nobody has acknowledged in time. Returns when what is hindered is to be looked at again. */
  #escalate({ at, verdict }: Look, regular: boolean): number {
    let again = NEVER
    for (const [place, { afterMs, channels }] of this.route.escalate.entries()) {
      const due: NoticeAlert[] = []
      for (const [id, member] of this.#members) {
        const alert = this.#context.alert(id)
        if (alert === undefined || !isAhead(alert, member, place) || at < alert.firstAt + afterMs) continue
        const late = member.late.includes(place)
        if (late && !regular) continue
        this.#unsaved.add(id)
        const hindrance = this.#hindrance(alert, at)
        if (hindrance === null) {
          member.steps.push(place)
          due.push(noticeAlertOf(alert))
          continue
        }
        again = Math.min(again, hindrance.until)
        if (!late) member.late.push(place)
        if (!late) verdict.withhold.push({ channels, alert: noticeAlertOf(alert), reason: hindrance.reason })
      }
      if (due.length > 0) verdict.tell.push({ channels, reason: 'escalation', alerts: due })
    }
    return again
  }

  #findStep(): void {
    this.#stepAt = NEVER
    if (this.route.escalate.length === 0) return
    for (const [id, member] of this.#members) {
      const alert = this.#context.alert(id)
      if (alert !== undefined) this.#stepAt = Math.min(this.#stepAt, nextStepAt(alert, member, this.route))
    }
  }

  #remove(id: string): void {
    this.#members.delete(id)
    this.#unsaved.add(id)
  }
}
