// One POST to a receiver, within limits of time and bytes. Redirects are not followed: what is signed and secret goes to
// the address that was configured and to no other.
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { hostProblem, publicLookup } from './addresses.ts'

/** Idle connections that a channel keeps. */
const IDLE_SOCKETS_MAX = 2

export interface HttpLimits {
  /** For all of it: from looking up the name to the end of the answer. */
  timeoutMs: number
  /** Of the answer’s body; the rest is left unread, and the connection closed. */
  answerBytesMax: number
  /** Whether it may go to loopback, private and link-local addresses. */
  allowPrivateAddresses: boolean
}

export interface HttpPost {
  headers: Readonly<Record<string, string>>
  body: string
}

export interface HttpAnswer {
  status: number
  /** The header Retry-After as it came; empty: there is none. */
  retryAfter: string
  /** What was read of the body. */
  text: string
}

/** `final`: it can't succeed as things are configured. `reason` is a sentence without a full stop. */
export type HttpAttempt = { answer: HttpAnswer } | { reason: string; final: boolean }

/** Posts to one URL over connections that it keeps. */
export class HttpPoster {
  readonly #url: URL
  readonly #limits: HttpLimits
  readonly #agent: HttpAgent

  constructor(url: URL, limits: HttpLimits) {
    this.#url = url
    this.#limits = limits
    const options = {
      keepAlive: true,
      maxFreeSockets: IDLE_SOCKETS_MAX,
      ...(!limits.allowPrivateAddresses && { lookup: publicLookup() })
    }
    this.#agent = url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
  }

  /** Never rejects. Once the status has come, it is the answer, whatever becomes of the body. */
  async post(post: HttpPost, signal: AbortSignal): Promise<HttpAttempt> {
    const { timeoutMs, allowPrivateAddresses } = this.#limits
    // A host that is an address is not looked up.
    const problem = allowPrivateAddresses ? null : hostProblem(this.#url.hostname)
    if (problem !== null) return { reason: problem, final: true }
    if (signal.aborted) return stopped
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      return { answer: await this.#exchange(post, AbortSignal.any([signal, limit])) }
    } catch (error) {
      if (signal.aborted) return stopped
      if (limit.aborted) return { reason: `no answer within ${timeoutMs} ms`, final: false }
      return failureOf(error)
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #exchange({ headers, body }: HttpPost, signal: AbortSignal): Promise<HttpAnswer> {
    const request = this.#url.protocol === 'https:' ? httpsRequest : httpRequest
    const bytes = Buffer.from(body, 'utf8')
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        signal,
        headers: { ...headers, 'content-length': bytes.length }
      })
      let answered = false
      // After the status, the end of the body tells the end.
      outgoing.on('error', error => {
        if (!answered) reject(error)
      })
      outgoing.once('response', incoming => {
        answered = true
        readStart(incoming, this.#limits.answerBytesMax, text =>
          resolve({
            status: incoming.statusCode ?? 0,
            retryAfter: incoming.headers['retry-after'] ?? '',
            text
          })
        )
      })
      outgoing.end(bytes)
    })
  }
}

/** Calls back once: when the body has ended, when it was cut off, or when it is more than is wanted. */
function readStart(incoming: IncomingMessage, bytesMax: number, onText: (text: string) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  const finish = (): void => onText(Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8'))
  incoming.on('data', (chunk: Buffer) => {
    if (size <= bytesMax) chunks.push(chunk)
    size += chunk.length
    if (size > bytesMax) incoming.destroy()
  })
  incoming.once('error', () => {}) // it was cut off, which 'close' tells as well
  incoming.once('close', finish)
}

const stopped: HttpAttempt = { reason: 'the attempt was stopped before it was answered', final: false }

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ETIMEDOUT: 'the connection took too long',
  EHOSTUNREACH: 'the host can’t be reached',
  ENETUNREACH: 'the network can’t be reached',
  ENOTFOUND: 'the host’s name is not known',
  EAI_AGAIN: 'the host’s name could not be looked up for now'
}

/** Of an error only the code is told: its message may quote what was sent. */
function failureOf(error: unknown): HttpAttempt {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'ADDRESS_REFUSED') return { reason: message, final: true }
  const reason = reasons[code]
  if (reason !== undefined) return { reason, final: false }
  const certificate = /^EPROTO$|CERT|TLS|SSL|ISSUER|SIGNATURE/.test(code)
  const what = certificate ? 'the connection could not be secured' : 'the request failed'
  return { reason: code === '' ? what : `${what} (${code})`, final: false }
}
