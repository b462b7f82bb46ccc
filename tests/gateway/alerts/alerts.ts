// Alerts and what raises them, as tests of alerts and deliveries need them.
import type { Raise } from '../../../gateway/alerts/raise.ts'
import type { Alert, AlertId } from '../../../gateway/alerts/alert.ts'

/** An alert that fires; what is not given is of no matter. */
export function alert(overrides: Partial<Alert> = {}): Alert {
  return {
    id: 'a1' as AlertId,
    origin: 'rule',
    rule: 'freezer-too-warm',
    key: 'freezer-1',
    device: 'freezer-1',
    eventTopic: 'site/hall/freezer/1/temperature',
    labels: { site: 'hall' },
    firstAt: 1000,
    state: 'firing',
    severity: 'major',
    title: 'freezer-1 is at -12 °C',
    detail: '',
    runbook: '',
    count: 1,
    lastAt: 1000,
    changedAt: 1000,
    causeSeq: 0,
    acknowledged: null,
    resolved: null,
    flapping: false,
    ...overrides
  }
}

/** What raises such an alert. */
export function raiseOf(overrides: Partial<Raise> = {}): Raise {
  return {
    origin: 'rule',
    rule: 'freezer-too-warm',
    key: 'freezer-1',
    device: 'freezer-1',
    eventTopic: 'site/hall/freezer/1/temperature',
    severity: 'major',
    title: 'freezer-1 is at -12 °C',
    detail: '',
    runbook: '',
    labels: { site: 'hall' },
    at: 1000,
    causeSeq: 0,
    flapping: null,
    ...overrides
  }
}
