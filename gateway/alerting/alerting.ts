// Rules, alerts and deliveries put together: one pursuit of the log, one agenda, one ledger.
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Notification } from '../../store/notification.ts'
import type { PresenceRow, Store } from '../../store/store.ts'
import { AlertBook } from '../alerts/alert-book.ts'
import { ExternalAlerts } from '../alerts/external-alerts.ts'
import type { Inhibition } from '../alerts/inhibitions.ts'
import { Muting } from '../alerts/muting.ts'
import { Silences } from '../alerts/silences.ts'
import type { Clock } from '../clock.ts'
import type { openChannel } from '../delivery/open-channel.ts'
import { Dispatcher } from '../delivery/dispatcher.ts'
import type { Route } from '../delivery/route.ts'
import { Handlers } from '../handlers/handlers.ts'
import type { HandlerStatus } from '../handlers/handlers.ts'
import { dryRun } from '../rules/dry-run.ts'
import type { DryRunResult } from '../rules/dry-run.ts'
import type { Rule } from '../rules/rule.ts'
import { RuleEngine } from '../rules/rule-engine.ts'
import { Agenda } from './agenda.ts'
import { parseRuleText } from './alerting-file.ts'
import { registerAlertingMetrics } from './alerting-metrics.ts'
import { closeChannels, openAlerting } from './open-alerting.ts'
import type { OpenedAlerting, ReadSource } from './open-alerting.ts'
import { Ledger } from './ledger.ts'
import { Pursuit } from './pursuit.ts'
import { describeRule } from './rule-status.ts'
import type { RuleStatus } from './rule-status.ts'
import type { AlertingSettings } from './settings.ts'
import type { Problem } from './yaml-reader.ts'

const CHECKPOINT = 'alerting'

export interface AlertingOptions {
  store: Pick<Store, 'log' | 'tables'>
  settings: AlertingSettings
  /** Reads the alerting file anew. */
  readSource: () => ReadSource
  clock: Clock
  logger: Logger
  registry: Registry
  version: string
  /** 0 ≤ random < 1. */
  random: () => number
  /** How channels are opened, where not for real. */
  openChannel?: typeof openChannel
}

export type Reloaded =
  | { ok: true; rules: number; handlers: number; channels: number; routes: number }
  | { ok: false; problems: Problem[] }

export interface DryRunRequest {
  /** YAML or JSON of a rule, or of several, of which `name` is taken; null: the rule in force of that name. */
  rule: string | null
  name?: string
  /** ms since 1970 */
  from: number
  to: number
  signal: AbortSignal
}

/** The file can't be used; every problem has its line. */
export class AlertingFileError extends Error {
  readonly file: string
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    super(
      `the alerting file ${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`
    )
    this.name = 'AlertingFileError'
    this.file = file
    this.problems = problems
  }
}

interface Parts {
  ledger: Ledger
  agenda: Agenda
  book: AlertBook
  silences: Silences
  external: ExternalAlerts
  dispatcher: Dispatcher
  engine: RuleEngine
  handlers: Handlers
  inhibitions: { list: readonly Inhibition[] }
}

export class Alerting {
  readonly book: AlertBook
  readonly silences: Silences
  readonly external: ExternalAlerts
  readonly dispatcher: Dispatcher
  readonly ledger: Ledger
  readonly #options: AlertingOptions
  readonly #parts: Parts
  readonly #pursuit: Pursuit
  #opened: OpenedAlerting
  #savedPosition: number
  /** Reloads and the end come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(
    options: AlertingOptions,
    parts: Parts,
    { opened, after }: { opened: OpenedAlerting; after: number }
  ) {
    this.#options = options
    this.#parts = parts
    this.#opened = opened
    this.#savedPosition = after
    this.book = parts.book
    this.silences = parts.silences
    this.external = parts.external
    this.dispatcher = parts.dispatcher
    this.ledger = parts.ledger
    this.#pursuit = new Pursuit(after, {
      log: options.store.log,
      clock: options.clock,
      agenda: parts.agenda,
      take: notification => this.#take(notification),
      onSlice: () => {
        if (this.#pursuit.position > this.#savedPosition) parts.ledger.touch()
      },
      logger: options.logger
    })
    parts.ledger.join({
      save: transaction => {
        const { position } = this.#pursuit
        if (position === this.#savedPosition) return
        this.#savedPosition = position
        transaction.write({ put: 'checkpoint', name: CHECKPOINT, seq: position })
      }
    })
    registerAlertingMetrics(options.registry, { engine: parts.engine, behind: () => this.behind })
  }

  /** Notifications in the log that are not judged yet. */
  get behind(): number {
    return this.#pursuit.behind
  }

