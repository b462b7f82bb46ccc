// /v1/session: signing in and out of the console.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { roles } from '../../store/store.ts'
import { GatewayError } from '../errors.ts'
import { SignInCodes } from '../sessions/sign-in-codes.ts'
import { unauthorized } from '../tokens.ts'
import { answerBrowser, operatorOf } from './authorization.ts'
import type { HttpContext } from './context.ts'
import { durably } from './durable.ts'
import { checkOrigin, requireOrigin } from './origin.ts'
import { timeText } from './schemas.ts'

/** What is sent without a token is read only as far as a token or a code can be long. */
const BODY_BYTES_MAX = 4096

const time = { type: 'string', format: 'date-time' }
const session = {
  type: 'object',
  properties: { name: { type: 'string' }, role: { enum: roles }, expiresAt: time }
}
const secret = { type: 'string', minLength: 1, maxLength: 1024 }

export function sessionRoutes(app: FastifyInstance, context: HttpContext): void {
  const { store, tokens, sessions, origins, settings, now, version } = context
  const codes = new SignInCodes({ tokens, validMs: settings.signInCodeMs, now })
  const stored = () =>
    durably({ ledger: sessions, log: store.log, timeoutMs: settings.appendTimeoutMs }, () => undefined)

  app.post<{ Body: { token?: string; code?: string } }>('/v1/session', {
    bodyLimit: BODY_BYTES_MAX,
    config: {
      summary: 'Signs in with a token or a one-time code, and sets the session’s cookie.',
      answers: { 200: { description: 'Signed in', schema: session } }
    },
    schema: {
      body: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        maxProperties: 1,
        properties: { token: secret, code: secret }
      }
    },
    onRequest: async request => checkOrigin(request.raw, origins), // nobody is signed in by somebody else's page
    handler: async (request, reply) => {
      const { token, code } = request.body
      const row = token === undefined ? ofCode(code ?? '') : tokens.find(token)
      if (row === undefined)
        throw unauthorized(
          token === undefined
            ? 'this link was used already, or is too old; ask for a new one with "tocsin console"'
            : 'the token is unknown or was revoked; look whether all of it was copied, or use another'
        )
      const before = sessions.find(request.headers.cookie)
      if (before !== null) sessions.end(before.session) // the browser forgets its cookie now
      const begun = sessions.begin(row.id)
      // Where nothing can be stored, people are let in all the same: now they want to look. The session is stored later.
      await stored().catch(ignoreProblem)
      answerBrowser(reply, sessions.cookie.write(begun.secret, settings.sessionMs))
      return { name: row.name, role: row.role, expiresAt: timeText(begun.session.expiresAt) }
    }
  })

  app.get('/v1/session', {
    config: {
      role: 'viewer',
      forNobody: true,
      summary: 'Who the caller is, and until when.',
      answers: {
        204: { description: 'Nobody: neither a token nor a session came with the request' },
        200: {
          description: 'The session; `expiresAt` is null for a token',
          schema: {
            ...session,
            properties: {
              ...session.properties,
              expiresAt: { ...time, type: ['string', 'null'] },
              version: { type: 'string' }
            }
          }
        }
      }
    },
    handler: async (request, reply) => {
      answerBrowser(reply, null)
      if (request.operator === null) return reply.code(204).send()
      const { name, role } = request.operator
      const expiresAt = request.session === null ? null : timeText(request.session.expiresAt)
      return { name, role, expiresAt, version }
    }
  })

  app.delete('/v1/session', {
    config: {
      summary: 'Signs out: ends the session of the cookie, and the feeds that it opened.',
      answers: { 204: { description: 'Signed out, now or before' } }
    },
    handler: async (request, reply) => {
      checkOrigin(request.raw, origins)
      const signedIn = sessions.find(request.headers.cookie)
      if (signedIn !== null) requireOrigin(request.raw, origins)
      answerBrowser(reply, sessions.cookie.clear())
      if (signedIn === null) return reply.code(204).send()
      sessions.end(signedIn.session)
      await stored()
      return reply.code(204).send()
    }
  })

  app.post('/v1/session/codes', {
    config: {
      role: 'viewer',
      summary: 'A one-time code with which a browser signs in with the rights of the caller’s token.',
      answers: {
        201: {
          description: 'Made; it is in this answer and nowhere else',
          schema: { type: 'object', properties: { code: { type: 'string' }, expiresAt: time } }
        }
      }
    },
    handler: async (request, reply): Promise<FastifyReply> => {
      // Or whoever finds a page open for a moment could carry its rights away, beyond signing out.
      if (request.session !== null)
        throw new GatewayError('forbidden', 'a code is made with a token, not with a session')
      const { code, expiresAt } = codes.issue(operatorOf(request).id)
      answerBrowser(reply, null)
      return reply.code(201).send({ code, expiresAt: timeText(expiresAt) })
    }
  })

  function ofCode(code: string) {
    const tokenId = codes.redeem(code)
    return tokenId === null ? undefined : store.tokens.get(tokenId)
  }
}

function ignoreProblem(error: unknown): void {
  if (!(error instanceof GatewayError)) throw error
}
