// A browser as far as sessions go: it keeps cookies, and says which page it asks for.
import { WebSocket } from 'ws'
import { once } from 'node:events'
import type { Harness, Reply } from '../harness.ts'

export class Browser {
  readonly #server: Harness
  /** By name; what a Set-Cookie with Max-Age=0 names is forgotten. */
  readonly cookies = new Map<string, string>()
  /** Set-Cookie headers as they came. */
  readonly set: string[] = []
  readonly origin: string

  constructor(server: Harness, { origin = server.url }: { origin?: string } = {}) {
    this.#server = server
    this.origin = origin
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** A request of the page, with `Origin` where browsers send it; headers of null are left out. */
  async ask(
    path: string,
    { headers = {}, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string | null> } = {}
  ): Promise<Reply> {
    const { method = 'GET' } = init
    const sent: Record<string, string | null> = {
      ...(this.cookies.size > 0 && { cookie: this.cookie }),
      ...(method !== 'GET' && method !== 'HEAD' && { origin: this.origin }),
      ...headers
    }
    const kept = Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== null)
    const reply = await this.#server.ask(path, { ...init, role: null, headers: Object.fromEntries(kept) })
    for (const text of reply.headers.getSetCookie()) this.#keep(text)
    return reply
  }

  signIn(
    body: { token: string } | { code: string },
    headers: Record<string, string | null> = {}
  ): Promise<Reply> {
    return this.ask('/v1/session', { method: 'POST', body: JSON.stringify(body), headers })
  }

  signOut(headers: Record<string, string | null> = {}): Promise<Reply> {
    return this.ask('/v1/session', { method: 'DELETE', headers })
  }

  /** Opens the feed's WebSocket; `closed` resolves with the close code, `refused` with an HTTP status. */
  async openFeed(headers: Record<string, string> = { origin: this.origin }): Promise<OpenFeed> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#server.port}/v1/feed`, 'tocsin.v1.json', {
      headers: { cookie: this.cookie, ...headers }
    })
    const closed = once(socket, 'close').then(([code]) => code as number)
    closed.catch(() => {})
    const messages: Record<string, unknown>[] = []
    socket.on('message', (data: Buffer) =>
      messages.push(JSON.parse(data.toString()) as Record<string, unknown>)
    )
    const status = await new Promise<number>((resolve, reject) => {
      socket.once('open', () => resolve(101))
      socket.once('unexpected-response', (_, response) => {
        resolve(response.statusCode ?? 0)
        response.destroy()
      })
      socket.on('error', reject)
    })
    return { status, socket, messages, closed, [Symbol.dispose]: () => socket.terminate() }
  }

  #keep(text: string): void {
    this.set.push(text)
    const [, name = '', value = '', age] = /^([^=]+)=([^;]*);.*Max-Age=(\d+)/.exec(text) ?? []
    if (age === '0') this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

export interface OpenFeed extends Disposable {
  /** 101 when it was opened. */
  status: number
  socket: WebSocket
  messages: Record<string, unknown>[]
  closed: Promise<number>
}
