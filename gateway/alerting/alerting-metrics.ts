// Metrics of rules, from the counts that they keep themselves. A rule's name is configuration, so it may be a label.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { registerCounter, registerGauge } from '../../store/figures.ts'
import type { RuleAtWork } from '../rules/rule-at-work.ts'
import type { RuleEngine } from '../rules/rule-engine.ts'

export interface AlertingFigures {
  engine: RuleEngine
  /** Notifications that are not judged yet. */
  behind: () => number
}

export function registerAlertingMetrics(registry: Registry, { engine, behind }: AlertingFigures): void {
  const counters: [string, string, (work: RuleAtWork) => number][] = [
    ['tocsin_rule_evaluations_total', 'Times a rule judged something.', work => work.evaluations],
    ['tocsin_rule_errors_total', 'Times a rule’s expressions failed.', work => work.errors],
    ['tocsin_rule_raises_total', 'Times a rule’s condition was met.', work => work.raised]
  ]
  for (const [name, help, read] of counters) {
    const counter = new Counter({
      name,
      help,
      labelNames: ['rule'],
      registers: [],
      collect() {
        this.reset()
        for (const work of engine.works()) this.inc({ rule: work.rule.name }, read(work))
      }
    })
    registry.registerMetric(counter)
  }
  const keys = new Gauge({
    name: 'tocsin_rule_keys',
    help: 'Keys of which a rule keeps a state.',
    labelNames: ['rule'],
    registers: [],
    collect() {
      this.reset()
      for (const work of engine.works()) this.set({ rule: work.rule.name }, work.keys)
    }
  })
  registry.registerMetric(keys)
  registerCounter(
    registry,
    {
      name: 'tocsin_rule_keys_refused_total',
      help: 'Times a key was not judged because there were too many.'
    },
    () => engine.refused
  )
  registerGauge(
    registry,
    {
      name: 'tocsin_alerting_behind_notifications',
      help: 'Notifications in the log that rules have not judged yet.'
    },
    behind
  )
}
