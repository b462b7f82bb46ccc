// One rule with the states of its keys: takes what concerns it, keeps its timers in the agenda, and tells the alert book.
import { Packr, Unpackr } from 'msgpackr'
import type { StateRow } from '../../store/store.ts'
import type { Agenda, Appointment } from '../alerting/agenda.ts'
import type { Raise } from '../alerts/raise.ts'
import type { Transaction } from '../transaction.ts'
import type { Condition, Happening, KeyState, Step } from './condition.ts'
import type { Scope } from './expression.ts'
import type { Rule } from './rule.ts'

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

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

/** What of a happening is needed later, when a timer decides. */
interface Origin {
  seq: number
  device: string
  topic: string
  severity: string
  reason: string
  payload: unknown
}

interface KeyRecord {
  state: KeyState
  origin: Origin
  dueAt: number | null
  appointment: Appointment | null
}

export class RuleAtWork {
  readonly condition: Condition
  #rule: Rule
  readonly #context: RuleContext
  readonly #keys = new Map<string, KeyRecord>()
  readonly #dirty = new Set<string>()
  readonly #keyIsDevice: boolean
  /** Whether what a timer raises says something of the payload, which then must be kept. */
  readonly #keepsPayload: boolean
  evaluations = 0
  errors = 0
  lastError: string | null = null
  raised = 0

  constructor(rule: Rule, condition: Condition, context: RuleContext) {
    this.#rule = rule
    this.condition = condition
    this.#context = context
    this.#keyIsDevice = rule.key.source === 'device'
    const texts = [rule.title, rule.detail, ...Object.values(rule.labels)]
    this.#keepsPayload = texts.some(({ source }) => source.includes('payload'))
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
  }

