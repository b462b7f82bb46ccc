// Makes posted events durable, once for each idempotency key as long as the key is remembered.
import { createHash } from 'node:crypto'
import type { StoreError } from '../../store/errors.ts'
import type { EventDraft } from '../../store/notification.ts'
import type { Log } from '../../store/store.ts'
import { GatewayError } from '../errors.ts'

/** How long and how many keys are remembered, and how many events in all they may stand for. */
export const IDEMPOTENCY = { windowMs: 600_000, keysMax: 10_000, eventsMax: 200_000 }

export interface PublishRequest {
  drafts: EventDraft[]
  /** Where keys are apart: each token has its own. */
  scope: string
  key: string | undefined
}

/** One post and how far it has come. With a key it is kept, so that a repeat completes it and repeats nothing. */
interface Post {
  fingerprint: string
  startedAt: number
  stored: boolean[]
  running: Promise<StoreError | null> | null
}

export class Publisher {
  readonly #log: Log
  readonly #timeoutMs: number
  readonly #now: () => number
  readonly #posts = new Map<string, Post>()
  #remembered = 0

  constructor({ log, timeoutMs, now }: { log: Log; timeoutMs: number; now: () => number }) {
    this.#log = log
    this.#timeoutMs = timeoutMs
    this.#now = now
  }

  /**
   * Resolves when all events are durable. Rejects with `store-unavailable`, `store-busy` or `store-timeout`; some may
   * then be stored, or be stored yet, and a repeat with the same key stores the rest alone.
   */
  async publish(request: PublishRequest): Promise<void> {
    const post = this.#postOf(request)
    if (post.running === null && this.#log.full())
      throw new GatewayError('store-busy', 'too much waits to be stored; try again soon', retryAfter(1))
    post.running ??= this.#store(post, request.drafts)
    const error = await this.#inTime(post)
    if (error === null) return
    const stored = post.stored.filter(Boolean).length
    const message = `${error.message}; ${stored} of ${post.stored.length} events were stored`
    throw new GatewayError('store-unavailable', message, {
      ...retryAfter(5),
      extra: { stored },
      cause: error
    })
  }

  /** Appends what is not stored yet. Resolves with the first error when every append was answered. */
  #store(post: Post, drafts: readonly EventDraft[]): Promise<StoreError | null> {
    return new Promise(resolve => {
      let open = post.stored.filter(stored => !stored).length
      let failed: StoreError | null = null
      const settle = () => {
        post.running = null
        resolve(failed)
      }
      if (open === 0) return queueMicrotask(settle)
      for (const [index, draft] of drafts.entries()) {
        if (post.stored[index] === true) continue
        this.#log.append(
          draft,
          error => {
            if (error) failed ??= error
            else post.stored[index] = true
            if (--open === 0) settle()
          },
          { failFast: true }
        )
      }
    })
  }

  async #inTime({ running, stored }: Post): Promise<StoreError | null> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const message = `the events were not stored within ${this.#timeoutMs} ms; they may be yet`
        const extra = { stored: stored.filter(Boolean).length }
        reject(new GatewayError('store-timeout', message, { ...retryAfter(5), extra }))
      }, this.#timeoutMs)
    })
    try {
      return await Promise.race([running, late])
    } finally {
      clearTimeout(timer)
    }
  }

  #postOf({ drafts, scope, key }: PublishRequest): Post {
    const fresh = { startedAt: this.#now(), stored: drafts.map(() => false), running: null }
    if (key === undefined) return { ...fresh, fingerprint: '' }
    this.#forget()
    const name = `${scope} ${key}`
    const fingerprint = fingerprintOf(drafts)
    const known = this.#posts.get(name)
    if (known && known.fingerprint !== fingerprint)
      throw new GatewayError('idempotency-mismatch', 'this Idempotency-Key came with other events before')
    if (known) return known
    const post = { ...fresh, fingerprint }
    this.#posts.set(name, post)
    this.#remembered += drafts.length
    return post
  }

  /** Drops keys that are too old or too many, oldest first. */
  #forget(): void {
    const { windowMs, keysMax, eventsMax } = IDEMPOTENCY
    const oldest = this.#now() - windowMs
    for (const [name, { startedAt, stored }] of this.#posts) {
      if (startedAt > oldest && this.#posts.size < keysMax && this.#remembered < eventsMax) return
      this.#posts.delete(name)
      this.#remembered -= stored.length
    }
  }
}

function retryAfter(seconds: number): { headers: Record<string, string> } {
  return { headers: { 'retry-after': String(seconds) } }
}

function fingerprintOf(drafts: readonly EventDraft[]): string {
  const hash = createHash('sha256')
  for (const { device, topic, payload, deviceAt } of drafts) {
    hash.update(JSON.stringify([device, topic, deviceAt ?? null, payload.length]))
    hash.update(payload)
  }
  return hash.digest('base64')
}
