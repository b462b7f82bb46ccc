// Everything that goes wrong over HTTP, as problem JSON (RFC 9457) with a `code`.
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import { errorCodes, GatewayError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'

const TYPE = 'application/problem+json; charset=utf-8'

/** The body of a problem. */
export function problemOf(error: GatewayError): Record<string, unknown> {
  const { status, title } = errorCodes[error.code]
  return { type: 'about:blank', title, status, detail: error.message, code: error.code, ...error.extra }
}

/** Answers a request with a problem. */
export function sendProblem(reply: FastifyReply, error: GatewayError): FastifyReply {
  return reply
    .code(error.status)
    .headers(error.headers)
    .type(TYPE)
    .send(JSON.stringify(problemOf(error)))
}

/** Answers on a connection that has no reply object (an upgrade, or bytes that are no request), and ends it. */
export function endWithProblem(socket: Duplex, error: GatewayError): void {
  if (!socket.writable) return void socket.destroy()
  const body = JSON.stringify(problemOf(error))
  const headers = {
    ...error.headers,
    'content-type': TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close'
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
}

/** Makes every error of the application a problem. Errors of ours are what was meant; others are failures and logged. */
export function installProblems(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: FastifyError | GatewayError, request, reply) => {
    const known = error instanceof GatewayError ? error : translate(error)
    if (known.status >= 500 && !(error instanceof GatewayError))
      logger.error(
        { err: error, method: request.method, route: request.routeOptions.url },
        'a request failed'
      )
    if (reply.raw.headersSent) return void reply.raw.destroy()
    return sendProblem(reply, known)
  })
  const methods = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set()
    methods.set(url, known)
    for (const name of [method].flat()) known.add(name)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = [...methods].find(([pattern]) => matches(pattern, path))?.[1]
    // A file that is missing is looked for by a route that is there.
    if (allowed === undefined || allowed.has(request.method))
      return sendProblem(
        reply,
        new GatewayError('route-unknown', `nothing is served at ${path.slice(0, 200)}`)
      )
    const allow = [...allowed].toSorted().join(', ')
    const message = `${request.method} is not served here; ${allow} is`
    return sendProblem(reply, new GatewayError('method-not-allowed', message, { headers: { allow } }))
  })
}

/** Whether a route's pattern, with `:name` segments and perhaps a `*` at its end, is that of a path. */
function matches(pattern: string, path: string): boolean {
  const want = pattern.split('/')
  const have = path.split('/')
  if (want.at(-1) === '*' ? have.length < want.length : have.length !== want.length) return false
  return want.every((part, at) => part === '*' || part.startsWith(':') || part === have[at])
}

/** What Fastify's own errors are called here. */
function translate(error: FastifyError): GatewayError {
  if (error.validation) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      path: `${error.validationContext ?? ''}${instancePath}`,
      message: message ?? ''
    }))
    return new GatewayError('request-invalid', error.message, { extra: { errors } })
  }
  const code =
    fastifyCodes[error.code] ??
    (error.statusCode !== undefined && error.statusCode < 500 ? 'request-invalid' : 'internal')
  return new GatewayError(
    code,
    code === 'internal' ? 'the server failed; its log says more' : error.message,
    {
      cause: error
    }
  )
}

const fastifyCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type-unsupported',
  FST_ERR_CTP_INVALID_JSON_BODY: 'json-invalid',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'json-invalid'
}

/** Answers what Fastify refuses before it has a route. */
export function onFrameworkError(error: FastifyError, _request: unknown, reply: FastifyReply): void {
  sendProblem(reply, translate(error))
}

/** Answers bytes that are no HTTP request. */
export function onClientError(error: Error & { code?: string }, socket: Duplex): void {
  const code = clientErrorCodes[error.code ?? ''] ?? 'request-invalid'
  if (error.code === 'ECONNRESET') return void socket.destroy()
  endWithProblem(socket, new GatewayError(code, 'what came is not a request this server can read'))
}

const clientErrorCodes: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout'
}
