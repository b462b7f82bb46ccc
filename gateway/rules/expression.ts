// Expressions of rules: Common Expression Language, type-checked when they are read.

/** What expressions and templates see. Which of it there is depends on the rule's type. */
export interface Scope {
  /** The event's payload: JSON's value, a MessagePack value, text, or null for bytes. */
  payload: unknown
  topic: string
  device: string
  /** Time of receipt, ms since 1970 UTC. */
  at: number
  severity: string
  /** Of presence: why. Empty for events. */
  reason: string
  /** Of a rate rule. 0 elsewhere. */
  rate: number
  /** In templates. */
  key: string
  rule: string
  count: number
}

/** A compiled expression. */
export interface Expression<Value> {
  readonly source: string
  /** Throws when it can't be worked out for this scope, or gives another type than it must. */
  evaluate(scope: Scope): Value
}
