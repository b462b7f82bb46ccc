// Reads a webhook channel of the alerting file. Pure.
import type { Fields, Place } from '../alerting/yaml-reader.ts'
import type { FormatPlan, WebhookPlan } from './channel-plan.ts'
import { parseTemplate } from './formats/template.ts'
import { parseWebhookUrl } from './webhook-url.ts'

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,998}[\x21-\x7e])?$/

/** Headers that a template can't set, and what does. */
const ownHeaders: Readonly<Record<string, string>> = {
  authorization: 'authorizationFile sets it, so that no secret stands in this file',
  'proxy-authorization': 'secrets don’t belong in this file',
  cookie: 'secrets don’t belong in this file',
  'content-type': 'contentType sets it',
  'webhook-id': 'it is part of the signature',
  'webhook-timestamp': 'it is part of the signature',
  'webhook-signature': 'it is part of the signature'
}
const connectionHeaders = new Set([
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
])

/** The plan; undefined where something is wrong, which is noted. */
export function parseWebhook(place: Place): Omit<WebhookPlan, 'name' | 'line'> | undefined {
  const fields = place.fields(['url', 'urlFile', 'secretFile', 'authorizationFile', 'format', 'template'])
  if (fields === undefined) return undefined
  const url = parseUrl(fields, place)
  const secretFile = optionalText(fields, 'secretFile')
  const authorizationFile = optionalText(fields, 'authorizationFile')
  const format = parseFormat(fields)
  if (
    url === undefined ||
    secretFile === undefined ||
    authorizationFile === undefined ||
    format === undefined
  )
    return undefined
  return { type: 'webhook', url, secretFile, authorizationFile, format }
}

function optionalText(fields: Fields, name: string): string | null | undefined {
  const place = fields.at(name)
  return place === null ? null : place.text()
}

function parseUrl(fields: Fields, webhook: Place): WebhookPlan['url'] | undefined {
  const file = fields.at('urlFile')
  if (file !== null) {
    if (fields.has('url')) return file.problem('can’t be beside url')
    const name = file.text()
    return name === undefined ? undefined : { file: name }
  }
  const place = fields.at('url')
  if (place === null) return webhook.problem('needs url, or urlFile')
  const text = place.text()
  if (text === undefined) return undefined
  const parsed = parseWebhookUrl(text)
  return parsed.ok ? { text } : place.problem(parsed.problem)
}

function parseFormat(fields: Fields): FormatPlan | undefined {
  const template = fields.at('template')
  if (template === null) {
    const is = fields.has('format') ? fields.at('format')?.oneOf(['tocsin', 'alertmanager']) : 'tocsin'
    return is === undefined ? undefined : { is }
  }
  if (fields.has('format')) return template.problem('can’t be beside format')
  const parts = template.fields(['contentType', 'headers', 'body'])
  if (parts === undefined) return undefined
  const headers = parseHeaders(parts)
  const plan = parseTemplate(parts)
  return headers === undefined || plan === undefined ? undefined : { is: 'template', template: plan, headers }
}

function parseHeaders(fields: Fields): Record<string, string> | undefined {
  const place = fields.at('headers')
  if (place === null) return {}
  const entries = place.entries()
  if (entries === undefined) return undefined
  const headers: [string, string][] = []
  for (const [name, value] of entries) {
    const problem = headerProblem(name)
    if (problem !== null) value.problem(problem)
    const text = value.text()
    if (text === undefined || problem !== null) continue
    if (/[{}]/.test(text)) value.problem('is sent as it is written: names in braces are for body alone')
    else if (!HEADER_VALUE.test(text)) value.problem('must be ASCII on one line, at most 1000 characters')
    else headers.push([name.toLowerCase(), text])
  }
  return headers.length === entries.length ? Object.fromEntries(headers) : undefined
}

function headerProblem(name: string): string | null {
  if (!HEADER_NAME.test(name)) return 'is not a header’s name'
  const lower = name.toLowerCase()
  if (connectionHeaders.has(lower)) return 'can’t be set'
  const own = Object.hasOwn(ownHeaders, lower) ? ownHeaders[lower] : undefined
  return own === undefined ? null : `can’t be set: ${own}`
}
