// From what happens to alerts to who is told: routes put alerts into groups, groups say what is to be told when, the outbox
// sees to it that it is. Decisions are made in the log's time and saved with everything else of that moment.
import { Packr, Unpackr } from 'msgpackr'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { AlertChange } from '../../store/notification.ts'
import type { Log, Tables } from '../../store/store.ts'
import type { Agenda } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { AlertingSettings } from '../alerting/settings.ts'
import type { AlertBook } from '../alerts/alert-book.ts'
import type { Alert } from '../alerts/alert.ts'
import type { Muting } from '../alerts/muting.ts'
import type { Clock } from '../clock.ts'
import type { Transaction } from '../transaction.ts'
import { DeliveryCounts, registerOutletMetrics } from './delivery-metrics.ts'
import type { Group, Telling, Verdict, Withheld } from './group.ts'
import { Groups } from './groups.ts'
import { noticeAlertOf } from './notice-alert.ts'
import type { Channel, Notice, NoticeAlert, Outcome } from './notice.ts'
import { Outbox } from './outbox.ts'
import type { Resent } from './outbox.ts'
import type { Outlet } from './outlet.ts'
import type { Route } from './route.ts'

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

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #outbox: Outbox
  readonly #counts: DeliveryCounts
  readonly #groups: Groups
  readonly #numbers: Numbers
  #hasRoutes = false

  private constructor(
    options: DispatcherOptions,
    {
      outbox,
      groups,
      counts,
      numbers
    }: { outbox: Outbox; groups: Groups; counts: DeliveryCounts; numbers: Numbers }
  ) {
    this.#options = options
    this.#outbox = outbox
    this.#groups = groups
    this.#counts = counts
    this.#numbers = numbers
  }

  /** Loads what was saved. Nothing is told before `configure`. */
  static async load(options: DispatcherOptions): Promise<Dispatcher> {
    const { tables, ledger, book, muting, registry, settings } = options
    const counts = new DeliveryCounts(registry)
    const numbers = await Numbers.load(tables)
    ledger.join(numbers)
    const outbox = await Outbox.load({
      ...options,
      settings: settings.delivery,
      counts,
      nextNumber: () => numbers.next(),
      cursorOf: seq => book.cursorOf(seq)
    })
    registerOutletMetrics(registry, () => outbox.outlets())
    const groups = await Groups.load(tables, {
      ...options,
      context: { alert: id => book.byId(id), muted: (alert, at) => muting.of(alert, at)?.reason ?? null },
      nextNumber: () => numbers.next(),
      act: (group, verdict, at) => dispatcher.#act(group, verdict, at)
    })
    const dispatcher = new Dispatcher(options, { outbox, groups, counts, numbers })
    book.onChange((alert, change) => dispatcher.#changed(alert, change))
    return dispatcher
  }

  /** Uses these routes and channels; groups whose route is still there go on. Open alerts that nobody told yet are routed. */
  configure(
    { routes, channels }: { routes: readonly Route[]; channels: ReadonlyMap<string, Channel> },
    at: number
  ): void {
    this.#hasRoutes = routes.length > 0
    this.#outbox.configure(channels)
    this.#groups.configure(routes, this.#options.book.open(), at)
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
    const { clock, settings, logger } = this.#options
    const now = clock.now()
    const notice = testNotice(`test-${this.#epoch}-${now}`, now)
    const outcome = await channel.send(notice, AbortSignal.timeout(settings.delivery.timeoutMs * 2))
    logger.info({ channel: name, ...outcome }, 'a channel was tested')
    return outcome
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
      case 'severity': {
        const routed = this.#groups.route(alert, alert.changedAt)
        if (!routed && this.#hasRoutes && change === 'raised')
          this.#withhold({ channels: [''], alert: noticeAlertOf(alert), reason: 'no route is for it' })
        return
      }
      case 'resolved':
        this.#groups.end(alert, alert.changedAt)
        return
      case 'acknowledged':
      case 'repeated':
      case 'flapping':
    }
  }

  #act(group: Group, { tell, withhold }: Verdict, at: number): void {
    for (const one of withhold) this.#withhold(one)
    for (const one of tell) this.#tell(group, one, at)
  }

  #tell({ id, route, values }: Group, { channels, reason, alerts }: Telling, at: number): void {
    const { book, settings } = this.#options
    const most = settings.delivery.alertsMax
    const [first] = alerts
    const causeSeq = first === undefined ? 0 : book.lastSeq(first.id)
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
      this.#outbox.add(notice, { channel, lane: id, causeSeq })
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

  #nextId(): string {
    return `${this.#epoch}-d${this.#numbers.next()}`
  }
}

/** Numbers that are used once. After a crash the same may come again only for what was never begun. */
class Numbers {
  #last = 0
  #savedLast = 0

  static async load(tables: Pick<Tables, 'state'>): Promise<Numbers> {
    const numbers = new Numbers()
    await tables.state(COUNTER_SCOPE, rows => {
      for (const { value } of rows) numbers.#last = unpackr.unpack(value) as number
    })
    numbers.#savedLast = numbers.#last
    return numbers
  }

  next(): number {
    return ++this.#last
  }

  save(transaction: Transaction): void {
    if (this.#last === this.#savedLast) return
    this.#savedLast = this.#last
    const row = { scope: COUNTER_SCOPE, key: 'last', value: packr.pack(this.#last) }
    transaction.write({ put: 'state', row })
  }
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
