// One rule with the states of its keys: takes what concerns it, keeps its timers in the agenda, and tells the alert book.
import type { StateRow } from '../../store/store.ts'
import type { Agenda } from '../alerting/agenda.ts'
import type { Raise } from '../alerts/raise.ts'
import type { Transaction } from '../transaction.ts'
import type { Condition, Decision, Happening } from './condition.ts'
import { EventScope } from './event-scope.ts'
import type { Scope } from './expression.ts'
import { KeyRecord } from './key-record.ts'
import type { Rule } from './rule.ts'
import { renderTexts } from './rule-texts.ts'

/** Whom a rule tells: the alert book, or whoever collects what a dry run would have raised. */
export interface AlertSink {
  raise(raise: Raise): unknown
  clear(of: { rule: string; key: string; at: number; causeSeq: number }): unknown
  isOpen(rule: string, key: string): boolean
}

/** What the rules of an engine share. */
export interface RuleContext {
  agenda: Agenda
  sink: AlertSink
  /** Called when a rule has something to save. */
  touch: () => void
  /** Keys that all rules may have; a key that would be one more is not judged. */
  keysMax: number
  counts: { keys: number; refused: number }
}

/** Larger payloads are not kept for what a timer may say of them later: the texts are made at once. */
const KEPT_PAYLOAD_BYTES_MAX = 1024

export class RuleAtWork {
  readonly condition: Condition
  #rule: Rule
  readonly #context: RuleContext
  readonly #keys = new Map<string, KeyRecord>()
  /** Records that changed since the last save, and keys that have none any more. */
  #changed: KeyRecord[] = []
  readonly #dropped = new Set<string>()
  /** One for all records. */
  readonly #onDue = (record: KeyRecord, at: number) => this.#wake(record, at)
  readonly #keyIsDevice: boolean
  #saysPayload: boolean
  evaluations = 0
  errors = 0
  lastError: string | null = null
  raised = 0

  constructor(rule: Rule, condition: Condition, context: RuleContext) {
    this.#rule = rule
    this.condition = condition
    this.#context = context
    this.#keyIsDevice = rule.key.source === 'device'
    this.#saysPayload = saysPayload(rule)
  }

  get rule(): Rule {
    return this.#rule
  }

  get keys(): number {
    return this.#keys.size
  }

  /** Goes on with another text of the same rule: equal fingerprints, so the states still mean the same. */
  replace(rule: Rule): void {
    this.#rule = rule
    this.#saysPayload = saysPayload(rule)
  }

