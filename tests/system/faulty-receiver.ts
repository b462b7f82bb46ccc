// A webhook receiver that fails in every way there is, and remembers what it has accepted.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Random } from '../helpers/random.ts'

/** What a receiver does with a request. */
type Answer = 'accept' | 'accept and break off' | 'fail' | 'break off' | 'say nothing'

const answers: readonly [Answer, ...Answer[]] = [
  'accept',
  'accept',
  'fail',
  'break off',
  'accept and break off',
  'say nothing'
]

export class FaultyReceiver implements AsyncDisposable {
  readonly #server: Server
  /** How often each delivery was accepted, by its id. */
  readonly accepted = new Map<string, number>()
  /** Alerts in what was accepted. */
  readonly alerts = new Set<string>()
  attempts = 0
  /** Whether it fails now and then. */
  faulty = true

  readonly #random: Random

  private constructor(server: Server, seed: number) {
    this.#server = server
    this.#random = new Random(seed)
  }

  /** `seed` repeats the sequence of its faults. */
  static async start(seed = 1): Promise<FaultyReceiver> {
    const server = createServer()
    const receiver = new FaultyReceiver(server, seed)
    server.on('request', (request, response) => void receiver.#receive(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.attempts++
    const body = await text(request).catch(() => null)
    if (body === null) return // its sender was killed
    const answer = this.faulty ? this.#random.of(answers) : 'accept'
    if (answer.startsWith('accept')) this.#accept(request, body)
    switch (answer) {
      case 'accept':
        response.end('ok')
        break
      case 'fail':
        response.writeHead(503).end('not now')
        break
      case 'accept and break off':
      case 'break off':
        request.socket.destroy()
        break
      case 'say nothing':
    }
  }

  #accept(request: IncomingMessage, body: string): void {
    const id = String(request.headers['webhook-id'])
    this.accepted.set(id, (this.accepted.get(id) ?? 0) + 1)
    const { alerts } = JSON.parse(body) as { alerts: { id: string }[] }
    for (const alert of alerts) this.alerts.add(alert.id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}
