// The body that Prometheus’ Alertmanager sends to webhooks, version 4, for receivers that know that one.
import { createHash } from 'node:crypto'
import { alertUrl } from '../links.ts'
import type { Notice, NoticeAlert } from '../notice.ts'
import { JSON_TYPE } from './format.ts'
import type { FormatContext, Formatted } from './format.ts'

/** `endsAt` of what has not ended. */
const NO_TIME = '0001-01-01T00:00:00Z'

type Names = Record<string, string>

/** A rule is `alertname`; what an alert is about are labels, and its texts annotations. */
export function alertmanagerFormat(notice: Notice, { channel, publicUrl }: FormatContext): Formatted {
  const alerts = notice.alerts.map(alert => alertBody(alert, publicUrl))
  const groupLabels = Object.fromEntries(
    Object.entries(notice.group).map(([name, value]) => [name === 'rule' ? 'alertname' : name, value])
  )
  const body = {
    version: '4',
    groupKey: groupKeyOf(notice),
    truncatedAlerts: notice.truncated,
    status: notice.status,
    receiver: channel,
    groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: publicUrl,
    alerts
  }
  return { contentType: JSON_TYPE, body: JSON.stringify(body) }
}

function alertBody(alert: NoticeAlert, publicUrl: string) {
  const { rule, device, key, severity, title, detail, runbook, state, firstAt, resolvedAt } = alert
  return {
    status: state,
    labels: withoutEmpty({ alertname: rule, device, key, severity, ...alert.labels }),
    annotations: withoutEmpty({ summary: title, description: detail, runbook_url: runbook }),
    startsAt: new Date(firstAt).toISOString(),
    endsAt: state === 'resolved' ? new Date(resolvedAt).toISOString() : NO_TIME,
    generatorURL: alertUrl(publicUrl, alert.id),
    fingerprint: fingerprintOf(alert)
  }
}

/** 16 hexadecimal digits, the same for every alert of a rule and key. */
function fingerprintOf({ rule, key }: NoticeAlert): string {
  return createHash('sha256')
    .update(JSON.stringify([rule, key]))
    .digest('hex')
    .slice(0, 16)
}

function groupKeyOf({ route, group }: Notice): string {
  const values = Object.entries(group).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `${route}:{${values.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`
}

/** What is the same in all of them. */
function common(all: readonly Names[]): Names {
  const [first = {}, ...others] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every(other => Object.hasOwn(other, name) && other[name] === value)
    )
  )
}

function withoutEmpty(names: Names): Names {
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== ''))
}
