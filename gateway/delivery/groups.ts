// The groups of all routes: which alerts are in which, and when each is looked at. Saved with everything else of the moment.
import { Packr, Unpackr } from 'msgpackr'
import type { Tables } from '../../store/store.ts'
import type { Agenda, Appointment } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { Alert } from '../alerts/alert.ts'
import type { Clock } from '../clock.ts'
import type { Transaction } from '../transaction.ts'
import { Group } from './group.ts'
import type { GroupContext, SavedGroup, Verdict } from './group.ts'
import type { Member } from './group-member.ts'
import { groupValue } from './notice-alert.ts'
import { routeAtWork } from './route-at-work.ts'
import type { RouteAtWork } from './route-at-work.ts'
import type { Route } from './route.ts'

const SCOPE = 'group'
const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

export interface GroupsOptions {
  ledger: Ledger
  agenda: Agenda
  clock: Clock
  context: GroupContext
  /** A number that no group had before. */
  nextNumber: () => number
  /** Does what a group has decided. */
  act: (group: Group, verdict: Verdict, at: number) => void
}

interface Kept {
  readonly key: string
  readonly group: Group
  appointment: Appointment | null
}

export class Groups {
  readonly #options: GroupsOptions
  /** By route and values. */
  readonly #kept = new Map<string, Kept>()
  /** By alert: those it is in. */
  readonly #byAlert = new Map<string, Set<Kept>>()
  readonly #unsaved = new Set<Kept>()
  readonly #deletions: string[] = []
  /** As they were saved, until the routes are known. */
  #restored: { id: string; saved: SavedGroup; members: Map<string, Member> }[] = []
  #works: RouteAtWork[] = []

  private constructor(options: GroupsOptions) {
    this.#options = options
  }

  static async load(tables: Pick<Tables, 'state'>, options: GroupsOptions): Promise<Groups> {
    const groups = new Groups(options)
    const members = new Map<string, Map<string, Member>>()
    const heads = new Map<string, SavedGroup>()
    await tables.state(SCOPE, rows => {
      for (const { key, value } of rows) {
        const [id = '', alertId] = key.split('/')
        if (alertId === undefined) heads.set(id, unpackr.unpack(value) as SavedGroup)
        else
          members.set(id, (members.get(id) ?? new Map<string, Member>()).set(alertId, unpackr.unpack(value)))
      }
    })
    for (const [id, saved] of heads)
      groups.#restored.push({ id, saved, members: members.get(id) ?? new Map<string, Member>() })
    options.ledger.join(groups)
    return groups
  }

