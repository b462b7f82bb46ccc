// A client of the live feed over WebSocket: it comes back by itself after a loss and resumes from its cursor, so that
// whoever reads misses nothing and sees nothing twice.
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { CliError } from './errors.ts'

/** A notification as the feed sends it; the fields beyond these depend on its kind. */
export interface FeedNotification {
  cursor: string
  at: number
  kind: string
  device: string
  severity: string
  [field: string]: unknown
}

export interface FeedFilter {
  topics?: string[]
  kinds?: string[]
  devices?: string[]
  severityMin?: string
}

export interface FeedOptions {
  /** The server's address, `http://host:port`. */
  url: string
  token: string
  filter: FeedFilter
  /** A cursor, `earliest`, or null for now. */
  after: string | null
  /** Batches in order. A promise that is returned is awaited before more is read from the socket. */
  onItems: (items: readonly FeedNotification[]) => void | Promise<void>
  /** What a person should know: a loss, a resumption, a gap. */
  onNotice: (text: string) => void
  /** Called at each subscription that the server has confirmed. */
  onSubscribed?: () => void
}

type Ending =
  /** The connection is gone; another may do better. */
  | { again: true; reason: string }
  /** There is no use in coming back. */
  | { again: false; error: CliError }

const SUBSCRIPTION = 'tail'
const PING_MS = 20_000
/** Silence, in spite of pings, after which a connection is given up. */
const SILENCE_MS = 50_000
const BACK_OFF_MS = { first: 250, last: 10_000 }

/** Follows the feed until the signal is aborted. Rejects with a `CliError` when there is no use in going on. */
export async function followFeed(options: FeedOptions, signal: AbortSignal): Promise<void> {
  const place = { cursor: options.after, subscribed: false }
  let everSubscribed = false
  let failures = 0
  while (!signal.aborted) {
    place.subscribed = false
    const ending = await connectOnce(options, place, signal)
    if (signal.aborted) return
    if (!ending.again) throw ending.error
    if (place.subscribed) {
      everSubscribed = true
      failures = 0
      const from = place.cursor === null ? '' : ` from ${place.cursor}`
      options.onNotice(`connection lost (${ending.reason}); reconnecting, to go on${from}`)
    } else if (!everSubscribed) throw unreachable(options.url, ending.reason)
    const longest = Math.min(BACK_OFF_MS.last, BACK_OFF_MS.first * 2 ** Math.min(10, failures++))
    await delay(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {}) // aborted: the loop ends
  }
}

function unreachable(url: string, reason: string): CliError {
  return new CliError(`No feed at ${url} (${reason}). Is "tocsin serve" running there? See --url.`)
}

/** One connection, from its opening to its end. Notes in `place` how far it came. */
function connectOnce(
  options: FeedOptions,
  place: { cursor: string | null; subscribed: boolean },
  signal: AbortSignal
): Promise<Ending> {
  return new Promise(resolve => {
    const address = new URL('/v1/feed', options.url)
    address.protocol = address.protocol.replace('http', 'ws')
    const socket = new WebSocket(address, 'tocsin.v1.json', {
      headers: { authorization: `Bearer ${options.token}` },
      handshakeTimeout: 10_000,
      perMessageDeflate: false
    })
    let ending: Ending | null = null
    let heardMs = performance.now()
    let reading = Promise.resolve()
    let queued = 0
    const heartbeat = setInterval(() => {
      if (performance.now() - heardMs > SILENCE_MS && !socket.isPaused) {
        ending ??= { again: true, reason: 'the server has gone silent' }
        socket.terminate()
      } else if (socket.readyState === WebSocket.OPEN) socket.ping()
    }, PING_MS)
    const abort = () => {
      if (socket.readyState === WebSocket.OPEN) socket.close(1000)
      else socket.terminate()
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.on('open', () => {
      const subscribe = {
        type: 'subscribe',
        id: SUBSCRIPTION,
        filter: options.filter,
        ...(place.cursor === null ? {} : { after: place.cursor })
      }
      socket.send(JSON.stringify(subscribe))
    })
    socket.on('pong', () => (heardMs = performance.now()))
    socket.on('ping', () => (heardMs = performance.now()))
    socket.on('message', (data: Buffer) => {
      heardMs = performance.now()
      // Messages are taken one after another; while the reader is busy, no more are read from the socket.
      queued++
      socket.pause()
      reading = reading.then(async () => {
        if (!signal.aborted) ending ??= await takeMessage(options, place, data.toString())
        if (--queued === 0) socket.resume()
        if (ending !== null) socket.close(1000)
      })
      reading.catch((error: unknown) => {
        ending ??= { again: false, error: new CliError(String(error), 1, { cause: error }) }
        socket.terminate()
      })
    })
    socket.on('unexpected-response', (request, response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body = (body + chunk.toString()).slice(0, 10_000)))
      response.on('end', () => {
        ending ??= refusal(response.statusCode ?? 0, body)
        request.destroy()
        finish()
      })
    })
    socket.on('error', error => (ending ??= { again: true, reason: reasonOf(error) }))
    socket.on('close', (code, reason) => {
      const text = reason.toString() === '' ? `code ${code}` : `${reason.toString()}, code ${code}`
      // What was read before the close is shown before the next connection asks for what comes after it.
      void reading
        .catch(() => {}) // has set the ending
        .then(() => {
          ending ??=
            code >= 4500 && code <= 4999
              ? { again: false, error: new CliError(`The server has ended the feed: ${text}.`) }
              : { again: true, reason: text }
          finish()
        })
    })
    function finish(): void {
      clearInterval(heartbeat)
      signal.removeEventListener('abort', abort)
      resolve(ending ?? { again: true, reason: 'closed' })
    }
  })
}

function reasonOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

/** What an HTTP answer in place of a WebSocket means. 429 and 5xx pass; the rest doesn't. */
function refusal(status: number, body: string): Ending {
  let detail = ''
  try {
    const problem = JSON.parse(body) as { title?: unknown; detail?: unknown }
    detail = String(problem.detail ?? problem.title ?? '')
  } catch {
    // no problem JSON: the status says enough
  }
  const text = detail === '' ? `HTTP ${status}` : `${detail} (HTTP ${status})`
  if (status === 429 || status >= 500) return { again: true, reason: text }
  const advice = status === 401 || status === 403 ? ' See --token and --token-file.' : ''
  return {
    again: false,
    error: new CliError(`The server refuses the feed: ${text.replace(/\.$/, '')}.${advice}`)
  }
}

/** Acts on one message of the server; the ending if it means one. */
async function takeMessage(
  options: FeedOptions,
  place: { cursor: string | null; subscribed: boolean },
  text: string
): Promise<Ending | null> {
  const message = JSON.parse(text) as Record<string, unknown>
  switch (message['type']) {
    case 'subscribed':
      if (typeof message['cursor'] === 'string' && place.cursor === null) place.cursor = message['cursor']
      place.subscribed = true
      options.onSubscribed?.()
      return null
    case 'gap':
      options.onNotice(
        `gap: what came between ${String(message['from'])} and ${String(message['to'])} is gone`
      )
      return null
    case 'notifications':
      await options.onItems(message['items'] as FeedNotification[])
      place.cursor = String(message['cursor'])
      return null
    case 'error': {
      const said = `${String(message['message'])} (${String(message['code'])})`
      return { again: false, error: new CliError(`The server refuses: ${said}`) }
    }
    default:
      return null // a later server may say more
  }
}