  /**
   * Loads what was saved and goes on from there. Rejects with `AlertingFileError` when the file can't be used.
   */
  static async load(options: AlertingOptions): Promise<Alerting> {
    const { store, settings, clock, logger, registry, random } = options
    const { log, tables } = store
    const agenda = new Agenda()
    const ledger = new Ledger({ log, clock, saveMs: settings.saveMs })
    const opened = await openAlerting(options, ledger)
    if (!opened.ok) throw new AlertingFileError(opened.file, opened.problems)
    const shared = { log, tables, ledger, agenda, settings, logger, registry }
    const book = await AlertBook.load({ ...shared, clock })
    const silences = await Silences.load(shared)
    const inhibitions = { list: [] as readonly Inhibition[] }
    const muting = new Muting({ silences, inhibitions: () => inhibitions.list, book })
    const external = await ExternalAlerts.load({ ...shared, clock, book })
    const dispatcher = await Dispatcher.load({ ...shared, clock, book, muting, random })
    const engine = new RuleEngine({
      agenda,
      sink: book,
      touch: () => ledger.touch(),
      keysMax: settings.keysMax,
      logger
    })
    await engine.load(opened.plan.rules, tables)
    ledger.join(engine)
    const { epoch, last } = log.bounds()
    const handlers = new Handlers({
      ledger,
      sink: book,
      epoch,
      warnMs: settings.handlerWarnMs,
      logger,
      registry
    })
    // A log that was there before is not judged: its alarms are old.
    const after = (await tables.checkpoint(CHECKPOINT)) ?? last
    const parts = { ledger, agenda, book, silences, external, dispatcher, engine, handlers, inhibitions }
    const alerting = new Alerting(options, parts, { opened, after })
    alerting.#use(opened, await tables.presence(), true)
    alerting.#pursuit.start()
    return alerting
  }

  /** Reads the file again. A file with problems changes nothing. */
  reload(): Promise<Reloaded> {
    return this.#inTurn(async () => {
      const opened = await openAlerting(this.#options, this.ledger)
      const { logger, store } = this.#options
      if (!opened.ok) {
        logger.error(
          { file: opened.file, problems: opened.problems },
          'the alerting file is not used: it has problems'
        )
        return { ok: false, problems: opened.problems }
      }
      const presence = await store.tables.presence()
      const before = this.#opened
      this.#opened = opened
      this.#use(opened, presence, false)
      closeChannels(before.channels)
      await this.ledger.durable()
      const { rules, routes } = opened.plan
      const counts = {
        rules: rules.length,
        handlers: opened.handlers.length,
        channels: opened.channels.size,
        routes: routes.length
      }
      logger.info({ file: opened.file, ...counts }, 'the alerting file was read')
      return { ok: true, ...counts }
    })
  }

  rules(): RuleStatus[] {
    return this.#parts.engine.works().map(work => describeRule(work, this.book))
  }

  handlers(): HandlerStatus[] {
    return this.#parts.handlers.statuses()
  }

  routes(): readonly Route[] {
    return this.#opened.plan.routes
  }

  /** What a rule would have done with stored history. */
  async dryRun({
    rule: text,
    name,
    from,
    to,
    signal
  }: DryRunRequest): Promise<{ ok: false; problems: Problem[] } | ({ ok: true } & DryRunResult)> {
    const { rule, problems } = text === null ? this.#ruleInForce(name) : parseRuleText(text, name)
    if (rule === null) return { ok: false, problems }
    const { store, settings, logger } = this.#options
    const limit = AbortSignal.timeout(settings.dryRunTimeoutMs)
    const result = await dryRun(rule, {
      log: store.log,
      logger,
      from,
      to,
      eventsMax: settings.dryRunEventsMax,
      keysMax: settings.keysMax,
      signal: AbortSignal.any([signal, limit])
    })
    return { ok: true, ...result }
  }

  /** Resolves when everything that is in the log now is judged; for tests, and for those who need to see its effect. */
  async caughtUp(): Promise<void> {
    const { last } = this.#options.store.log.bounds()
    while (this.#pursuit.position < last) await new Promise(resolve => setImmediate(resolve))
    await this.ledger.durable()
  }

  /** Stops judging and telling, and saves what is unsaved. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#pursuit.stop()
      await this.dispatcher.close()
      // What can't be saved any more is judged again after the next start.
      if (this.#options.store.log.health().writable) await this.ledger.durable().catch(() => {})
      closeChannels(this.#opened.channels)
    })
  }

  #take(notification: Notification): void {
    const { engine, handlers, book } = this.#parts
    engine.take(notification)
    if (notification.kind === 'event') handlers.take(notification)
    else if (notification.kind === 'alert') book.noted(notification)
  }

  /** Everything in one turn: nothing is judged by half of a file. */
  #use({ plan, handlers, channels }: OpenedAlerting, presence: readonly PresenceRow[], first: boolean): void {
    const parts = this.#parts
    const at = this.#options.clock.now()
    if (first) parts.engine.begin(at, presence)
    else parts.engine.configure(plan.rules, { at, presence })
    parts.handlers.configure(handlers)
    parts.inhibitions.list = plan.inhibitions
    this.dispatcher.configure({ routes: plan.routes, channels }, at)
    this.#retire(at)
  }

  /** Ends alerts whose rule or handlers are in the file no more: nothing could clear them. */
  #retire(at: number): void {
    const { rules, handlers } = this.#opened.plan
    const names = new Set([...rules, ...handlers].map(({ name }) => name))
    const open = Array.from(this.book.open()) // resolving takes them out
    for (const { id, origin, rule } of open)
      if ((origin === 'rule' || origin === 'handler') && !names.has(rule))
        this.book.resolve(id, { at, actor: '', comment: `${rule} is no longer in the alerting file` })
  }

  #ruleInForce(name = ''): { rule: Rule | null; problems: Problem[] } {
    const rule = this.#opened.plan.rules.find(one => one.name === name) ?? null
    return { rule, problems: [{ line: 1, message: `no rule "${name}" is in force` }] }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }
}
