// Rules as a file would say them, and conditions driven like the engine drives them.
import { parseRules } from '../../../gateway/rules/parse-rules.ts'
import { openCondition } from '../../../gateway/rules/open-condition.ts'
import type { Happening, KeyState, Step } from '../../../gateway/rules/condition.ts'
import type { Rule } from '../../../gateway/rules/rule.ts'
import { readYaml, type Problem } from '../../../gateway/alerting/yaml-reader.ts'
import { scopeOf } from './scopes.ts'

/** The rules of a YAML list, and what is wrong with it. */
export function rulesOf(yaml: string): { rules: Rule[]; problems: Problem[] } {
  const { root, problems } = readYaml(yaml)
  return { rules: root === null ? [] : parseRules(root), problems }
}

/** The only rule of a YAML mapping; a name is given to it. */
export function ruleOf(yaml: string): Rule {
  const { rules, problems } = rulesOf(`- {name: a-rule, ${yaml}}`)
  const [rule] = rules
  if (rule === undefined || problems.length > 0) throw new Error(JSON.stringify(problems))
  return rule
}

/** One key of a rule; minutes count from 0. */
export class Watched {
  readonly #condition
  #state: KeyState | null = null
  open = false
  /** `raise` and `clear` with their minutes, as `raise@5`. */
  readonly told: string[] = []

  constructor(yaml: string) {
    this.#condition = openCondition(ruleOf(yaml))
  }

  get state(): KeyState | null {
    return this.#state
  }

  get dueMinute(): number | null {
    const dueAt = this.#state === null ? null : this.#condition.dueAt(this.#state)
    return dueAt === null ? null : dueAt / 60_000
  }

  event(minute: number, payload: unknown): this {
    return this.#take('event', minute, payload)
  }

  offline(minute: number): this {
    return this.#take('offline', minute, null)
  }

  online(minute: number): this {
    return this.#take('online', minute, null)
  }

  /** Time passes. */
  until(minute: number): this {
    for (let due = this.dueMinute; due !== null && due <= minute; due = this.dueMinute) {
      const state = structuredClone(this.#state) as KeyState // as if it had been saved and loaded
      this.#follow(this.#condition.wake(state, due * 60_000, this.open), due)
    }
    return this
  }

  #take(kind: Happening['kind'], minute: number, payload: unknown): this {
    this.until(minute)
    const scope = scopeOf({ payload, at: minute * 60_000 })
    const happening: Happening = { kind, at: minute * 60_000, scope, open: this.open }
    return this.#follow(this.#condition.take(this.#state, happening), minute)
  }

  #follow({ state, decision }: Step, minute: number): this {
    this.#state = state
    if (decision.verdict === 'none') return this
    this.open = decision.verdict === 'raise'
    const severity = decision.verdict === 'raise' && decision.severity ? `:${decision.severity}` : ''
    this.told.push(`${decision.verdict}${severity}@${minute}`)
    return this
  }
}
