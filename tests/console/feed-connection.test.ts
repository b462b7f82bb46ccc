// The page's connection to a real gateway: subscriptions over losses of the connection.
import { describe, expect, test } from '@jest/globals'
import type { Notification } from '../../console/src/api/shapes.ts'
import type { SubscriptionListener } from '../../console/src/feed/feed-connection.ts'
import { numbered, startGateway } from '../gateway/harness.ts'
import { eventually } from '../helpers/eventually.ts'
import { CuttableProxy } from './browser/cuttable-proxy.ts'
import { Page } from './feed-page.ts'

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

  test('is given up when it has gone silent without a word, and asked before', async () => {
    await using server = await startGateway()
    await using proxy = await CuttableProxy.to(server.port)
    using page = new Page(server, { url: proxy.url, silenceMs: 50, answerMs: 2000 })
    const got = recorder()
    page.connection.subscribe({}, null, got.listener)
    page.connection.start()
    await eventually(() => got.starts.length === 1)
    await server.append(numbered(1))
    await eventually(() => got.payloads().length === 1)
    // Quiet, and there: it answers each time it is asked.
    const asked = page.pings
    await eventually(() => page.pings >= asked + 3)
    expect(page.sockets).toHaveLength(1)
    proxy.freeze()
    await eventually(() => page.status?.state === 'waiting')
    await server.append(numbered(2))
    proxy.restore()
    await eventually(() => got.payloads().length === 2)
    expect(got.payloads()).toEqual([1, 2])
  })
})
