// Handlers at work: routes events to them by topic, times them, and names those that throw or hold up the event loop.
import { isPromise } from 'node:util/types'
import type { Logger } from 'pino'
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import { formatCursor } from '../../store/cursor.ts'
import type { EventNotification } from '../../store/notification.ts'
import { TopicTrie } from '../../store/topic-trie.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { AlertSink } from '../rules/rule-at-work.ts'
import { payloadValue } from '../rules/payload-value.ts'
import { actionsFor } from './actions.ts'
import type { LoadedHandler } from './load-handlers.ts'

/** Least time between two lines about one handler, so that one that always fails does not fill the log. */
const TELL_MS = 60_000

export interface HandlersOptions {
  ledger: Ledger
  sink: AlertSink
  epoch: string
  /** Time a handler may hold the event loop before it is logged, ms. */
  warnMs: number
  logger: Logger
  registry: Registry
}

export interface HandlerStatus {
  module: string
  pattern: string
  events: number
  errors: number
  lastError: string | null
  /** Times it held the event loop for longer than it may, and the longest. */
  slow: number
  longestMs: number
}

interface Work {
  /** In the log and in metrics. */
  name: string
  handler: LoadedHandler
  status: HandlerStatus
  toldAt: number
}

export class Handlers {
  readonly #options: HandlersOptions
  readonly #counters: Record<'events' | 'errors' | 'slow' | 'seconds', Counter<'handler'>>
  #works: Work[] = []
  #index = new TopicTrie<Work>()

  constructor(options: HandlersOptions) {
    this.#options = options
    const counter = (name: string, help: string) =>
      new Counter({ name, help, labelNames: ['handler'], registers: [options.registry] })
    this.#counters = {
      events: counter('tocsin_handler_events_total', 'Events that a handler was given.'),
      errors: counter('tocsin_handler_errors_total', 'Times a handler failed.'),
      slow: counter('tocsin_handler_slow_total', 'Times a handler held the event loop for too long.'),
      seconds: counter('tocsin_handler_seconds_total', 'Time that a handler held the event loop.')
    }
  }

  configure(handlers: readonly LoadedHandler[]): void {
    this.#index = new TopicTrie()
    this.#works = handlers.map(handler => {
      const { module, pattern } = handler
      const status = { module, pattern, events: 0, errors: 0, lastError: null, slow: 0, longestMs: 0 }
      return { name: `${module} ${pattern}`, handler, status, toldAt: 0 }
    })
    for (const work of this.#works) this.#index.add(work.handler.topic.filter, work)
  }

  statuses(): HandlerStatus[] {
    return this.#works.map(({ status }) => ({ ...status }))
  }

  /** Gives an event to the handlers of its topic. What the server itself published is not given to any: it could go round. */
  take(event: EventNotification): void {
    if (this.#works.length === 0 || event.source === 'server') return
    const works = this.#index.match(event.topic)
    if (works.length === 0) return
    const payload = payloadValue(event) // decoded once for all
    for (const work of works) this.#call(work, event, payload)
  }

  #call(work: Work, event: EventNotification, payload: unknown): void {
    const { ledger, sink, epoch } = this.#options
    const { module, topic, handle } = work.handler
    const { seq, at, device, severity } = event
    const handled = {
      cursor: formatCursor(epoch, seq),
      at,
      device,
      topic: event.topic,
      params: topic.params(event.topic),
      payload,
      severity
    }
    const startedMs = performance.now()
    try {
      const result = handle(handled, actionsFor(event, { module, ledger, sink }))
      if (isPromise(result)) result.catch((error: unknown) => this.#failed(work, error))
    } catch (error) {
      this.#failed(work, error)
    }
    this.#timed(work, performance.now() - startedMs)
  }

  #timed(work: Work, tookMs: number): void {
    const { warnMs, logger } = this.#options
    const { status } = work
    status.events++
    this.#counters.events.inc({ handler: work.name })
    this.#counters.seconds.inc({ handler: work.name }, tookMs / 1000)
    status.longestMs = Math.max(status.longestMs, tookMs)
    if (tookMs < warnMs) return
    status.slow++
    this.#counters.slow.inc({ handler: work.name })
    if (this.#mayTell(work))
      logger.warn({ handler: work.name, tookMs: Math.round(tookMs) }, 'a handler held up the event loop')
  }

  #failed(work: Work, error: unknown): void {
    const { status } = work
    status.errors++
    status.lastError = error instanceof Error ? error.message : String(error)
    this.#counters.errors.inc({ handler: work.name })
    if (this.#mayTell(work)) this.#options.logger.warn({ handler: work.name, err: error }, 'a handler failed')
  }

  #mayTell(work: Work): boolean {
    const now = performance.now()
    if (work.toldAt !== 0 && now - work.toldAt < TELL_MS) return false
    work.toldAt = now
    return true
  }
}
