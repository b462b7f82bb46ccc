// Lets a request through when it brings a token of the role its route asks for, or the cookie of a session of one.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TokenRow } from '../../store/store.ts'
import type { Tokens } from '../../store/tokens.ts'
import { GatewayError } from '../errors.ts'
import type { Session, Sessions, SignedIn } from '../sessions/sessions.ts'
import { findOperator, includesRole, refuseTokenInUrl, unauthorized } from '../tokens.ts'
import { checkCookieUse } from './origin.ts'
import type { PageOrigins } from './origin.ts'

export interface AuthorizationOptions {
  tokens: Tokens
  sessions: Sessions
  origins: PageOrigins
}

/** Checks who it is before anything of the request is read. Sets `request.operator` and `request.session`. */
export function installAuthorization(app: FastifyInstance, options: AuthorizationOptions): void {
  app.decorateRequest('operator', null)
  app.decorateRequest('session', null)
  app.addHook('onRequest', async (request, reply) => {
    refuseTokenInUrl(request.url)
    const { role, forNobody = false } = request.routeOptions.config
    if (role === undefined) return
    const { authorization, cookie } = request.headers
    if (forNobody && authorization === undefined && options.sessions.cookie.read(cookie).length === 0) return
    const signedIn = authorization === undefined ? findSession(request, options) : null
    const row = signedIn === null ? findOperator(authorization, options.tokens) : signedIn.operator
    if (!includesRole(row.role, role))
      throw new GatewayError(
        'forbidden',
        `this needs a token of the role ${role}; this one is a ${row.role}’s`
      )
    request.operator = row
    request.session = signedIn?.session ?? null
    if (signedIn !== null) answerBrowser(reply, options.sessions.renew(signedIn))
  })
}

/** Whose session's cookie a request brings, from a page that may use it; null where it brings none. */
function findSession(request: FastifyRequest, { sessions, origins }: AuthorizationOptions): SignedIn | null {
  const { cookie } = request.headers
  const signedIn = sessions.find(cookie)
  if (signedIn === null && sessions.cookie.read(cookie).length > 0)
    throw unauthorized('the session has ended; sign in again')
  if (signedIn !== null) checkCookieUse(request.raw, origins)
  return signedIn
}

/** What a browser gets is for nobody else to keep or embed. */
export function answerBrowser(reply: FastifyReply, setCookie: string | null): void {
  reply.header('cache-control', 'no-store').header('cross-origin-resource-policy', 'same-origin')
  if (setCookie !== null) reply.header('set-cookie', setCookie)
}

/** The token a route with a role was called with. */
export function operatorOf(request: FastifyRequest): TokenRow {
  if (request.operator === null) throw new Error(`${request.url} was reached without a token`)
  return request.operator
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The session whose cookie the request came with; null with a token, and where none is needed. */
    session: Session | null
  }
}
