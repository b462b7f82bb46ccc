// A receiver of webhooks on a free port of loopback, which keeps what it got.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Received {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** Port of the sender, which tells connections apart. */
  port: number
}

export type Answer = (response: ServerResponse, received: Received) => void

export interface Receiver extends AsyncDisposable {
  /** With a path and a query that nobody else should see. */
  url: string
  port: number
  received: Received[]
  /** Connections that are open. */
  connections: () => number
}

/** Starts a receiver; use with `await using`. It answers 204 unless told otherwise. */
export async function startReceiver(
  answer: Answer = response => response.writeHead(204).end()
): Promise<Receiver> {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    void readAll(request).then(body => {
      const one: Received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        port: request.socket.remotePort ?? 0
      }
      received.push(one)
      answer(response, one)
    })
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook/path-secret?key=query-secret`,
    port,
    received,
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    // the sender went away, and what had come is looked at
  }
  return Buffer.concat(chunks).toString('utf8')
}
