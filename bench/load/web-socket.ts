// A bare WebSocket client: the handshake, text frames to the server, and what comes back, as bytes or as messages.
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { openSocket } from './connections.ts'

export interface WebSocketOptions {
  port: number
  path: string
  headers?: Record<string, string>
  /** Called with what came after the handshake; valid until the next read. */
  onBytes: (bytes: Buffer) => void
  /** As for a socket: without it, a connection that ends, ends the load maker. */
  onClose?: () => void
}

/**
 * An empty pong, masked, which may be sent unasked (RFC 6455, section 5.5.3). Who only counts bytes sees no pings; with one
 * of these at each round a server knows that it is there.
 */
export const PONG = Buffer.of(0x8a, 0x80, 0, 0, 0, 0)

const HEADER_END = Buffer.from('\r\n\r\n')

/** Resolves when the server has agreed to the upgrade. */
export async function openWebSocket({
  port,
  path,
  headers = {},
  onBytes,
  onClose
}: WebSocketOptions): Promise<Socket> {
  const agreed = Promise.withResolvers<void>()
  let answer: Buffer | null = Buffer.alloc(0)
  const socket = await openSocket({
    port,
    ...(onClose && { onClose }),
    onBytes: (bytes, length) => {
      if (answer === null) return onBytes(bytes.subarray(0, length))
      answer = Buffer.concat([answer, bytes.subarray(0, length)])
      const end = answer.indexOf(HEADER_END)
      if (end < 0) return
      const head = answer.toString('latin1', 0, end)
      const rest = answer.subarray(end + HEADER_END.length)
      answer = null
      if (head.startsWith('HTTP/1.1 101')) agreed.resolve()
      else agreed.reject(new Error(`The server refuses a WebSocket: ${head} ${rest.toString()}`))
      if (rest.length > 0) onBytes(rest)
    }
  })
  const lines = {
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers
  }
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\n${text.join('')}\r\n`)
  await agreed.promise
  return socket
}

/** A client's text frame of less than 64 KiB. Masked by zeros, which leaves the text as it is. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const short = payload.length < 126
  const head = Buffer.alloc(short ? 6 : 8)
  head[0] = 0x81
  head[1] = 0x80 | (short ? payload.length : 126)
  if (!short) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** Cuts what a server sends into the texts of its messages, as Latin-1. Expects unfragmented messages. */
export class MessageSplitter {
  readonly #onText: (text: string) => void
  #carry: Buffer = Buffer.alloc(0)

  constructor(onText: (text: string) => void) {
    this.#onText = onText
  }

  push(bytes: Buffer): void {
    const chunk = this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes])
    let at = 0
    for (;;) {
      const bounds = frameBounds(chunk, at)
      if (bounds === null || bounds.end > chunk.length) break
      if ((chunk[at] ?? 0) === 0x81) this.#onText(chunk.toString('latin1', bounds.start, bounds.end))
      at = bounds.end
    }
    this.#carry = Buffer.from(chunk.subarray(at))
  }
}

/** Where the payload of the frame at `at` starts and ends; null while its head is not all there. */
function frameBounds(chunk: Buffer, at: number): { start: number; end: number } | null {
  if (at + 2 > chunk.length) return null
  const length = (chunk[at + 1] ?? 0) & 0x7f
  const start = at + (length < 126 ? 2 : length === 126 ? 4 : 10)
  if (start > chunk.length) return null
  if (length < 126) return { start, end: start + length }
  if (length === 126) return { start, end: start + chunk.readUInt16BE(at + 2) }
  return { start, end: start + Number(chunk.readBigUInt64BE(at + 2)) }
}
