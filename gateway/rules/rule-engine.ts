// All rules at work: what is judged by which, reading the rules anew, and saving their states with the place in the log up
// to which they have judged.
import type { Logger } from 'pino'
import type { Notification } from '../../store/notification.ts'
import type { Change, PresenceRow, Tables } from '../../store/store.ts'
import type { Agenda } from '../alerting/agenda.ts'
import type { Transaction } from '../transaction.ts'
import type { Happening } from './condition.ts'
import { openCondition } from './open-condition.ts'
import { EventScope } from './event-scope.ts'
import type { Scope } from './expression.ts'
import { RuleAtWork, stateScope } from './rule-at-work.ts'
import type { AlertSink, RuleContext } from './rule-at-work.ts'
import { RuleIndex } from './rule-index.ts'
import type { Rule } from './rule.ts'

/** Scope of the rows that say which rules have states. */
const RULES_SCOPE = 'rules'

export interface RuleEngineOptions {
  agenda: Agenda
  sink: AlertSink
  /** Called when something is to be saved. */
  touch: () => void
  keysMax: number
  logger: Logger
}

export class RuleEngine {
  readonly #options: RuleEngineOptions
  readonly #context: RuleContext
  readonly #works = new Map<string, RuleAtWork>()
  #index = new RuleIndex<RuleAtWork>([])
  /** Fingerprints that the database has, by rule. */
  #saved = new Map<string, string>()
  /** Rules that are over, whose rows are still to be deleted. */
  #ended: RuleAtWork[] = []
  /** Rows of rules that were gone or changed when the server started. */
  #stale: Change[] = []
  #fullTold = false

  constructor(options: RuleEngineOptions) {
    this.#options = options
    const { agenda, sink, touch, keysMax } = options
    this.#context = { agenda, sink, touch, keysMax, counts: { keys: 0, refused: 0 } }
  }

  /** Times a key was not judged because there were too many. */
  get refused(): number {
    return this.#context.counts.refused
  }

  /** The rules at work, in the order of the file. */
  works(): RuleAtWork[] {
    return [...this.#works.values()]
  }

  /** Sets the rules, with the states that were saved. For the start: `configure` is for later. */
  async load(rules: readonly Rule[], tables: Tables): Promise<void> {
    await tables.state(RULES_SCOPE, rows => {
      for (const { key, value } of rows) this.#saved.set(key, Buffer.from(value).toString())
    })
    const known = new Map(this.#saved)
    this.#set(rules)
    for (const [name, fingerprint] of known) {
      const work = this.#works.get(name)
      if (work?.rule.fingerprint === fingerprint)
        await tables.state(stateScope(name), rows => work.load(rows))
      else await this.#dropSaved(name, tables)
    }
  }

  /**
   * Sets other rules, `at` the time now. States of a rule that means the same go on; open alerts of rules that are gone are
   * for the caller. `presence` is what is known of devices, for rules that are new.
   */
  configure(
    rules: readonly Rule[],
    { at, presence }: { at: number; presence: readonly PresenceRow[] }
  ): void {
    this.#set(rules)
    this.begin(at, presence)
    this.#context.touch()
  }

  /** Begins to wait for devices that rules name and that were never heard of, and for those that are offline already. */
  begin(at: number, presence: readonly PresenceRow[]): void {
    for (const work of this.#works.values()) {
      if (work.rule.type === 'absent')
        for (const device of work.rule.devices)
          if (!device.includes('*')) work.begin('event', { ...emptyScope, device, at })
    }
    for (const { device, status, reason, since } of presence) {
      if (status === 'online') continue
      for (const work of this.#index.ofPresence(device))
        if (this.#saved.get(work.rule.name) !== work.rule.fingerprint)
          work.begin('offline', { ...emptyScope, device, at: since, reason })
    }
  }

  /** Judges one notification; alerts and deliveries are nobody's business here. */
  take(notification: Notification): void {
    if (notification.kind === 'event') {
      const works = this.#index.ofEvent(notification.topic, notification.device)
      if (works.length === 0) return
      const scope = new EventScope(notification)
      const happening: Happening = { kind: 'event', at: notification.at, scope, open: false }
      for (const work of works) work.take(happening, notification.seq)
    } else if (notification.kind === 'presence') {
      const works = this.#index.ofPresence(notification.device)
      if (works.length === 0) return
      const { status, at, seq, device, severity, reason } = notification
      const scope = { ...emptyScope, device, at, severity, reason }
      const happening: Happening = { kind: status, at, scope, open: false }
      for (const work of works) work.take(happening, seq)
    } else return
    if (this.#context.counts.refused > 0 && !this.#fullTold) this.#tellFull()
  }

  /** Adds what changed since the last time. */
  save(transaction: Transaction): void {
    // Before what a new rule of the same name saves.
    for (const change of this.#stale.splice(0)) transaction.write(change)
    for (const work of this.#ended.splice(0)) work.save(transaction)
    for (const work of this.#works.values()) {
      work.save(transaction)
      const { name, fingerprint } = work.rule
      if (this.#saved.get(name) === fingerprint) continue
      this.#saved.set(name, fingerprint)
      transaction.write({
        put: 'state',
        row: { scope: RULES_SCOPE, key: name, value: Buffer.from(fingerprint) }
      })
    }
    for (const name of this.#saved.keys()) {
      if (this.#works.has(name)) continue
      this.#saved.delete(name)
      transaction.write({ delete: 'state', scope: RULES_SCOPE, key: name })
    }
  }

  #set(rules: readonly Rule[]): void {
    const before = new Map(this.#works)
    this.#works.clear()
    for (const rule of rules) {
      const work = before.get(rule.name)
      if (work?.rule.fingerprint === rule.fingerprint) {
        work.replace(rule)
        this.#works.set(rule.name, work)
        before.delete(rule.name)
      } else this.#works.set(rule.name, new RuleAtWork(rule, openCondition(rule), this.#context))
    }
    this.#ended.push(...before.values())
    for (const work of before.values()) work.end()
    this.#index = new RuleIndex([...this.#works.values()])
  }

  async #dropSaved(name: string, tables: Tables): Promise<void> {
    const scope = stateScope(name)
    const before = this.#stale.length
    await tables.state(scope, rows => {
      for (const { key } of rows) this.#stale.push({ delete: 'state', scope, key })
    })
    const keys = this.#stale.length - before
    this.#options.logger.info(
      { rule: name, keys },
      'the states of a rule that was changed or removed are dropped'
    )
    this.#context.touch()
  }

  #tellFull(): void {
    this.#fullTold = true
    this.#options.logger.warn(
      { keysMax: this.#options.keysMax },
      'rules have as many keys as alerting.keysMax allows; further ones are not judged'
    )
  }
}

const emptyScope: Scope = {
  payload: null,
  topic: '',
  device: '',
  at: 0,
  severity: 'info',
  reason: '',
  rate: 0,
  key: '',
  rule: '',
  count: 0
}
