// A system that posts events over HTTP, some at a time, one request after the other on one connection.
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { LoadTarget, Source, SourceOptions, SourcePayload } from './load-sources.ts'

const TIMEOUT_MS = 30_000
const AGAIN_MS = 100

/** What an attempt to post came to. */
type Attempt = 'acknowledged' | 'try again' | 'connection gone'

/** POST /v1/events. What was not answered by 200 is posted again, and may be there twice. */
export class HttpSource implements Source {
  readonly protocol = 'http'
  readonly once = false
  readonly name: string
  readonly #window: number
  #agent: Agent | null = null
  #target: LoadTarget | null = null
  #posting: Promise<void> = Promise.resolve()
  #running = false
  sent = 0
  acknowledged = 0

  constructor({ name, window }: SourceOptions) {
    this.name = name
    this.#window = window
  }

  wasAcknowledged(n: number): boolean {
    return n <= this.acknowledged
  }

  async connect(target: LoadTarget): Promise<string | null> {
    await this.#posting
    this.#agent?.destroy()
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 })
    this.#target = target
    this.#pump()
    return null
  }

  run(running: boolean): void {
    const stopped = !this.#running
    this.#running = running
    if (stopped) this.#pump()
  }

  closed(): Promise<void> {
    return this.#posting
  }

  async close(): Promise<void> {
    this.#target = null
    this.#agent?.destroy()
    await this.#posting
  }

  #pump(): void {
    this.#posting = this.#posting.then(() => this.#post())
  }

  /** Posts until there is nothing to post, or the connection is gone. */
  async #post(): Promise<void> {
    while (this.#target !== null && (this.#running || this.sent > this.acknowledged)) {
      if (this.sent === this.acknowledged) this.sent += this.#window
      const attempt = await this.#attempt(this.#target)
      if (attempt === 'connection gone') return
      if (attempt === 'acknowledged') this.acknowledged = this.sent
      else await delay(AGAIN_MS)
    }
  }

  #attempt({ ports, adminToken = '' }: LoadTarget): Promise<Attempt> {
    const events = Array.from({ length: this.sent - this.acknowledged }, (_, index) => {
      const payload: SourcePayload = { from: this.name, n: this.acknowledged + 1 + index }
      return { device: this.name, topic: `load/${this.name}`, payload }
    })
    return new Promise((resolve, reject) => {
      const posted = request({
        host: '127.0.0.1',
        port: ports.http,
        path: '/v1/events',
        method: 'POST',
        agent: this.#agent ?? undefined,
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        timeout: TIMEOUT_MS
      })
      posted.on('error', () => resolve('connection gone'))
      posted.on('timeout', () => posted.destroy())
      posted.on('response', response => {
        const { statusCode } = response
        if (statusCode === 200) resolve('acknowledged')
        else if (statusCode === 503) resolve('try again')
        else reject(new Error(`POST /v1/events answers ${statusCode}`))
        response.resume().on('error', () => {}) // what it says beyond that doesn't matter
      })
      posted.end(JSON.stringify(events))
    })
  }
}
