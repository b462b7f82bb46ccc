// Signatures of webhooks by the Standard Webhooks specification (symmetric, version 1). Pure.
import { createHmac } from 'node:crypto'

const PREFIX = 'whsec_'
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** What is signed. `at` is the time of the attempt, ms since 1970 UTC. */
export interface Signed {
  id: string
  at: number
  body: string
}

/**
 * The key's bytes: what follows `whsec_` is base64; any other text is taken as it is, as UTF-8. Throws where `whsec_` is
 * followed by something else.
 */
export function signingKey(secret: string): Buffer {
  if (!secret.startsWith(PREFIX)) return Buffer.from(secret, 'utf8')
  const encoded = secret.slice(PREFIX.length)
  const key = Buffer.from(encoded, 'base64')
  // Node takes anything as base64, and a key of which half was dropped would sign what nobody can verify.
  if (!BASE64.test(encoded) || key.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, ''))
    throw new Error('the secret begins with whsec_, and what follows is not base64')
  return key
}

/** The headers that name a message, with its signature where there is a key. The same id is the same message. */
export function signatureHeaders({ id, at, body }: Signed, key: Buffer | null): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000))
  const headers: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': timestamp }
  if (key === null) return headers
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`, 'utf8').digest('base64')
  return { ...headers, 'webhook-signature': `v1,${mac}` }
}
