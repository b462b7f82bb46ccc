// What the names in a template stand for. Pure.
import type { Severity } from '../../../store/notification.ts'
import { noticeUrl } from '../links.ts'
import type { Notice } from '../notice.ts'
import {
  countOf,
  cut,
  oneLine,
  reasonText,
  severityOf,
  shortText,
  subjectOf,
  timeText,
  titleOf
} from '../wording.ts'
import type { FormatContext } from './format.ts'

/** Names that templates may use; besides, `labels.NAME`. */
export const templateNames = [
  'title',
  'subject',
  'text',
  'detail',
  'status',
  'reason',
  'severity',
  'rule',
  'device',
  'key',
  'count',
  'runbook',
  'url',
  'route',
  'channel',
  'time',
  'id',
  'priority',
  'color',
  'style'
] as const
export type TemplateName = (typeof templateNames)[number]

/** Slack and others refuse longer ones. */
const TITLE_CHARS_MAX = 140
const TEXT_CHARS_MAX = 2800
const NAME_CHARS_MAX = 300
const NAMES_MAX = 3

/** From 1 to 5, as ntfy and others count. */
const priorities: Record<Severity, number> = { info: 2, warning: 3, minor: 3, major: 4, critical: 5 }
const RESOLVED_PRIORITY = 3

const colors: Record<Severity, string> = {
  info: '#5b8def',
  warning: '#e0b400',
  minor: '#e0b400',
  major: '#e8590c',
  critical: '#d6336c'
}
const RESOLVED_COLOR = '#2f9e44'

/** Styles of containers in adaptive cards. */
const styles: Record<Severity, string> = {
  info: 'accent',
  warning: 'warning',
  minor: 'warning',
  major: 'attention',
  critical: 'attention'
}

/** The value of each name for a notice; a name that has none is empty. */
export function templateValues(
  notice: Notice,
  { channel, publicUrl }: FormatContext
): Record<TemplateName, string | number> {
  const severity = severityOf(notice)
  const ended = notice.status === 'resolved'
  const of = (part: 'rule' | 'device' | 'key' | 'runbook'): string =>
    cut(together(notice.alerts.map(alert => alert[part])), NAME_CHARS_MAX)
  const url = noticeUrl(publicUrl, notice)
  return {
    title: cut(titleOf(notice), TITLE_CHARS_MAX),
    subject: cut(subjectOf(notice), TITLE_CHARS_MAX),
    text: cut([reasonText(notice), shortText(notice)].filter(part => part !== '').join('\n'), TEXT_CHARS_MAX),
    detail: cut(oneLine(notice.alerts[0]?.detail ?? ''), TEXT_CHARS_MAX),
    status: notice.status,
    reason: notice.reason,
    severity,
    rule: of('rule'),
    device: of('device'),
    key: of('key'),
    count: countOf(notice),
    runbook: of('runbook'),
    url,
    route: notice.route,
    channel,
    time: timeText(notice.at),
    id: notice.id,
    priority: ended ? RESOLVED_PRIORITY : priorities[severity],
    color: ended ? RESOLVED_COLOR : colors[severity],
    style: ended ? 'good' : styles[severity]
  }
}

/** The value of a label, of each alert that has it. */
export function labelValue({ alerts }: Notice, name: string): string {
  const values = alerts.map(({ labels }) => (Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''))
  return cut(together(values), NAME_CHARS_MAX)
}

/** `a, b, c and 2 more`, each once. */
function together(texts: readonly string[]): string {
  const all = [...new Set(texts.map(oneLine).filter(text => text !== ''))]
  const more = all.length - NAMES_MAX
  const shown = all.slice(0, NAMES_MAX).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}
