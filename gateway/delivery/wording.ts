// How a notice is worded for people: what mail and templates share. Pure.
import { severities } from '../../store/notification.ts'
import type { Severity } from '../../store/notification.ts'
import type { Notice, NoticeAlert } from './notice.ts'

/** Lines of `shortText`; what is beyond is counted. */
const LINES_MAX = 10
const LINE_CHARS_MAX = 240

/** The highest severity of what fires, or of everything where nothing does. */
export function severityOf({ alerts }: Notice): Severity {
  const firing = alerts.filter(({ state }) => state === 'firing')
  const levels = (firing.length > 0 ? firing : alerts).map(({ severity }) => severities.indexOf(severity))
  return severities[Math.max(0, ...levels)] ?? 'info'
}

/** How many alerts it tells of, with those it has no room for. */
export function countOf({ alerts, truncated }: Notice): number {
  return alerts.length + truncated
}

/** The alert's title, or how many there are and the first one's. */
export function titleOf(notice: Notice): string {
  const [first] = notice.alerts
  const title = oneLine(first?.title ?? '') || (first?.rule ?? 'an alert')
  return countOf(notice) > 1 ? `${countOf(notice)} alerts: ${title}` : title
}

/** The title with what it means in front: `[critical] freezer-7 is at −3 °C`. */
export function subjectOf(notice: Notice): string {
  return cut(`[${standing(notice)}] ${titleOf(notice)}`, 200)
}

function standing(notice: Notice): string {
  if (notice.reason === 'test') return 'test'
  if (notice.status === 'resolved') return 'resolved'
  const severity = severityOf(notice)
  if (notice.reason === 'escalation') return `${severity}, not acknowledged`
  return notice.reason === 'repeat' ? `${severity}, still firing` : severity
}

/** A line for each alert, and for those it has no room for. */
export function shortText(notice: Notice): string {
  const lines = notice.alerts.slice(0, LINES_MAX).map(lineOf)
  const more = countOf(notice) - lines.length
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}

function lineOf(alert: NoticeAlert): string {
  const { state, severity, device, firstAt, resolvedAt, count, title, rule } = alert
  const times = count > 1 ? `, ${count} times` : ''
  const since =
    state === 'firing' ? `since ${timeText(firstAt)}${times}` : `resolved at ${timeText(resolvedAt)}${times}`
  const what = cut(oneLine(title) || rule, LINE_CHARS_MAX)
  const of = device === '' || title.includes(device) ? '' : `${oneLine(device)}, `
  return `${state === 'firing' ? severity : 'resolved'}: ${what} (${of}${since})`
}

/** Why somebody is told, where it is not that something has just happened; else empty. */
export function reasonText({ reason, status }: Notice): string {
  if (reason === 'test') return 'This is a test of the channel. Nothing is wrong.'
  if (status === 'resolved') return ''
  if (reason === 'escalation') return 'Nobody has acknowledged this.'
  return reason === 'repeat' ? 'This is still so.' : ''
}

/** Everything about each alert, a paragraph each. `urlOf` gives an alert's link, or nothing. */
export function longText(notice: Notice, urlOf: (alert: NoticeAlert) => string): string {
  const paragraphs = notice.alerts.map(alert => paragraphOf(alert, urlOf(alert)))
  const more = notice.truncated > 0 ? [`${notice.truncated} more alerts are not shown.`] : []
  const why = reasonText(notice)
  return [...(why === '' ? [] : [why]), ...paragraphs, ...more].join('\n\n')
}

function paragraphOf(alert: NoticeAlert, url: string): string {
  const { state, severity, count } = alert
  const named: [string, string][] = [
    ['Device', alert.device],
    ['Rule', alert.rule],
    ['Key', alert.key === alert.device ? '' : alert.key],
    ['Topic', alert.eventTopic],
    ...Object.entries(alert.labels),
    ['First', timeText(alert.firstAt)],
    ['Last', count > 1 ? `${timeText(alert.lastAt)} (${count} times)` : ''],
    ['Resolved', state === 'resolved' ? timeText(alert.resolvedAt) : ''],
    ['Runbook', alert.runbook],
    ['Link', url]
  ]
  const lines = named
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${oneLine(name)}: ${oneLine(value)}`)
  const head = `${state === 'firing' ? severity : 'resolved'}: ${oneLine(alert.title) || alert.rule}`
  return [head, ...(alert.detail === '' ? [] : [`  ${oneLine(alert.detail)}`]), ...lines].join('\n')
}

/** A time for people: `2026-01-31 12:30:05 UTC`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** Text with its line breaks and other controls as spaces. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .toWellFormed()
}

/** At most so many characters, the last of them an ellipsis where some are missing. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  return `${text.slice(0, charsMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
