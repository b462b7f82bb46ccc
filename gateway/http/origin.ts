// Which web pages may open a WebSocket or act with a session. Browsers send cookies and reach loopback for any page that
// asks, and say in `Origin` which page it was; other clients send none.
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../errors.ts'

/** Pages that may connect beside those of the host that is asked. */
export interface PageOrigins {
  allowed: readonly string[]
  /** The host that people reach by https: a page that came from it without is somebody else's. */
  httpsHost: string | null
}

export function pageOrigins({
  allowedOrigins,
  publicUrl
}: {
  allowedOrigins: readonly string[]
  publicUrl: string
}): PageOrigins {
  const own = URL.canParse(publicUrl) ? new URL(publicUrl) : null
  return {
    allowed: own === null ? allowedOrigins : [...allowedOrigins, own.origin],
    httpsHost: own?.protocol === 'https:' ? own.host : null
  }
}

/** Throws `origin-refused` when the page is neither of this host nor allowed. A request without `Origin` passes. */
export function checkOrigin({ headers }: Pick<IncomingMessage, 'headers'>, origins: PageOrigins): void {
  const { origin, host } = headers
  if (origin === undefined || origins.allowed.includes(origin)) return
  if (host !== undefined && hostOf(origin) === host && host !== origins.httpsHost) return
  throw new GatewayError(
    'origin-refused',
    `pages of ${origin.slice(0, 100)} may not connect; see http.allowedOrigins`
  )
}

/** For what a browser would do with a cookie for any page: such a request must say that it is of ours. */
export function requireOrigin(request: Pick<IncomingMessage, 'headers'>, origins: PageOrigins): void {
  if (request.headers.origin === undefined)
    throw new GatewayError(
      'origin-refused',
      'with a session’s cookie this needs the page’s Origin; programs send a token as "Authorization: Bearer …"'
    )
  checkOrigin(request, origins)
}

/**
 * Throws `origin-refused` unless a request that brings a session's cookie comes from a page of ours. A browser leaves
 * out `Origin` where a page merely reads, and says in `Sec-Fetch-Site` then whether the page was another's.
 */
export function checkCookieUse(
  request: Pick<IncomingMessage, 'headers' | 'method'>,
  origins: PageOrigins
): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  const reads = request.method === 'GET' || request.method === 'HEAD'
  const own = site === undefined || site === 'same-origin' || site === 'none'
  if (!reads || origin !== undefined) return requireOrigin(request, origins)
  if (!own) throw new GatewayError('origin-refused', 'pages of other origins may not read with a session')
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}
