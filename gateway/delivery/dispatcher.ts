// From what happens to alerts to who is told: routes put alerts into groups, groups say what is to be told when, the outbox
// sees to it that it is. Decisions are made in the log's time and saved with everything else of that moment.
import { Packr, Unpackr } from 'msgpackr'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { AlertChange } from '../../store/notification.ts'
import type { Log, Tables } from '../../store/store.ts'
import type { Agenda, Appointment } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { AlertingSettings } from '../alerting/settings.ts'
import type { AlertBook } from '../alerts/alert-book.ts'
import type { Alert } from '../alerts/alert.ts'
import { alertMatches } from '../alerts/match-alert.ts'
import type { Muting } from '../alerts/muting.ts'
import type { Clock } from '../clock.ts'
import type { Transaction } from '../transaction.ts'
import { DeliveryCounts, registerOutletMetrics } from './delivery-metrics.ts'
import { Group } from './group.ts'
import type { GroupContext, SavedGroup, Telling, Withheld } from './group.ts'
import { groupValue, noticeAlertOf } from './notice-alert.ts'
import type { Channel, Notice, NoticeAlert, Outcome } from './notice.ts'
import { Outbox } from './outbox.ts'
import type { Resent } from './outbox.ts'
import type { Outlet } from './outlet.ts'
import type { Route } from './route.ts'

const GROUP_SCOPE = 'group'
const COUNTER_SCOPE = 'deliveries'
const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

export interface DispatcherOptions {
  log: Pick<Log, 'bounds'>
  tables: Pick<Tables, 'state'>
  ledger: Ledger
  agenda: Agenda
  clock: Clock
  book: AlertBook
  muting: Muting
  settings: Pick<AlertingSettings, 'delivery'>
  logger: Logger
  registry: Registry
  /** 0 ≤ random < 1. */
  random: () => number
}

/** A channel as operators see it. */
export interface ChannelStatus {
  name: string
  type: Channel['type']
  target: string
  /** Deliveries that wait or are under way. */
  waiting: number
  circuit: Outlet['circuit']
  lastAttempt: Outlet['lastAttempt']
  /** Deliveries that were given up and can be sent again. */
  failed: { id: string; failedAt: number; alerts: string[] }[]
}

interface Kept {
  group: Group
  appointment: Appointment | null
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #outbox: Outbox
  readonly #counts: DeliveryCounts
  readonly #groups = new Map<string, Kept>()
  readonly #dirty = new Set<string>()
  /** Groups as they were saved, until the routes are known. */
  readonly #restored: SavedGroup[] = []
  #routes: readonly Route[] = []
  #numbered = 0
  #counterDirty = false

  private constructor(options: DispatcherOptions, outbox: Outbox, counts: DeliveryCounts) {
    this.#options = options
    this.#outbox = outbox
    this.#counts = counts
  }

