// Times, numbers and payloads for people. Pure.
import type { ListEntry } from './feed/notification-list.ts'
import { payloadText } from './feed/feed-query.ts'
import type { Notification } from './api/shapes.ts'
import { texts } from './texts.ts'

const clockFormat = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false
})
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' })
const wholeFormat = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  hour12: false
})
const countFormat = new Intl.NumberFormat('en-GB')
const roundFormat = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 })

/** Time of day, with milliseconds: 12:47:53.432. */
export function clockText(at: number): string {
  return `${clockFormat.format(at)}.${String(Math.floor(at) % 1000).padStart(3, '0')}`
}

/** 12:47:53 today, with the day before it on any other. */
export function shortTimeText(at: number, now: number): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString()
  return sameDay ? clockFormat.format(at) : `${dayFormat.format(at)} ${clockFormat.format(at)}`
}

/** A time on a chart's axis whose marks are so far apart: with seconds where they are close, the day at midnight. */
export function axisTimeText(at: number, stepMs: number): string {
  if (stepMs < 60_000) return clockFormat.format(at)
  const text = clockFormat.format(at).slice(0, 5)
  return stepMs >= 3_600_000 && text === '00:00' ? dayFormat.format(at) : text
}

/** Date and time. */
export function wholeTimeText(at: number): string {
  return wholeFormat.format(at)
}

/** How long something is, in its two largest units: 3 h 20 min. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60)
    return minutes < 10 && seconds % 60 > 0 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 > 0 ? `${hours} h ${minutes % 60} min` : `${hours} h`
  const days = Math.floor(hours / 24)
  return hours % 24 > 0 ? `${days} d ${hours % 24} h` : `${days} d`
}

/** A whole number with its thousands set apart. */
export function countText(count: number): string {
  return countFormat.format(Math.round(count))
}

/** A number with three significant digits; a dash for none. */
export function roundText(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : roundFormat.format(value)
}

/** A payload's first characters, on a line. */
export function payloadLine(payload: unknown, charactersMax = 300): string {
  return payloadText(payload).slice(0, charactersMax).replaceAll(/\s+/g, ' ')
}

/** The fields of a payload that are numbers, with their paths: `{a: {b: 1}}` has `a.b`. A bare number is `value`. */
export function numbersOf(payload: unknown, depthMax = 3): Map<string, number> {
  const found = new Map<string, number>()
  collectNumbers(payload, { path: '', depthLeft: depthMax, found })
  return found
}

interface Collection {
  path: string
  depthLeft: number
  found: Map<string, number>
}

function collectNumbers(value: unknown, { path, depthLeft, found }: Collection): void {
  if (typeof value === 'number' && Number.isFinite(value)) found.set(path === '' ? 'value' : path, value)
  else if (typeof value === 'object' && value !== null && !Array.isArray(value) && depthLeft > 0)
    for (const [name, inner] of Object.entries(value))
      collectNumbers(inner, { path: path === '' ? name : `${path}.${name}`, depthLeft: depthLeft - 1, found })
}

/** What a notification is about and what it says, each on a line. */
export function lineOf(entry: ListEntry): { subject: string; text: string } {
  switch (entry.kind) {
    case 'gap':
      return { subject: texts.feed.gap, text: texts.feed.gapDetail }
    case 'event':
      return { subject: entry.topic, text: payloadLine(entry.payload) }
    case 'presence':
      return { subject: entry.status, text: entry.reason }
    case 'alert':
      return { subject: `${entry.alert} ${texts.changes[entry.change]}`, text: alertText(entry) }
    case 'delivery':
      return {
        subject: `${entry.channel} ${texts.outcomes[entry.outcome]}`,
        text: [(entry.alerts ?? [entry.alert]).join(', '), entry.detail]
          .filter(part => part !== '')
          .join(' · ')
      }
  }
}

function alertText({ title, actor, comment }: Notification & { kind: 'alert' }): string {
  const by = actor === undefined ? '' : ` · ${actor}`
  return `${title}${by}${comment ? `: ${comment}` : ''}`
}
