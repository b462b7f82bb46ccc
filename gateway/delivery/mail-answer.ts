// What an SMTP server's answer means for the delivery. Pure.
import type { Outcome } from './notice.ts'
import { asSentence, excerptOf } from './webhook-answer.ts'

/** What a mailer tells of a message that was accepted for somebody. */
export interface SentMail {
  accepted: readonly unknown[]
  rejected: readonly unknown[]
  response: string
}

export interface FailureContext {
  /** It was stopped from outside. */
  stopped: boolean
  /** The limit that it ran into; null: none. */
  timeoutMs: number | null
  /** Takes secrets out of what the server answered. */
  redact: (text: string) => string
}

/** What was accepted for some is sent: once more would tell them twice. */
export function mailSent(
  { accepted, rejected, response }: SentMail,
  redact: (text: string) => string
): Outcome {
  const answer = `The mail server answered ${excerptOf(redact(response))}`
  if (rejected.length === 0) return { outcome: 'sent', detail: answer }
  const all = accepted.length + rejected.length
  return {
    outcome: 'sent',
    detail: `For ${rejected.length} of ${all} it was refused: ${rejected.map(String).join(', ')}. ${answer}`
  }
}

/** 5xx is final (RFC 5321 section 4.2.1); everything else may succeed later. */
export function mailFailure(error: unknown, { stopped, timeoutMs, redact }: FailureContext): Outcome {
  const { code = '', responseCode, response = '' } = (error ?? {}) as MailError
  if (responseCode !== undefined) {
    const detail = `The mail server answered ${excerptOf(redact(response)) || responseCode}`
    return { outcome: responseCode >= 500 && responseCode < 600 ? 'refused' : 'failed', detail }
  }
  if (stopped) return failed('the attempt was stopped before it was answered')
  if (timeoutMs !== null) return failed(`the mail server did not take it within ${timeoutMs} ms`)
  return failed(reasons[code] ?? `the mail server can’t be spoken to${code === '' ? '' : ` (${code})`}`)
}

/** Errors as nodemailer throws them. Their messages are not told, as they may quote what was sent. */
interface MailError {
  code?: string
  responseCode?: number
  response?: string
}

const reasons: Readonly<Record<string, string>> = {
  EDNS: 'the mail server’s name could not be looked up',
  ECONNECTION: 'the connection to the mail server failed',
  ECONNREFUSED: 'the mail server refused the connection',
  ECONNRESET: 'the mail server reset the connection',
  ESOCKET: 'the connection to the mail server failed',
  ETIMEDOUT: 'the mail server did not answer in time',
  ETLS: 'the connection to the mail server could not be secured',
  EPROTOCOL: 'the mail server answered something that is not SMTP'
}

function failed(reason: string): Outcome {
  return { outcome: 'failed', detail: asSentence(reason) }
}