  /**
   * Uses these routes. A group goes on where its route is still there, with the alerts that the route is still for. Whom
   * an alert was told to, it is not told anew because the file has changed.
   */
  configure(routes: readonly Route[], open: Iterable<Alert>, at: number): void {
    this.#works = routes.map(routeAtWork)
    const works = new Map(this.#works.map(work => [work.route.name, work]))
    const told = new Map<string, Set<string>>()
    for (const kept of this.#kept.values()) {
      noteTold(told, kept.group.route, kept.group.members())
      const { route } = kept.group
      const work = works.get(route.name)
      if (work === undefined || !sameNames(work.route.group, route.group)) this.#drop(kept)
      else {
        kept.group.replaceRoute(work, at)
        this.#touch(kept)
      }
    }
    for (const { id, saved, members } of this.#restored.splice(0)) {
      const work = works.get(saved.route)
      if (work !== undefined && sameNames(work.route.group, Object.keys(saved.values)))
        this.#restore(id, { work, saved, members })
      else this.#deletions.push(...rowKeys(id, members.keys()))
    }
    for (const alert of open) this.route(alert, at, told.get(alert.id))
    this.#options.ledger.touch()
  }

  /** Puts an alert into the groups of the routes that are for it, and takes it out of others. False: no route is. */
  route(alert: Alert, at: number, told: ReadonlySet<string> = new Set()): boolean {
    const targets = new Set<Kept>()
    for (const work of this.#works) {
      if (!work.matches(alert)) continue
      const kept = this.#groupFor(alert, work, at)
      targets.add(kept)
      if (work.route.continue) continue
      break
    }
    for (const kept of this.#byAlert.get(alert.id) ?? []) {
      if (targets.has(kept)) continue
      kept.group.leave(alert.id)
      this.#settle(kept, [alert.id])
    }
    for (const kept of targets) {
      const isKnown = kept.group.has(alert.id)
      const { channels } = kept.group.route
      if (!kept.group.add(alert, at, { told: !isKnown && channels.every(channel => told.has(channel)) }))
        continue
      this.#index(alert.id, kept)
      this.#touch(kept)
    }
    return targets.size > 0
  }

  /** Notes that an alert is over. */
  end(alert: Alert, at: number): void {
    for (const kept of this.#byAlert.get(alert.id) ?? []) {
      kept.group.end(alert, at)
      this.#touch(kept)
    }
  }

  save(transaction: Transaction): void {
    for (const { group } of this.#unsaved) {
      const row = (key: string, value: object) =>
        transaction.write({ put: 'state', row: { scope: SCOPE, key, value: packr.pack(value) } })
      row(group.id, group.saved())
      for (const [alertId, member] of group.takeUnsaved()) {
        const key = `${group.id}/${alertId}`
        if (member === null) transaction.write({ delete: 'state', scope: SCOPE, key })
        else row(key, member)
      }
    }
    this.#unsaved.clear()
    for (const key of this.#deletions.splice(0)) transaction.write({ delete: 'state', scope: SCOPE, key })
  }

  #groupFor(alert: Alert, work: RouteAtWork, at: number): Kept {
    const { route } = work
    const values = Object.fromEntries(route.group.map(name => [name, groupValue(alert, name)]))
    const key = groupKey(route.name, values)
    const { context, nextNumber } = this.#options
    return (
      this.#kept.get(key) ?? this.#keep(key, new Group(`g${nextNumber()}`, { work, values, context, at }))
    )
  }

  #restore(
    id: string,
    { work, saved, members }: { work: RouteAtWork; saved: SavedGroup; members: Map<string, Member> }
  ): void {
    const { context } = this.#options
    const kept = this.#keep(
      groupKey(saved.route, saved.values),
      Group.restore(id, { work, saved, members, context })
    )
    for (const alertId of members.keys()) this.#index(alertId, kept)
    this.#plan(kept)
  }

  #keep(key: string, group: Group): Kept {
    const kept = { key, group, appointment: null }
    this.#kept.set(key, kept)
    return kept
  }

  #index(alertId: string, kept: Kept): void {
    const among = this.#byAlert.get(alertId)
    if (among === undefined) this.#byAlert.set(alertId, new Set([kept]))
    else among.add(kept)
  }

  #touch(kept: Kept): void {
    this.#unsaved.add(kept)
    this.#plan(kept)
    this.#options.ledger.touch()
  }

  #plan(kept: Kept): void {
    const { agenda } = this.#options
    agenda.cancel(kept.appointment)
    const { dueAt } = kept.group
    kept.appointment = dueAt === null ? null : agenda.add(dueAt, at => this.#look(kept, at))
  }

  #look(kept: Kept, at: number): void {
    const { clock, act } = this.#options
    kept.appointment = null
    const before = [...kept.group.members()].map(([id]) => id)
    act(kept.group, kept.group.look(at, clock.now()), at)
    this.#settle(kept, before)
  }

  /** Forgets these members where they have gone, and the group when it is empty. */
  #settle(kept: Kept, alertIds: readonly string[]): void {
    for (const alertId of alertIds) if (!kept.group.has(alertId)) this.#unindex(alertId, kept)
    if (kept.group.empty) this.#drop(kept)
    else this.#touch(kept)
  }

  #unindex(alertId: string, kept: Kept): void {
    const among = this.#byAlert.get(alertId)
    among?.delete(kept)
    if (among?.size === 0) this.#byAlert.delete(alertId)
  }

  #drop(kept: Kept): void {
    const { agenda, ledger } = this.#options
    const { group } = kept
    agenda.cancel(kept.appointment)
    this.#kept.delete(kept.key)
    this.#unsaved.delete(kept)
    const gone = group.takeUnsaved().map(([alertId]) => alertId)
    const members = [...group.members()].map(([alertId]) => alertId)
    for (const alertId of members) this.#unindex(alertId, kept)
    this.#deletions.push(...rowKeys(group.id, new Set([...gone, ...members])))
    ledger.touch()
  }
}

function rowKeys(id: string, alertIds: Iterable<string>): string[] {
  return [id, ...[...alertIds].map(alertId => `${id}/${alertId}`)]
}

function groupKey(route: string, values: Readonly<Record<string, string>>): string {
  return JSON.stringify([route, ...Object.entries(values).toSorted().flat()])
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every(name => other.includes(name))
}

/** Adds the channels that were told of each alert. */
function noteTold(
  told: Map<string, Set<string>>,
  { channels, escalate }: Route,
  members: Iterable<[string, Member]>
): void {
  for (const [alertId, member] of members) {
    const known = told.get(alertId) ?? new Set()
    told.set(alertId, known)
    if (member.told !== null) for (const channel of channels) known.add(channel)
    for (const place of member.steps)
      for (const channel of escalate[place]?.channels ?? []) known.add(channel)
  }
}