  /** Loads what was saved. Nothing is told before `configure`. */
  static async load(options: DispatcherOptions): Promise<Dispatcher> {
    const { tables, book, registry, settings } = options
    const counts = new DeliveryCounts(registry)
    const outbox = await Outbox.load({
      ...options,
      settings: settings.delivery,
      counts,
      cursorOf: seq => book.cursorOf(seq)
    })
    registerOutletMetrics(registry, () => outbox.outlets())
    const dispatcher = new Dispatcher(options, outbox, counts)
    await tables.state(GROUP_SCOPE, rows => {
      for (const { value } of rows) dispatcher.#restored.push(unpackr.unpack(value) as SavedGroup)
    })
    await tables.state(COUNTER_SCOPE, rows => {
      for (const { value } of rows) dispatcher.#numbered = unpackr.unpack(value) as number
    })
    options.ledger.join(dispatcher)
    book.onChange((alert, change) => dispatcher.#changed(alert, change))
    return dispatcher
  }

  /** Uses these routes and channels; groups whose route is still there go on. Open alerts that nobody told yet are routed. */
  configure(
    { routes, channels }: { routes: readonly Route[]; channels: ReadonlyMap<string, Channel> },
    at: number
  ): void {
    this.#routes = routes
    const byName = new Map(routes.map(route => [route.name, route]))
    for (const saved of this.#restored.splice(0)) {
      const route = byName.get(saved.route)
      const key = groupKey(saved.route, saved.values)
      if (route === undefined) this.#dirty.add(key)
      else this.#keep(key, Group.restore(route, saved, this.#groupContext()))
    }
    for (const [key, kept] of this.#groups) {
      const route = byName.get(kept.group.route.name)
      if (route !== undefined && sameNames(route.group, kept.group.route.group))
        kept.group.replaceRoute(route)
      else this.#drop(key, kept)
    }
    this.#outbox.configure(channels)
    for (const alert of this.#options.book.open()) this.#route(alert, at)
    this.#options.ledger.touch()
  }

  /** Sends a delivery again that was given up. */
  resend(id: string): Resent {
    return this.#outbox.resend(id)
  }

  /** Tells a channel something made up; null: there is no such channel. */
  async test(name: string): Promise<Outcome | null> {
    const outlet = [...this.#outbox.outlets()].find(one => one.name === name)
    const channel = outlet?.channel ?? null
    if (channel === null) return null
    const { clock, settings } = this.#options
    const now = clock.now()
    return channel.send(
      testNotice(`test-${this.#epoch}-${now}`, now),
      AbortSignal.timeout(settings.delivery.timeoutMs * 2)
    )
  }

  channels(): ChannelStatus[] {
    return [...this.#outbox.outlets()].flatMap(({ name, channel, waiting, circuit, lastAttempt }) => {
      if (channel === null) return []
      const failed = this.#outbox.failed(name).map(({ id, failedAt, notice }) => ({
        id,
        failedAt: failedAt ?? 0,
        alerts: notice.alerts.map(alert => alert.id)
      }))
      return [{ name, type: channel.type, target: channel.target, waiting, circuit, lastAttempt, failed }]
    })
  }

  save(transaction: Transaction): void {
    for (const key of this.#dirty) {
      const kept = this.#groups.get(key)
      if (kept === undefined) transaction.write({ delete: 'state', scope: GROUP_SCOPE, key })
      else
        transaction.write({
          put: 'state',
          row: { scope: GROUP_SCOPE, key, value: packr.pack(kept.group.saved()) }
        })
    }
    this.#dirty.clear()
    if (!this.#counterDirty) return
    this.#counterDirty = false
    transaction.write({
      put: 'state',
      row: { scope: COUNTER_SCOPE, key: 'last', value: packr.pack(this.#numbered) }
    })
  }

  /** Ends attempts that are under way; what they were to tell is attempted again after the next start. */
  close(): Promise<void> {
    return this.#outbox.close()
  }

  get #epoch(): string {
    return this.#options.log.bounds().epoch
  }

  #changed(alert: Alert, change: AlertChange): void {
    switch (change) {
      case 'raised':
      case 'severity':
        this.#route(alert, alert.changedAt)
        return
      case 'resolved':
        for (const [key, { group }] of this.#groups) {
          if (!group.has(alert.id)) continue
          group.end(alert)
          this.#touch(key)
        }
        return
      case 'acknowledged':
      case 'repeated':
      case 'flapping':
    }
  }

  /** Puts an alert into the groups of the routes that are for it. */
  #route(alert: Alert, at: number): void {
    let matched = false
    for (const route of this.#routes) {
      if (!alertMatches(route.match, alert)) continue
      matched = true
      const values = Object.fromEntries(route.group.map(name => [name, groupValue(alert, name)]))
      const key = groupKey(route.name, values)
      const group =
        this.#groups.get(key)?.group ??
        this.#keep(key, new Group(route, values, { ...this.#groupContext(), at }))
      if (!group.has(alert.id)) {
        group.add(alert.id)
        this.#touch(key)
      }
      if (!route.continue) break
    }
    if (!matched && this.#routes.length > 0 && alert.count === 1)
      this.#withhold({ channels: [''], alert: noticeAlertOf(alert), reason: 'no route is for it' })
  }

  #groupContext(): GroupContext {
    const { book, muting } = this.#options
    return { alert: id => book.byId(id), muted: (alert, at) => muting.of(alert, at)?.reason ?? null }
  }

  #keep(key: string, group: Group): Group {
    this.#groups.set(key, { group, appointment: null })
    this.#plan(key)
    return group
  }

  #drop(key: string, kept: Kept): void {
    this.#options.agenda.cancel(kept.appointment)
    this.#groups.delete(key)
    this.#dirty.add(key)
  }

  #touch(key: string): void {
    this.#dirty.add(key)
    this.#plan(key)
    this.#options.ledger.touch()
  }

  #plan(key: string): void {
    const kept = this.#groups.get(key)
    if (kept === undefined) return
    const { agenda } = this.#options
    agenda.cancel(kept.appointment)
    kept.appointment = agenda.add(kept.group.dueAt, at => this.#look(key, at))
  }

  #look(key: string, at: number): void {
    const kept = this.#groups.get(key)
    if (kept === undefined) return
    kept.appointment = null
    const { tell, withhold } = kept.group.look(at)
    for (const one of withhold) this.#withhold(one)
    for (const one of tell) this.#tell(kept.group, one, at)
    if (kept.group.empty) {
      this.#drop(key, kept)
      this.#options.ledger.touch()
    } else this.#touch(key)
  }

  #tell({ route, values }: Group, { channels, reason, alerts }: Telling, at: number): void {
    const { book, settings } = this.#options
    const most = settings.delivery.alertsMax
    const [first] = alerts
    for (const channel of channels) {
      const notice: Notice = {
        id: this.#nextId(),
        reason,
        status: alerts.some(({ state }) => state === 'firing') ? 'firing' : 'resolved',
        route: route.name,
        group: values,
        alerts: alerts.slice(0, most),
        truncated: Math.max(0, alerts.length - most),
        at
      }
      this.#outbox.add(notice, { channel, causeSeq: first === undefined ? 0 : book.lastSeq(first.id) })
    }
  }

  #withhold({ channels, alert, reason }: Withheld): void {
    const { ledger, book } = this.#options
    for (const channel of channels) {
      ledger.append({
        kind: 'delivery',
        device: alert.device,
        severity: alert.severity,
        alert: alert.id,
        delivery: this.#nextId(),
        channel,
        attempt: 0,
        outcome: 'suppressed',
        detail: reason,
        cause: book.cursorOf(book.lastSeq(alert.id))
      })
      this.#counts.ended(channel, 'suppressed')
    }
  }

  // Committed with what it names: after a crash the same number may come again only for what was never begun.
  #nextId(): string {
    this.#numbered++
    this.#counterDirty = true
    return `${this.#epoch}-d${this.#numbered}`
  }
}

function groupKey(route: string, values: Readonly<Record<string, string>>): string {
  return JSON.stringify([route, ...Object.entries(values).toSorted().flat()])
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every(name => other.includes(name))
}

function testNotice(id: string, at: number): Notice {
  const alert: NoticeAlert = {
    id: 'test',
    rule: 'test',
    key: 'test',
    device: '',
    eventTopic: '',
    labels: {},
    state: 'firing',
    severity: 'info',
    title: 'This is a test of the channel',
    detail: 'Nothing is wrong.',
    runbook: '',
    count: 1,
    firstAt: at,
    lastAt: at,
    resolvedAt: 0
  }
  return { id, reason: 'test', status: 'firing', route: 'test', group: {}, alerts: [alert], truncated: 0, at }
}
