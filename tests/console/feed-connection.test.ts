// The page's connection to a real gateway: subscriptions over losses of the connection.
import { describe, expect, test } from '@jest/globals'
import { WebSocket } from 'ws'
import type { Notification } from '../../console/src/api/shapes.ts'
import { FeedConnection } from '../../console/src/feed/feed-connection.ts'
import type { FeedSocket, FeedStatus, SubscriptionListener } from '../../console/src/feed/feed-connection.ts'
import { numbered, startGateway } from '../gateway/harness.ts'
import type { Harness } from '../gateway/harness.ts'
import { eventually } from '../helpers/eventually.ts'

class Page implements Disposable {
  readonly statuses: FeedStatus[] = []
  readonly sockets: WebSocket[] = []
  readonly connection: FeedConnection

  constructor(server: Harness, token = server.tokens.viewer) {
    this.connection = new FeedConnection({
      open: () => {
        const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/feed`, 'tocsin.v1.json', {
          headers: { authorization: `Bearer ${token}` }
        })
        socket.on('error', () => {}) // "close" follows
        this.sockets.push(socket)
        return socket as unknown as FeedSocket
      },
      onStatus: status => this.statuses.push(status),
      random: () => 0.99
    })
  }

  get status(): FeedStatus | undefined {
    return this.statuses.at(-1)
  }

  [Symbol.dispose](): void {
    this.connection.stop()
  }
}

function recorder() {
  const items: Notification[] = []
  const starts: boolean[] = []
  const gaps: object[] = []
  const listener: SubscriptionListener = {
    onItems: more => items.push(...more),
    onSubscribed: ({ recovered }) => starts.push(recovered),
    onGap: gap => gaps.push(gap)
  }
  const payloads = () => items.map(item => (item.kind === 'event' ? item.payload : null))
  return { listener, payloads, starts, gaps }
}

describe('the connection to the feed', () => {
  test('goes on from its place after it was lost, without a hole or a repeat', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    const got = recorder()
    page.connection.subscribe({ kinds: ['event'] }, null, got.listener)
    page.connection.start()
    await eventually(() => got.starts.length === 1)
    await server.append(numbered(1), numbered(2))
    await eventually(() => got.payloads().length === 2)
    page.sockets.at(-1)?.terminate()
    await eventually(() => page.status?.state === 'waiting')
    await server.append(numbered(3), numbered(4))
    await eventually(() => got.payloads().length === 4)
    await server.append(numbered(5))
    await eventually(() => got.payloads().length === 5)
    expect(got.payloads()).toEqual([1, 2, 3, 4, 5])
    expect(got.starts).toEqual([true, true])
    expect(page.status).toEqual({ state: 'live' })
  })

  test('tells a gap, and goes on behind it', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    const got = recorder()
    await server.append(numbered(1))
    page.connection.start()
    page.connection.subscribe({}, 'otherlog-7', got.listener)
    await eventually(() => got.payloads().length === 1)
    expect(got.starts).toEqual([false])
    expect(got.gaps).toEqual([expect.objectContaining({ from: 'otherlog-7' })])
  })

  test('serves several subscriptions, and forgets one that has ended', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    page.connection.start()
    const [one, other] = [recorder(), recorder()]
    const subscription = page.connection.subscribe({ devices: ['dev-1'] }, null, one.listener)
    page.connection.subscribe({}, null, other.listener)
    await eventually(() => one.starts.length + other.starts.length === 2)
    await server.append(numbered(1), numbered(2, { device: 'dev-2' }))
    await eventually(() => other.payloads().length === 2 && one.payloads().length === 1)
    subscription.end()
    await server.append(numbered(3))
    await eventually(() => other.payloads().length === 3)
    expect(one.payloads()).toEqual([1])
  })

  test('says what the server refuses', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    page.connection.start()
    const errors: object[] = []
    page.connection.subscribe({ topics: ['a/#/b'] }, null, {
      onItems: () => {},
      onError: error => errors.push(error)
    })
    await eventually(() => errors.length === 1)
    expect(errors).toEqual([expect.objectContaining({ code: 'filter-invalid' })])
  })

  test('does not come back when it is told not to, and does with another start', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    page.connection.start()
    await eventually(() => page.status?.state === 'live')
    await server.ask('/v1/tokens/viewer', { role: 'admin', method: 'DELETE' })
    await eventually(() => page.status?.state === 'ended')
    expect(page.status).toMatchObject({ code: 4502 })
    expect(page.sockets).toHaveLength(1)
    page.connection.start()
    expect(page.sockets).toHaveLength(2)
  })

  test('waits longer each time, and tries at once when asked to', async () => {
    await using server = await startGateway()
    using page = new Page(server)
    await server.gateway.close()
    page.connection.start()
    const pauses = () => page.statuses.flatMap(status => (status.state === 'waiting' ? [status.retryAt] : []))
    await eventually(() => pauses().length === 1)
    page.connection.retryNow()
    await eventually(() => pauses().length === 2)
    page.connection.retryNow()
    await eventually(() => pauses().length === 3)
    expect(page.sockets).toHaveLength(3)
    const waits = page.statuses.flatMap(status =>
      status.state === 'waiting' ? [status.retryAt - Date.now()] : []
    )
    expect(waits.at(-1)).toBeGreaterThan(waits[0] ?? 0)
  })
})
