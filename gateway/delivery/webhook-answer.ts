// What a receiver's answer means for the delivery. Pure.
import type { HttpAnswer, HttpAttempt } from './http-attempt.ts'
import type { Outcome } from './notice.ts'

const EXCERPT_CHARS_MAX = 200
/** 4xx that say: later. */
const LATER = new Set([408, 425, 429])

export interface AnswerOptions {
  /** Time of the answer, ms since 1970 UTC. */
  at: number
  /** Takes secrets out of what the receiver answered. */
  redact: (text: string) => string
}

/** The outcome of an attempt. */
export function webhookOutcome(attempt: HttpAttempt, { at, redact }: AnswerOptions): Outcome {
  if ('reason' in attempt)
    return { outcome: attempt.final ? 'refused' : 'failed', detail: asSentence(attempt.reason) }
  const { answer } = attempt
  const { status } = answer
  const detail = describe(answer, redact)
  if (status >= 200 && status < 300) return { outcome: 'sent', detail }
  if (status < 500 && !LATER.has(status)) return { outcome: 'refused', detail }
  const retryAfterMs = retryAfterOf(answer.retryAfter, at)
  return { outcome: 'failed', detail, ...(retryAfterMs !== null && { retryAfterMs }) }
}

/** With a capital at its begin and a full stop at its end. */
export function asSentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
}

function describe({ status, text }: HttpAnswer, redact: (text: string) => string): string {
  const redirected = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  const excerpt = excerptOf(redact(text))
  return `The receiver answered ${status}${redirected}${excerpt === '' ? '.' : `: ${excerpt}`}`
}

/** The start of a text, on one line. */
export function excerptOf(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{White_Space}\uFFFD]+/gu, ' ').trim()
  return line.length > EXCERPT_CHARS_MAX
    ? `${line
        .slice(0, EXCERPT_CHARS_MAX - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}…`
    : line
}

/** Retry-After as ms from now: seconds, or a date (RFC 9110 section 10.2.3); null for anything else. */
export function retryAfterOf(header: string, at: number): number | null {
  const text = header.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  // Date.parse alone would take a number with a sign, or a bare year, for a date.
  const date = /^[A-Z][a-z]+,? .*\d{2}:\d{2}:\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - at)
}