  /** Judges something that the rule looks at. */
  take(happening: Omit<Happening, 'open'>, seq: number): void {
    const { sink, counts, keysMax } = this.#context
    const { scope } = happening
    this.evaluations++
    try {
      const key = this.#keyIsDevice ? scope.device : this.#rule.key.evaluate(scope)
      const record = this.#keys.get(key)
      const open = sink.isOpen(this.#rule.name, key)
      const step = this.condition.take(record?.state ?? null, { ...happening, open })
      if (record === undefined && step.state !== null && counts.keys >= keysMax) {
        counts.refused++
        return
      }
      this.#follow(key, step, { origin: this.#originOf(scope, seq), scope, at: happening.at, record, open })
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Begins the state of a device without a notification, unless there is one: it was never heard of, or is offline already. */
  begin(kind: 'event' | 'offline', scope: Scope): void {
    if (!this.#keys.has(scope.device)) this.take({ kind, at: scope.at, scope }, 0)
  }

  /** States that were saved. */
  load(rows: readonly StateRow[]): void {
    for (const { key, value } of rows) {
      const [state, seq, device, topic, severity, reason, payload] = unpackr.unpack(value) as [
        KeyState,
        number,
        string,
        string,
        string,
        string,
        unknown
      ]
      const origin = { seq, device, topic, severity, reason, payload }
      const record: KeyRecord = { state, origin, dueAt: null, appointment: null }
      this.#keys.set(key, record)
      this.#context.counts.keys++
      this.#plan(key, record)
    }
  }

  /** Adds the rows of states that changed since the last time. */
  save(transaction: Transaction): void {
    const scope = stateScope(this.#rule.name)
    for (const key of this.#dirty) {
      const record = this.#keys.get(key)
      if (record === undefined) transaction.write({ delete: 'state', scope, key })
      else transaction.write({ put: 'state', row: { scope, key, value: packRecord(record) } })
    }
    this.#dirty.clear()
  }

  /** Forgets all states; the next `save` forgets them in the database. */
  end(): void {
    for (const [key, record] of this.#keys) {
      this.#context.agenda.cancel(record.appointment)
      this.#dirty.add(key)
    }
    this.#context.counts.keys -= this.#keys.size
    this.#keys.clear()
  }

  // A payload that nobody looks at is not even parsed.
  #originOf(scope: Scope, seq: number): Origin {
    const { device, topic, severity, reason } = scope
    return { seq, device, topic, severity, reason, payload: this.#keepsPayload ? scope.payload : null }
  }

  #wake(key: string, at: number): void {
    const record = this.#keys.get(key)
    if (record === undefined) return
    record.appointment = null
    record.dueAt = null
    const dueAt = this.condition.dueAt(record.state)
    // It was put off since.
    if (dueAt === null || dueAt > at) {
      this.#plan(key, record)
      return
    }
    const open = this.#context.sink.isOpen(this.#rule.name, key)
    try {
      const step = this.condition.wake(record.state, at, open)
      const { origin } = record
      const scope: Scope = { ...origin, at, rate: 0, key, rule: this.#rule.name, count: 0 }
      this.#follow(key, step, { origin, scope, at, record, open })
    } catch (error) {
      this.#failed(error)
    }
  }

  #follow(
    key: string,
    { state, decision }: Step,
    {
      origin,
      scope,
      at,
      record,
      open
    }: { origin: Origin; scope: Scope; at: number; record: KeyRecord | undefined; open: boolean }
  ): void {
    if (state !== null) this.#keep(key, state, { origin, record })
    else if (record !== undefined) this.#drop(key, record)
    switch (decision.verdict) {
      case 'none':
        return
      case 'raise':
        this.#raise(key, scope, { at, origin, severity: decision.severity ?? this.#rule.severity })
        return
      case 'clear':
        if (open) this.#context.sink.clear({ rule: this.#rule.name, key, at, causeSeq: origin.seq })
    }
  }

  #keep(
    key: string,
    state: KeyState,
    { origin, record }: { origin: Origin; record: KeyRecord | undefined }
  ): void {
    let kept = record
    const { seq, device, topic, severity, reason } = origin
    if (kept === undefined) {
      kept = {
        state,
        origin: { seq, device, topic, severity, reason, payload: null },
        dueAt: null,
        appointment: null
      }
      this.#keys.set(key, kept)
      this.#context.counts.keys++
    }
    kept.state = state
    // Field by field: this is on the way of every event.
    const last = kept.origin
    last.seq = seq
    last.device = device
    last.topic = topic
    last.severity = severity
    last.reason = reason
    this.#plan(key, kept)
    kept.origin.payload = kept.dueAt === null ? null : origin.payload
    this.#dirty.add(key)
    this.#context.touch()
  }

  #drop(key: string, record: KeyRecord): void {
    this.#context.agenda.cancel(record.appointment)
    this.#keys.delete(key)
    this.#context.counts.keys--
    this.#dirty.add(key)
    this.#context.touch()
  }

  #plan(key: string, record: KeyRecord): void {
    const dueAt = this.condition.dueAt(record.state)
    const armedAt = record.dueAt
    // Most events put it off: one that comes too early is kept, and looks again.
    if (dueAt === armedAt || (dueAt !== null && armedAt !== null && dueAt > armedAt)) return
    this.#context.agenda.cancel(record.appointment)
    record.dueAt = dueAt
    record.appointment = dueAt === null ? null : this.#context.agenda.add(dueAt, at => this.#wake(key, at))
  }

  #raise(
    key: string,
    scope: Scope,
    { at, origin, severity }: { at: number; origin: Origin; severity: Rule['severity'] }
  ): void {
    const rule = this.#rule
    // Not spread: an event's payload is a getter.
    const { payload, topic, device, reason, rate, count } = scope
    const seen: Scope = { payload, topic, device, at, severity, reason, rate, key, rule: rule.name, count }
    const labels: Record<string, string> = {}
    for (const [name, template] of Object.entries(rule.labels)) labels[name] = template.render(seen)
    this.raised++
    this.#context.sink.raise({
      origin: 'rule',
      rule: rule.name,
      key,
      device: origin.device,
      eventTopic: origin.topic,
      severity,
      title: rule.title.render(seen),
      detail: rule.detail.render(seen),
      runbook: rule.runbook,
      labels,
      at,
      causeSeq: origin.seq,
      flapping: rule.flapping
    })
  }

  #failed(error: unknown): void {
    this.errors++
    this.lastError = error instanceof Error ? error.message : String(error)
  }
}

/** Under which the states of a rule's keys are saved. */
export function stateScope(rule: string): string {
  return `rule/${rule}`
}

function packRecord({ state, origin }: KeyRecord): Uint8Array {
  const { seq, device, topic, severity, reason, payload } = origin
  return packr.pack([state, seq, device, topic, severity, reason, payload])
}
