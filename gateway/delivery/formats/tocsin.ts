// The body of our own: everything that is known of a notice, as JSON. Described in docs/webhooks.md.
import { alertUrl, noticeUrl } from '../links.ts'
import type { Notice, NoticeAlert } from '../notice.ts'
import { JSON_TYPE } from './format.ts'
import type { FormatContext, Formatted } from './format.ts'

/** The notice as receivers read it: times are RFC 3339, and `url` is there where a public URL is configured. */
export function tocsinFormat(notice: Notice, { publicUrl }: Pick<FormatContext, 'publicUrl'>): Formatted {
  const { id, reason, status, route, group, alerts, truncated, at } = notice
  const url = noticeUrl(publicUrl, notice)
  const body = {
    type: 'alerts',
    id,
    reason,
    status,
    route,
    group,
    at: time(at),
    alerts: alerts.map(alert => alertBody(alert, reason === 'test' ? '' : alertUrl(publicUrl, alert.id))),
    truncated,
    ...(url !== '' && { url })
  }
  return { contentType: JSON_TYPE, body: JSON.stringify(body) }
}

function alertBody(alert: NoticeAlert, url: string): object {
  const { firstAt, lastAt, resolvedAt, state, ...same } = alert
  return {
    ...same,
    state,
    firstAt: time(firstAt),
    lastAt: time(lastAt),
    resolvedAt: state === 'resolved' ? time(resolvedAt) : null,
    ...(url !== '' && { url })
  }
}

function time(at: number): string {
  return new Date(at).toISOString()
}
