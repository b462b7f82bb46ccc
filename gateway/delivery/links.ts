// Where people find what a notice is about. Pure.
import type { Notice } from './notice.ts'

/** The page of an alert; empty where no public URL is configured. */
export function alertUrl(publicUrl: string, id: string): string {
  return publicUrl === '' ? '' : `${publicUrl.replace(/\/+$/, '')}/alerts/${encodeURIComponent(id)}`
}

/** The page of a notice's alert, or of all alerts where it has several; of none for a test, whose alerts are made up. */
export function noticeUrl(publicUrl: string, { alerts, truncated, reason }: Notice): string {
  if (publicUrl === '') return ''
  const [first] = alerts
  if (first === undefined || alerts.length + truncated > 1 || reason === 'test')
    return `${publicUrl.replace(/\/+$/, '')}/alerts`
  return alertUrl(publicUrl, first.id)
}
