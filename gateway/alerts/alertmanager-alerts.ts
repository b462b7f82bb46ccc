// Reads the body of POST /api/v2/alerts, in which a Prometheus sends its alerts to an Alertmanager. Pure.
// Source: the OpenAPI specification of Alertmanager's API, version 2 (`postableAlerts`).
import { createHash } from 'node:crypto'
import type { Severity } from '../../store/notification.ts'
import { isDeviceId } from '../http/posted-events.ts'
import type { AlertOperation } from './alert-operation.ts'
import { invalidBody, isWebUrl, OutsideFields } from './outside-fields.ts'
import type { BodyProblem } from './outside-fields.ts'

const ALERTS_MAX = 10_000
const KEY_CHARS_MAX = 512
const TITLE_CHARS_MAX = 500
const DETAIL_CHARS_MAX = 8192
const URL_CHARS_MAX = 2048
/** Go’s zero time is in the year 1: an end before this is none. */
const ENDS_AT_MIN_MS = 0

// The words that rules in the wild use; others are a warning.
const severityWords: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  emergency: 'critical',
  fatal: 'critical',
  disaster: 'critical',
  major: 'major',
  error: 'major',
  high: 'major',
  page: 'major',
  minor: 'minor',
  average: 'minor',
  warning: 'warning',
  warn: 'warning',
  low: 'warning',
  info: 'info',
  information: 'info',
  informational: 'info',
  notice: 'info',
  none: 'info',
  debug: 'info'
}

export interface AlertmanagerAlerts {
  operations: AlertOperation[]
  /** Of alerts that are passed by; the others are good all the same, as Alertmanager has it. */
  problems: BodyProblem[]
}

/** What the body asks for at this time; throws `request-invalid` when it is no list of alerts. */
export function parseAlertmanagerAlerts(body: unknown, at: number): AlertmanagerAlerts {
  if (!Array.isArray(body)) throw invalidBody([{ path: 'body', message: 'must be a list of alerts' }])
  if (body.length > ALERTS_MAX)
    throw invalidBody([{ path: 'body', message: `must hold at most ${ALERTS_MAX} alerts` }])
  const all: AlertmanagerAlerts = { operations: [], problems: [] }
  for (const [index, alert] of body.entries()) {
    const fields = new OutsideFields(alert, `body/${index}`)
    const operation = parseAlert(fields, at)
    if (fields.problems.length === 0) all.operations.push(operation)
    else all.problems.push(...fields.problems)
  }
  return all
}

function parseAlert(fields: OutsideFields, at: number): AlertOperation {
  const labels = fields.labels('labels')
  if (Object.keys(labels).length === 0)
    fields.wrong('labels', 'must hold at least one label that is not empty')
  const annotations = fields.texts('annotations')
  const given = fields.time('endsAt')
  const endsAt = given === null || given < ENDS_AT_MIN_MS ? null : given
  const rule = cut(labels['alertname'] ?? 'alertmanager', 128)
  const named = { origin: 'alertmanager', rule, key: keyOf(labels) } as const
  if (endsAt !== null && endsAt <= at) return { action: 'resolve', ...named, comment: '' }
  const device = labels['device'] ?? labels['instance'] ?? ''
  const runbook = annotations['runbook_url'] ?? ''
  return {
    action: 'trigger',
    ...named,
    device: isDeviceId(device) ? device : '',
    severity: severityOf(labels['severity']),
    title: cut(annotations['summary'] || rule, TITLE_CHARS_MAX),
    detail: cut(annotations['description'] ?? '', DETAIL_CHARS_MAX),
    labels,
    runbook: runbook.length <= URL_CHARS_MAX && isWebUrl(runbook) ? runbook : '',
    endsAt
  }
}

/** A text that is equal for equal labels, whatever their order: `{device="x",site="hall"}`. */
function keyOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .filter(([name]) => name !== 'alertname') // it is the rule
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  const key = `{${pairs.join(',')}}`
  if (key.length <= KEY_CHARS_MAX) return key
  const hash = createHash('sha256').update(key).digest('hex')
  return `${cut(key, KEY_CHARS_MAX - hash.length)}${hash}`
}

function severityOf(word: string | undefined): Severity {
  const known = word?.toLowerCase() ?? ''
  return Object.hasOwn(severityWords, known) ? (severityWords[known] ?? 'warning') : 'warning'
}

function cut(text: string, charsMax: number): string {
  return (text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text).toWellFormed()
}
