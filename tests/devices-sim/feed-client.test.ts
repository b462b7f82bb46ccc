import { describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { followFeed, type FeedNotification } from '../../cli/feed-client.ts'
import { eventually } from '../helpers/eventually.ts'

type Subscribe = { type: string; id: string; filter: object; after?: string }

/** A feed that does as the test says. */
class TestFeed {
  readonly requests: IncomingMessage[] = []
  readonly subscribes: Subscribe[] = []
  readonly sockets: WebSocket[] = []
  onSubscribe: (socket: WebSocket, subscribe: Subscribe) => void = () => {}
  refuse: { status: number; body: object } | null = null
  url = ''
  readonly #server: Server = createServer()

  async listen(): Promise<this> {
    const feed = new WebSocketServer({ noServer: true })
    this.#server.on('upgrade', (request, socket, head) => {
      this.requests.push(request)
      if (this.refuse !== null) {
        const body = JSON.stringify(this.refuse.body)
        const head = `HTTP/1.1 ${this.refuse.status} No\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`
        socket.end(head + body)
        return
      }
      feed.handleUpgrade(request, socket, head, websocket => {
        this.sockets.push(websocket)
        websocket.on('message', data => {
          const subscribe = JSON.parse((data as Buffer).toString()) as Subscribe
          this.subscribes.push(subscribe)
          this.onSubscribe(websocket, subscribe)
        })
      })
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sockets.forEach(socket => socket.terminate())
    await new Promise(resolve => this.#server.close(resolve))
  }
}

const send = (socket: WebSocket, message: object) => socket.send(JSON.stringify(message))
const items = (...numbers: number[]) =>
  numbers.map(n => ({ cursor: `e-${n}`, at: n, kind: 'event', device: 'd', severity: 'info' }))

function following(feed: TestFeed, onItems?: (items: readonly FeedNotification[]) => void | Promise<void>) {
  const stop = new AbortController()
  const seen: string[] = []
  const notices: string[] = []
  const ended = followFeed(
    {
      url: feed.url,
      token: 'secret',
      filter: { topics: ['a/#'] },
      after: null,
      onItems: batch => {
        seen.push(...batch.map(({ cursor }) => cursor))
        return onItems?.(batch)
      },
      onNotice: notice => notices.push(notice)
    },
    stop.signal
  )
  return { stop, seen, notices, ended }
}

describe('the client of the feed', () => {
  test('authorizes by header, subscribes with the filter and hands over what comes', async () => {
    await using feed = await new TestFeed().listen()
    feed.onSubscribe = (socket, { id }) => {
      send(socket, { type: 'subscribed', id, cursor: 'e-1', recovered: true })
      send(socket, { type: 'notifications', id, items: items(2, 3), cursor: 'e-3' })
    }
    const { stop, seen, ended } = following(feed)
    await eventually(() => seen.length === 2)
    stop.abort()
    await ended
    expect(seen).toEqual(['e-2', 'e-3'])
    expect(feed.requests[0]?.url).toBe('/v1/feed')
    expect(feed.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'sec-websocket-protocol': 'tocsin.v1.json'
    })
    expect(feed.subscribes[0]).toMatchObject({ type: 'subscribe', filter: { topics: ['a/#'] } })
    expect(feed.subscribes[0]).not.toHaveProperty('after')
  })

  test('comes back after a loss from the last cursor that it has handed over, and says so', async () => {
    await using feed = await new TestFeed().listen()
    feed.onSubscribe = (socket, { id, after }) => {
      send(socket, { type: 'subscribed', id, cursor: after ?? 'e-1', recovered: true })
      if (after === undefined) {
        send(socket, { type: 'notifications', id, items: items(2), cursor: 'e-5' }) // 3 to 5 did not match
        socket.close(4000, 'shutting down')
      } else send(socket, { type: 'notifications', id, items: items(6), cursor: 'e-6' })
    }
    const { stop, seen, notices, ended } = following(feed)
    await eventually(() => seen.length === 2)
    stop.abort()
    await ended
    expect(feed.subscribes.map(({ after }) => after)).toEqual([undefined, 'e-5'])
    expect(notices).toEqual([expect.stringMatching(/lost \(shutting down, code 4000\).*e-5/)])
  })

  test('comes back from where it began when nothing had come', async () => {
    await using feed = await new TestFeed().listen()
    feed.onSubscribe = (socket, { id }) => {
      send(socket, { type: 'subscribed', id, cursor: 'e-1', recovered: true })
      if (feed.subscribes.length === 1) setImmediate(() => socket.terminate())
    }
    const { stop, ended } = following(feed)
    await eventually(() => feed.subscribes.length === 2)
    stop.abort()
    await ended
    expect(feed.subscribes[1]?.after).toBe('e-1')
  })

  test('hands over one batch after another, and reads no more while the reader is busy', async () => {
    await using feed = await new TestFeed().listen()
    feed.onSubscribe = (socket, { id }) => {
      send(socket, { type: 'subscribed', id, cursor: 'e-0', recovered: true })
      for (let n = 1; n <= 5; n++)
        send(socket, { type: 'notifications', id, items: items(n), cursor: `e-${n}` })
    }
    const release: (() => void)[] = []
    const { stop, seen, ended } = following(feed, () => new Promise(resolve => release.push(resolve)))
    for (let n = 1; n <= 5; n++) {
      await eventually(() => release.length === n)
      expect(seen).toHaveLength(n)
      release[n - 1]?.()
    }
    stop.abort()
    await ended
  })

  test('shows a gap', async () => {
    await using feed = await new TestFeed().listen()
    feed.onSubscribe = (socket, { id }) => {
      send(socket, { type: 'subscribed', id, cursor: 'e-1', recovered: false })
      send(socket, { type: 'gap', id, from: 'e-1', to: 'e-9' })
    }
    const { stop, notices, ended } = following(feed)
    await eventually(() => notices.length === 1)
    stop.abort()
    await ended
    expect(notices[0]).toMatch(/e-1.*e-9/)
  })

  test('gives up with the reason where coming back is of no use', async () => {
    await using feed = await new TestFeed().listen()
    feed.refuse = { status: 401, body: { code: 'unauthorized', detail: 'The token is unknown.' } }
    await expect(following(feed).ended).rejects.toThrow(/The token is unknown.*--token/)
    feed.refuse = null
    feed.onSubscribe = socket => socket.close(4500, 'token revoked')
    await expect(following(feed).ended).rejects.toThrow(/token revoked/)
    feed.onSubscribe = (socket, { id }) =>
      send(socket, { type: 'error', id, code: 'filter-invalid', message: 'a bad filter' })
    await expect(following(feed).ended).rejects.toThrow(/a bad filter \(filter-invalid\)/)
    expect(feed.requests).toHaveLength(3)
  })

  test('says at once when nobody answers', async () => {
    const feed = await new TestFeed().listen()
    await feed[Symbol.asyncDispose]()
    await expect(following(feed).ended).rejects.toThrow(/No feed at .*ECONNREFUSED/)
  })
})
