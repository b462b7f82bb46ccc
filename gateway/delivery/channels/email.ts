// Tells by mail, through the SMTP server of the settings.
import { createHash } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { createTransport } from 'nodemailer'
import type { ChannelContext, MailServer } from '../channel-context.ts'
import type { EmailPlan } from '../channel-plan.ts'
import { alertUrl } from '../links.ts'
import { mailFailure, mailSent } from '../mail-answer.ts'
import type { Channel, Notice } from '../notice.ts'
import { redaction } from '../redaction.ts'
import { longText, severityOf, subjectOf } from '../wording.ts'

/** Rejects where the settings name no SMTP server. */
export async function openEmail(plan: EmailPlan, context: ChannelContext): Promise<Channel> {
  const { mail, publicUrl, settings } = context
  if (mail.host === '') throw new Error('mail.host is not set: it names the SMTP server that e-mail needs')
  if (mail.from === '') throw new Error('mail.from is not set: it is the sender’s address that e-mail needs')
  const transport = createTransport(transportOptions(mail, settings.timeoutMs))
  const redact = redaction(secretsOf(mail))
  return {
    name: plan.name,
    type: 'email',
    target: [...plan.to, ...plan.cc].join(', '),
    async send(notice, signal) {
      if (signal.aborted) return mailFailure(null, { stopped: true, timeoutMs: null, redact })
      const limit = AbortSignal.timeout(settings.timeoutMs)
      try {
        const sent = await transport.sendMail({
          ...messageOf(notice, { plan, mail, publicUrl }),
          signal: AbortSignal.any([signal, limit])
        })
        return mailSent(sent, redact)
      } catch (error) {
        const timeoutMs = limit.aborted ? settings.timeoutMs : null
        return mailFailure(error, { stopped: signal.aborted, timeoutMs, redact })
      }
    },
    close: () => transport.close()
  }
}

function transportOptions(
  { host, port, secure, requireTls, user, password, ca }: MailServer,
  timeoutMs: number
) {
  return {
    host,
    port,
    secure,
    requireTLS: requireTls,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user !== '' && { auth: { user, pass: password ?? '' } }),
    ...(ca !== null && { tls: { ca: [...rootCertificates, ca] } })
  }
}

/** In answers, a server may repeat what it was sent, which is base64 of them. */
function secretsOf({ user, password }: MailServer): string[] {
  if (password === null) return []
  const plain = Buffer.from(`\0${user}\0${password}`, 'utf8').toString('base64')
  return [password, Buffer.from(password, 'utf8').toString('base64'), plain]
}

interface MessageContext {
  plan: EmailPlan
  mail: MailServer
  publicUrl: string
}

function messageOf(notice: Notice, { plan, mail, publicUrl }: MessageContext) {
  const urgent = notice.status === 'firing' && severityOf(notice) === 'critical' && notice.reason !== 'test'
  const text = longText(notice, ({ id }) => (notice.reason === 'test' ? '' : alertUrl(publicUrl, id)))
  return {
    from: mail.from,
    to: plan.to,
    cc: plan.cc,
    subject: subjectOf(notice),
    text: `${text}\n\n-- \nTocsin, channel ${plan.name}, route ${notice.route}\n`,
    messageId: messageIdOf(notice.id, mail.from),
    headers: { 'Auto-Submitted': 'auto-generated', ...(urgent && { 'X-Priority': '1 (Highest)' }) }
  }
}

/** The same for each attempt, so that who gets a message twice can tell (RFC 5322 section 3.6.4). */
export function messageIdOf(id: string, from: string): string {
  const local = /^[A-Za-z0-9_-]{1,64}$/.test(id)
    ? id
    : createHash('sha256').update(id).digest('hex').slice(0, 32)
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'tocsin.invalid'
  return `<tocsin.${local}@${domain}>`
}