  /** Judges something that the rule looks at; sets its `open`. */
  take(happening: Happening, seq: number): void {
    const { sink, counts, keysMax } = this.#context
    const { scope, at } = happening
    this.evaluations++
    try {
      const key = this.#keyIsDevice ? scope.device : this.#rule.key.evaluate(scope)
      const known = this.#keys.get(key)
      const open = sink.isOpen(this.#rule.name, key)
      happening.open = open
      const { state, decision } = this.condition.take(known?.state ?? null, happening)
      if (state !== null) {
        if (known === undefined && counts.keys >= keysMax) {
          counts.refused++
          return
        }
        const record = known ?? this.#begin(key)
        record.state = state
        record.note(scope, seq)
        this.#plan(record)
        if (this.#saysPayload) this.#keepPayload(record, scope)
        this.#mark(record)
      } else if (known !== undefined) this.#drop(known)
      if (decision.verdict !== 'none') this.#decide(decision, { key, scope, at, seq, open })
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Begins the state of a device without a notification, unless there is one: it was never heard of, or is offline already. */
  begin(kind: 'event' | 'offline', scope: Scope): void {
    if (!this.#keys.has(scope.device)) this.take({ kind, at: scope.at, scope, open: false }, 0)
  }

  /** States that were saved. */
  load(rows: readonly StateRow[]): void {
    for (const { key, value } of rows) {
      const record = this.#begin(key)
      record.unpack(value)
      this.#plan(record)
    }
  }

  /** Adds the rows of states that changed since the last time. */
  save(transaction: Transaction): void {
    const scope = stateScope(this.#rule.name)
    for (const key of this.#dropped)
      if (!this.#keys.has(key)) transaction.write({ delete: 'state', scope, key })
    this.#dropped.clear()
    for (const record of this.#changed) {
      record.changed = false
      if (this.#keys.get(record.key) === record)
        transaction.write({ put: 'state', row: { scope, key: record.key, value: record.pack() } })
    }
    this.#changed = []
  }

  /** Forgets all states; the next `save` forgets them in the database. */
  end(): void {
    for (const [key, record] of this.#keys) {
      this.#context.agenda.cancel(record.appointment)
      this.#dropped.add(key)
    }
    this.#context.counts.keys -= this.#keys.size
    this.#keys.clear()
  }

  #begin(key: string): KeyRecord {
    const record = new KeyRecord(key, this.#onDue)
    this.#keys.set(key, record)
    this.#context.counts.keys++
    return record
  }

  #drop(record: KeyRecord): void {
    this.#context.agenda.cancel(record.appointment)
    this.#keys.delete(record.key)
    this.#context.counts.keys--
    this.#dropped.add(record.key)
    this.#context.touch()
  }

  #mark(record: KeyRecord): void {
    if (record.changed) return
    record.changed = true
    this.#changed.push(record)
    this.#context.touch()
  }

  // Only a timer needs it: an event has its own.
  #keepPayload(record: KeyRecord, scope: Scope): void {
    const large = scope instanceof EventScope && scope.payloadBytes > KEPT_PAYLOAD_BYTES_MAX
    const needed = record.dueAt !== null
    record.payload = needed && !large ? scope.payload : null
    record.texts = needed && large ? renderTexts(this.#rule, this.#seen(scope, record.key)) : null
  }

  #wake(record: KeyRecord, at: number): void {
    record.appointment = null
    record.dueAt = null
    const dueAt = this.condition.dueAt(record.state)
    // It was put off since.
    if (dueAt === null || dueAt > at) {
      this.#plan(record)
      return
    }
    const { key, seq } = record
    const open = this.#context.sink.isOpen(this.#rule.name, key)
    try {
      const { state, decision } = this.condition.wake(record.state, at, open)
      if (state === null) this.#drop(record)
      else {
        record.state = state
        this.#plan(record)
        this.#mark(record)
      }
      if (decision.verdict !== 'none')
        this.#decide(decision, { key, scope: record.scope(at), at, seq, open, record })
    } catch (error) {
      this.#failed(error)
    }
  }

  #plan(record: KeyRecord): void {
    const { agenda } = this.#context
    const dueAt = this.condition.dueAt(record.state)
    const armedAt = record.dueAt
    // Most events put it off: one that comes too early is kept, and looks again.
    if (dueAt === armedAt || (dueAt !== null && armedAt !== null && dueAt > armedAt)) return
    agenda.cancel(record.appointment)
    record.dueAt = dueAt
    record.appointment = dueAt === null ? null : agenda.add(dueAt, record)
  }

  #decide(decision: Decision, { key, scope, at, seq, open, record }: Decided): void {
    const rule = this.#rule
    const { sink } = this.#context
    if (decision.verdict === 'clear' && open) sink.clear({ rule: rule.name, key, at, causeSeq: seq })
    if (decision.verdict !== 'raise') return
    const severity = decision.severity ?? rule.severity
    const texts = record?.texts ?? renderTexts(rule, this.#seen(scope, key, severity))
    this.raised++
    sink.raise({
      origin: 'rule',
      rule: rule.name,
      key,
      device: scope.device,
      eventTopic: scope.topic,
      severity,
      ...texts,
      runbook: rule.runbook,
      at,
      causeSeq: seq,
      flapping: rule.flapping
    })
  }

  // Not spread: an event's payload is a getter.
  #seen(
    { payload, topic, device, at, reason, rate, count }: Scope,
    key: string,
    severity = this.#rule.severity
  ): Scope {
    return { payload, topic, device, at, severity, reason, rate, key, rule: this.#rule.name, count }
  }

  #failed(error: unknown): void {
    this.errors++
    this.lastError = error instanceof Error ? error.message : String(error)
  }
}

interface Decided {
  key: string
  scope: Scope
  at: number
  seq: number
  open: boolean
  /** Of a timer's decision. */
  record?: KeyRecord
}

function saysPayload({ title, detail, labels }: Rule): boolean {
  return [title, detail, ...Object.values(labels)].some(({ source }) => source.includes('payload'))
}

/** Under which the states of a rule's keys are saved. */
export function stateScope(rule: string): string {
  return `rule/${rule}`
}
