// What the HTTP routes share, and what they add to Fastify's own types.
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Role, Store, TokenRow } from '../../store/store.ts'
import type { Alerting } from '../alerting/alerting.ts'
import type { DeviceDirectory } from '../device-directory.ts'
import type { FeedServer } from '../feed/feed-server.ts'
import type { FeedCounts } from '../feed/feed-metrics.ts'
import type { Hub } from '../feed/hub.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { GatewaySettings } from '../settings.ts'
import type { Overview } from '../overview/overview.ts'
import type { Tokens } from '../../store/tokens.ts'
import type { PageOrigins } from './origin.ts'

export type Phase = 'starting' | 'serving' | 'draining'

export interface HttpContext {
  store: Store
  settings: GatewaySettings
  now: () => number
  logger: Logger
  registry: Registry
  status: () => { phase: Phase }
  version: string
  tokens: Tokens
  sessions: Sessions
  /** Which web pages may act with a session. */
  origins: PageOrigins
  hub: Hub
  feed: FeedServer
  counts: FeedCounts
  directory: DeviceDirectory
  overview: Overview
  alerting: Alerting
  /** Aborted when the gateway closes: whoever waits is answered. */
  draining: AbortSignal
}

/** How a successful answer is described in the OpenAPI document. */
export interface Answers {
  [status: number]: { description: string; schema?: object; type?: string }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role that may call the route; absent: no token is needed. */
    role?: Role
    /** Also answers who brings neither a token nor a session; `request.operator` is null then. */
    forNobody?: true
    summary?: string
    answers?: Answers
    /** It is no operation of the interface, and not in the OpenAPI document. */
    hidden?: boolean
  }
  interface FastifyRequest {
    /** The token the request came with; null where none is needed. */
    operator: TokenRow | null
  }
}
