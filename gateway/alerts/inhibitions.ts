// Which alerts keep others quiet: while a site's gateway is offline, its devices' being offline is no news.
import type { Place } from '../alerting/yaml-reader.ts'
import type { Alert } from './alert.ts'
import { compileMatch, labelOf } from './match-alert.ts'
import type { AlertTest } from './match-alert.ts'
import type { AlertMatch } from './matcher.ts'
import { parseMatch } from './parse-match.ts'

export interface Inhibition {
  /** Open alerts that keep others quiet. */
  readonly source: AlertMatch
  /** Alerts that are kept quiet. */
  readonly target: AlertMatch
  /** In what the two must be equal: labels' names, or rule, device, key. A label that is missing is as an empty one. */
  readonly equal: readonly string[]
}

/** The file's `inhibit`. */
export function parseInhibitions(list: Place): Inhibition[] {
  return (list.items() ?? []).flatMap(item => parseInhibition(item) ?? [])
}

function parseInhibition(item: Place): Inhibition | undefined {
  const fields = item.fields(['source', 'target', 'equal'])
  const sourceAt = fields?.need('source')
  const targetAt = fields?.need('target')
  const source = sourceAt && parseMatch(sourceAt)
  const target = targetAt && parseMatch(targetAt)
  const equalAt = fields?.at('equal')
  const equal = equalAt ? equalAt.texts() : []
  return source && target && equal && { source, target, equal }
}

interface Side {
  readonly isSource: AlertTest
  readonly isTarget: AlertTest
  readonly equal: readonly string[]
  /** Open sources by their values of `equal`, in the order in which they became one. */
  readonly sources: Map<string, Set<Alert>>
}

/** The open alerts that keep others quiet, found without a look at all of them. */
export class Inhibitors {
  readonly #sides: readonly Side[]

  constructor(inhibitions: readonly Inhibition[], open: Iterable<Alert>) {
    this.#sides = inhibitions.map(({ source, target, equal }) => ({
      isSource: compileMatch(source),
      isTarget: compileMatch(target),
      equal,
      sources: new Map()
    }))
    for (const alert of open) this.take(alert)
  }

  /** Takes an alert as it is now, after each change. Tells whether it has ceased to keep others quiet. */
  take(alert: Alert): boolean {
    let ceased = false
    for (const { isSource, equal, sources } of this.#sides) {
      const values = valuesOf(alert, equal)
      const known = sources.get(values)
      if (alert.state !== 'resolved' && isSource(alert)) {
        if (known === undefined) sources.set(values, new Set([alert]))
        else known.add(alert)
      } else if (known?.delete(alert) === true) {
        ceased = true
        if (known.size === 0) sources.delete(values)
      }
    }
    return ceased
  }

  /**
   * An open alert that keeps this one quiet. One that matches both sides of an inhibition is not kept quiet by another
   * that does so too, and so never by itself, as Alertmanager has it: else they could silence each other.
   */
  inhibitorOf(alert: Alert): Alert | null {
    for (const { isSource, isTarget, equal, sources } of this.#sides) {
      if (!isTarget(alert)) continue
      const bothSides = isSource(alert)
      for (const source of sources.get(valuesOf(alert, equal)) ?? [])
        if (!bothSides || !isTarget(source)) return source
    }
    return null
  }
}

/** Of what never changes in an alert. */
function valuesOf(alert: Alert, equal: readonly string[]): string {
  return JSON.stringify(
    equal.map(name =>
      name === 'rule' || name === 'device' || name === 'key' ? alert[name] : labelOf(alert, name)
    )
  )
}
