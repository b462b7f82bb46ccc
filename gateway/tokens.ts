// Operators' tokens: who a request comes from and what it may do.
import { roles } from '../store/store.ts'
import type { Role, TokenRow } from '../store/store.ts'
import type { Tokens } from '../store/tokens.ts'
import { GatewayError } from './errors.ts'

/** Whether a role includes what another may do. */
export function includesRole(have: Role, need: Role): boolean {
  return roles.indexOf(have) >= roles.indexOf(need)
}

/** The row of the token in an Authorization header; throws `unauthorized`. */
export function findOperator(authorization: string | undefined, tokens: Tokens): TokenRow {
  const token = /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw unauthorized('send a token as "Authorization: Bearer …"')
  const row = tokens.find(token)
  if (row === undefined) throw unauthorized('the token is unknown or was revoked')
  return row
}

/** Throws `token-in-url` when the URL carries what looks like a credential: URLs end in logs and histories. */
export function refuseTokenInUrl(url: string): void {
  const query = url.indexOf('?')
  if (query < 0) return
  const parameters = new URLSearchParams(url.slice(query + 1))
  if (['token', 'access_token', 'authorization'].some(name => parameters.has(name)))
    throw new GatewayError('token-in-url', 'URLs end up in logs; send the token as "Authorization: Bearer …"')
}

/** The refusal of who did not say who it is; `message` says what to do. */
export function unauthorized(message: string): GatewayError {
  return new GatewayError('unauthorized', message, { headers: { 'www-authenticate': 'Bearer' } })
}
