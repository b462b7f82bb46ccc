// Lets a request through when it brings a token of the role its route asks for.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { TokenRow } from '../../store/store.ts'
import { GatewayError } from '../errors.ts'
import { findOperator, includesRole, refuseTokenInUrl } from '../tokens.ts'
import type { Tokens } from '../../store/tokens.ts'

/** Checks the token before anything of the request is read. Sets `request.operator`. */
export function installAuthorization(app: FastifyInstance, tokens: Tokens): void {
  app.decorateRequest('operator', null)
  app.addHook('onRequest', async request => {
    refuseTokenInUrl(request.url)
    const { role } = request.routeOptions.config
    if (role === undefined) return
    const row = findOperator(request.headers.authorization, tokens)
    if (!includesRole(row.role, role))
      throw new GatewayError(
        'forbidden',
        `this needs a token of the role ${role}; this one is a ${row.role}’s`
      )
    request.operator = row
  })
}

/** The token a route with a role was called with. */
export function operatorOf(request: FastifyRequest): TokenRow {
  if (request.operator === null) throw new Error(`${request.url} was reached without a token`)
  return request.operator
}
