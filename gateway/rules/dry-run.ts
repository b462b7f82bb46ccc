// What a rule would have done: the engine itself over stored history, with nothing written and nobody told.
import type { Logger } from 'pino'
import { formatCursor } from '../../store/cursor.ts'
import type { Severity } from '../../store/notification.ts'
import type { Filter, Log } from '../../store/store.ts'
import { Agenda } from '../alerting/agenda.ts'
import type { Raise } from '../alerts/raise.ts'
import { RuleEngine } from './rule-engine.ts'
import type { AlertSink } from './rule-at-work.ts'
import type { Rule } from './rule.ts'

/** Most firings that are told one by one. */
const FIRINGS_MAX = 1000
/** Notifications of a page: a few milliseconds of work. */
const PAGE_ITEMS = 500

export interface Firing {
  /** ms since 1970 */
  at: number
  /** null: it still fired at the end. */
  clearedAt: number | null
  key: string
  device: string
  severity: Severity
  title: string
  /** Times its condition was met. */
  count: number
  /** Cursor of the notification that raised it. */
  cause: string
}

export interface DryRunResult {
  /** ms since 1970; `to` is where it ended. */
  from: number
  to: number
  /** Notifications that were looked at. */
  looked: number
  /** False: it ended before `to`, at a limit. */
  complete: boolean
  fired: number
  /** The first of them. */
  firings: Firing[]
  /** Times the rule's expressions failed, and the last of the reasons. */
  errors: number
  lastError: string | null
}

export interface DryRunOptions {
  log: Log
  logger: Logger
  from: number
  to: number
  /** Most notifications to look at. */
  eventsMax: number
  keysMax: number
  signal: AbortSignal
}

/** Runs a rule over what came from `from` up to and before `to`. */
export async function dryRun(rule: Rule, options: DryRunOptions): Promise<DryRunResult> {
  const { log, logger, from, to, eventsMax, keysMax, signal } = options
  const agenda = new Agenda()
  const firings = new Firings(log.bounds().epoch)
  const engine = new RuleEngine({ agenda, sink: firings, touch: () => {}, keysMax, logger })
  engine.configure([rule], { at: from, presence: [] })
  const filter = filterOf(rule)
  let after = await log.seqBefore(from)
  let looked = 0
  let reached = from
  let ended = false
  while (!ended && !signal.aborted && looked < eventsMax) {
    const { items, next, more } = await log.read(after, {
      limit: Math.min(PAGE_ITEMS, eventsMax - looked),
      filter
    })
    for (const item of items) {
      ended = item.at >= to
      if (ended) break
      looked++
      reached = item.at
      agenda.advance(item.at)
      engine.take(item)
    }
    after = next
    ended ||= !more
  }
  if (ended) agenda.advance(to - 1)
  const [work] = engine.works()
  return {
    from,
    to: ended ? to : reached,
    looked,
    complete: ended,
    ...firings.result,
    errors: work?.errors ?? 0,
    lastError: work?.lastError ?? null
  }
}

function filterOf(rule: Rule): Filter {
  if (rule.type === 'offline') return { kinds: ['presence'] }
  const devices = rule.devices.length > 0 && rule.devices.every(device => !device.includes('*'))
  return {
    kinds: ['event'],
    ...(rule.topics.length > 0 && { topics: rule.topics }),
    ...(devices && { devices: rule.devices })
  }
}

/** In place of the alert book. */
class Firings implements AlertSink {
  readonly #epoch: string
  readonly #open = new Map<string, Firing>()
  readonly #first: Firing[] = []
  #fired = 0

  constructor(epoch: string) {
    this.#epoch = epoch
  }

  get result(): { fired: number; firings: Firing[] } {
    return { fired: this.#fired, firings: this.#first }
  }

  raise({ at, key, device, severity, title, causeSeq }: Raise): void {
    const open = this.#open.get(key)
    if (open !== undefined) {
      open.count++
      return
    }
    const cause = causeSeq === 0 ? '' : formatCursor(this.#epoch, causeSeq)
    const firing: Firing = { at, clearedAt: null, key, device, severity, title, count: 1, cause }
    this.#open.set(key, firing)
    this.#fired++
    if (this.#first.length < FIRINGS_MAX) this.#first.push(firing)
  }

  clear({ key, at }: { key: string; at: number }): void {
    const open = this.#open.get(key)
    if (open !== undefined) open.clearedAt = at
    this.#open.delete(key)
  }

  isOpen(_rule: string, key: string): boolean {
    return this.#open.has(key)
  }
}
