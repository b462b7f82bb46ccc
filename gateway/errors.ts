// Everything the operators' side can refuse: codes with their HTTP status and title, and the feed's close codes.
// docs/protocol/feed.md explains each; a test holds the two together.

/** Codes of problem JSON and of the feed's `error` messages. */
export const errorCodes = {
  unauthorized: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'The token’s role does not allow this' },
  'token-in-url': { status: 400, title: 'Tokens do not belong in a URL' },
  'origin-refused': { status: 403, title: 'This origin may not connect' },
  'route-unknown': { status: 404, title: 'There is nothing here' },
  'console-missing': { status: 404, title: 'The console is not there' },
  'notification-unknown': { status: 404, title: 'There is no such notification' },
  'device-unknown': { status: 404, title: 'There is no such device' },
  'token-unknown': { status: 404, title: 'There is no such token' },
  'alert-unknown': { status: 404, title: 'There is no such alert' },
  'silence-unknown': { status: 404, title: 'There is no such silence' },
  'rule-unknown': { status: 404, title: 'There is no such rule' },
  'channel-unknown': { status: 404, title: 'There is no such channel' },
  'delivery-unknown': { status: 404, title: 'There is no such delivery' },
  'method-not-allowed': { status: 405, title: 'This method is not served here' },
  'not-acceptable': { status: 406, title: 'The feed needs a WebSocket or server-sent events' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'device-exists': { status: 409, title: 'The device is registered already' },
  'alert-resolved': { status: 409, title: 'The alert is resolved' },
  'last-admin': { status: 409, title: 'The last admin token can’t be revoked' },
  'body-too-large': { status: 413, title: 'The request body is too large' },
  'media-type-unsupported': { status: 415, title: 'The request body must be JSON' },
  'idempotency-mismatch': { status: 422, title: 'The idempotency key was used for something else' },
  'rule-invalid': { status: 422, title: 'The rule is not valid' },
  'alerting-file-invalid': { status: 422, title: 'The alerting file is not valid' },
  'headers-too-large': { status: 431, title: 'The request’s headers are too large' },
  'request-invalid': { status: 400, title: 'The request is not valid' },
  'json-invalid': { status: 400, title: 'The request body is not JSON' },
  'filter-invalid': { status: 400, title: 'The filter is not valid' },
  'cursor-invalid': { status: 400, title: 'The cursor is not valid' },
  'subprotocol-unsupported': { status: 400, title: 'The WebSocket subprotocol is not supported' },
  internal: { status: 500, title: 'The server failed' },
  draining: { status: 503, title: 'The server is shutting down' },
  'not-ready': { status: 503, title: 'The server can’t take work now' },
  'subscribers-limit': { status: 503, title: 'There are too many subscribers' },
  'alerts-limit': { status: 503, title: 'Too many alerts are open' },
  'silences-limit': { status: 503, title: 'There are too many silences' },
  'dry-runs-limit': { status: 503, title: 'Too many rules are being tried' },
  'store-unavailable': { status: 503, title: 'Nothing can be stored now' },
  'store-busy': { status: 503, title: 'Too much waits to be stored' },
  'store-timeout': { status: 503, title: 'What was sent was not stored in time' },
  // Of the feed alone.
  'message-invalid': { status: 400, title: 'The message is not valid' },
  'auth-required': { status: 401, title: 'The first message must be auth' },
  'auth-repeated': { status: 400, title: 'The connection is authenticated already' },
  'subscription-exists': { status: 409, title: 'The subscription id is in use' },
  'subscription-unknown': { status: 404, title: 'There is no such subscription' },
  'subscriptions-limit': { status: 503, title: 'There are too many subscriptions' },
  'read-failed': { status: 503, title: 'The log can’t be read now' }
} as const
export type ErrorCode = keyof typeof errorCodes

/** Close codes of the feed's WebSocket. 4000–4499: come back and resume; 4500–4999: don't, something must change first. */
export const closeCodes = {
  'shutting-down': 4000,
  stalled: 4001,
  'read-failed': 4002,
  'auth-timeout': 4003,
  unauthorized: 4500,
  'message-invalid': 4501,
  'token-revoked': 4502,
  'session-ended': 4503
} as const
export type CloseReason = keyof typeof closeCodes

/** An error that a client is told, as problem JSON or as an `error` message. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly headers: Readonly<Record<string, string>>
  /** Members of the problem beyond the standard ones. */
  readonly extra: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    {
      headers = {},
      extra = {},
      cause
    }: { headers?: Record<string, string>; extra?: object; cause?: unknown } = {}
  ) {
    super(message, { cause })
    this.name = 'GatewayError'
    this.code = code
    this.headers = headers
    this.extra = { ...extra }
  }

  get status(): number {
    return errorCodes[this.code].status
  }
}
