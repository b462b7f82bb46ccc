// Which web pages may open a WebSocket. Browsers send cookies and reach loopback for any page that asks, and say in
// `Origin` which page it was; other clients send none.
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../errors.ts'

/** Throws `origin-refused` unless the page is of this host or one of the allowed origins. */
export function checkOrigin({ headers }: IncomingMessage, allowed: readonly string[]): void {
  const { origin, host } = headers
  if (origin === undefined || allowed.includes(origin) || (host !== undefined && hostOf(origin) === host))
    return
  throw new GatewayError(
    'origin-refused',
    `pages of ${origin.slice(0, 100)} may not connect; see http.allowedOrigins`
  )
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}
