// The feed as server-sent events.
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { event, numbered, startGateway } from './harness.ts'
import type { Harness } from './harness.ts'
import { eventually } from '../helpers/eventually.ts'

interface ServerSentEvent {
  id: string | undefined
  event: string | undefined
  data: string | undefined
}

/** Opens the stream and parses it as an EventSource does. */
async function openStream(server: Harness, query = '', headers: Record<string, string> = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const authorization = `Bearer ${server.tokens.viewer}`
    get(
      `${server.url}/v1/feed${query}`,
      { headers: { accept: 'text/event-stream', authorization, ...headers } },
      resolve
    ).on('error', reject)
  })
  const events: ServerSentEvent[] = []
  let lastId: string | undefined
  let text = ''
  let ended = false
  response.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .filter(line => !line.startsWith(':'))
          .map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
      )
      lastId = fields['id'] ?? lastId
      if (fields['data'] !== undefined)
        events.push({ id: fields['id'], event: fields['event'], data: fields['data'] })
      text = text.slice(end + 2)
    }
  })
  response.on('close', () => (ended = true))
  return {
    response,
    events,
    lastId: () => lastId,
    ended: () => ended,
    items: () =>
      events
        .filter(one => one.event === 'notification')
        .map(one => JSON.parse(one.data ?? '') as Record<string, unknown>),
    [Symbol.dispose]: () => response.destroy()
  }
}

describe('server-sent events', () => {
  test('carry one notification each, whose id is its cursor', async () => {
    await using server = await startGateway()
    using stream = await openStream(server)
    await eventually(() => stream.events.length === 1)
    expect(stream.events[0]).toMatchObject({ event: 'subscribed' })
    await server.append(event({ payload: Buffer.from('{\n"a":\r\n1}') }), numbered(2))
    await eventually(() => stream.items().length === 2)
    expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(stream.items()).toMatchObject([{ payload: { a: 1 } }, { payload: 2 }])
    expect(stream.events.slice(1).map(({ id }) => id)).toEqual(stream.items().map(({ cursor }) => cursor))
  })

  test('resume after Last-Event-ID, whatever the URL says', async () => {
    await using server = await startGateway()
    let id: string | undefined
    {
      using stream = await openStream(server, '?devices=dev-1&devices=dev-2')
      await eventually(() => stream.events.length === 1)
      await server.append(numbered(1), numbered(2, { device: 'dev-2' }), numbered(3, { device: 'dev-3' }))
      await eventually(() => stream.items().length === 2)
      id = stream.lastId()
    }
    await server.append(numbered(4), numbered(5, { device: 'dev-3' }))
    using stream = await openStream(server, '?devices=dev-1&devices=dev-2&after=earliest', {
      'last-event-id': id ?? ''
    })
    await server.append(numbered(6))
    await eventually(() => stream.items().length === 2)
    expect(stream.items().map(({ payload }) => payload)).toEqual([4, 6])
    expect(JSON.parse(stream.events[0]?.data ?? '')).toMatchObject({ recovered: true })
  })

  test('tell of a gap', async () => {
    await using server = await startGateway()
    await server.append(numbered(1))
    using stream = await openStream(server, '', { 'last-event-id': 'otherlog-7' })
    await eventually(() => stream.items().length === 1)
    const [subscribed, gap] = stream.events
    expect(JSON.parse(subscribed?.data ?? '')).toMatchObject({ recovered: false })
    expect(gap?.event).toBe('gap')
    expect(JSON.parse(gap?.data ?? '')).toMatchObject({ from: 'otherlog-7' })
  })

  test('move Last-Event-ID on while there is nothing to tell', async () => {
    await using server = await startGateway({ settings: { pingMs: 50 } })
    using stream = await openStream(server, '?devices=nobody')
    await eventually(() => stream.lastId() !== undefined)
    const first = stream.lastId()
    await server.append(numbered(1))
    await eventually(() => stream.lastId() !== first)
    expect(stream.items()).toEqual([])
  })

  test('end when the server drains and when the token is revoked', async () => {
    await using server = await startGateway()
    using revoked = await openStream(server)
    await server.store.tokens.remove('viewer')
    await eventually(() => revoked.ended())
  })

  test('catch up a reader that paused', async () => {
    await using server = await startGateway({ settings: { unsentBytesMax: 65_536 } })
    using stream = await openStream(server)
    await eventually(() => stream.events.length === 1)
    stream.response.pause()
    const payload = Buffer.from(JSON.stringify('x'.repeat(16_000)))
    for (let n = 0; n < 30; n++) await server.append(...Array.from({ length: 50 }, () => event({ payload })))
    expect(await server.metric('tocsin_feed_slow_leaves_total')).toBeGreaterThan(0)
    stream.response.resume()
    await eventually(() => stream.events.length > 1500, { everyMs: 50 }) // the first says that it is subscribed
    const cursors = stream
      .items()
      .map(({ cursor }) => Number.parseInt(String(cursor).split('-')[1] ?? '', 36))
    expect(cursors).toEqual(Array.from({ length: 1500 }, (_, index) => index + 1))
  })

  test('need to be asked for', async () => {
    await using server = await startGateway()
    expect(await server.ask('/v1/feed')).toMatchObject({ status: 406, body: { code: 'not-acceptable' } })
    const headers = { accept: 'text/event-stream' }
    expect(await server.ask('/v1/feed', { headers, role: null })).toMatchObject({
      status: 401,
      body: { code: 'unauthorized' }
    })
    expect(await server.ask('/v1/feed?severityMin=loud', { headers })).toMatchObject({
      status: 400,
      body: { code: 'request-invalid' }
    })
    expect(await server.ask('/v1/feed?after=x', { headers })).toMatchObject({
      status: 400,
      body: { code: 'cursor-invalid' }
    })
    expect(await server.ask('/v1/feed?topics=a%2F%23%2Fb', { headers })).toMatchObject({
      status: 400,
      body: { code: 'filter-invalid' }
    })
  })
})
