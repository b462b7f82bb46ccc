// Tells by a signed POST.
import { hostProblem } from '../addresses.ts'
import type { ChannelContext } from '../channel-context.ts'
import type { FormatPlan, WebhookPlan } from '../channel-plan.ts'
import { alertmanagerFormat } from '../formats/alertmanager.ts'
import type { Format } from '../formats/format.ts'
import { templateFormat } from '../formats/template.ts'
import { tocsinFormat } from '../formats/tocsin.ts'
import { HttpPoster } from '../http-attempt.ts'
import type { Channel } from '../notice.ts'
import { redaction } from '../redaction.ts'
import { signatureHeaders, signingKey } from '../signature.ts'
import { webhookOutcome } from '../webhook-answer.ts'
import { parseWebhookUrl, shownUrl, urlSecrets } from '../webhook-url.ts'

const AUTHORIZATION = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/

/** Rejects, with a sentence without secrets, where a secret can’t be read or can’t be what it should be. */
export async function openWebhook(plan: WebhookPlan, context: ChannelContext): Promise<Channel> {
  const { secret, settings, publicUrl, version, now = Date.now } = context
  const url = await readUrl(plan, context)
  const signing = plan.secretFile === null ? null : await secret(plan.secretFile)
  const key = signing === null ? null : signingKey(signing)
  const authorization = await readAuthorization(plan, context)
  const format = formatOf(plan.format)
  const poster = new HttpPoster(url, settings)
  const credentials = authorization === null ? [] : [authorization, authorization.replace(/^\S+ /, '')]
  const redact = redaction([...(signing === null ? [] : [signing]), ...credentials, ...urlSecrets(url)])
  return {
    name: plan.name,
    type: 'webhook',
    target: shownUrl(url),
    async send(notice, signal) {
      const { body, contentType } = format(notice, { channel: plan.name, publicUrl })
      const headers = {
        accept: '*/*',
        'user-agent': `Tocsin/${version}`,
        ...(plan.format.is === 'template' && plan.format.headers),
        'content-type': contentType,
        ...(authorization !== null && { authorization }),
        ...signatureHeaders({ id: notice.id, at: now(), body }, key)
      }
      return webhookOutcome(await poster.post({ headers, body }, signal), { at: now(), redact })
    },
    close: () => poster.close()
  }
}

async function readUrl({ url: from }: WebhookPlan, { secret, settings }: ChannelContext): Promise<URL> {
  const text = 'text' in from ? from.text : (await secret(from.file)).trim()
  const parsed = parseWebhookUrl(text)
  if (!parsed.ok) throw new Error(`${'text' in from ? 'url' : `the URL in ${from.file}`} ${parsed.problem}`)
  const problem = settings.allowPrivateAddresses ? null : hostProblem(parsed.url.hostname)
  if (problem !== null) throw new Error(problem)
  return parsed.url
}

/** The header: a file holds all of it, or a token alone, which is a bearer’s. */
async function readAuthorization(
  { authorizationFile: file }: WebhookPlan,
  { secret }: ChannelContext
): Promise<string | null> {
  if (file === null) return null
  const text = (await secret(file)).trim()
  if (!AUTHORIZATION.test(text))
    throw new Error(`what is in ${file} can’t be sent as the header Authorization`)
  return text.includes(' ') ? text : `Bearer ${text}`
}

function formatOf(plan: FormatPlan): Format {
  switch (plan.is) {
    case 'tocsin':
      return tocsinFormat
    case 'alertmanager':
      return alertmanagerFormat
    case 'template':
      return templateFormat(plan.template)
  }
}
