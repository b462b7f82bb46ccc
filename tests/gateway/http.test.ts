// The HTTP interface from the client's side.
import { connect } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import type { LogHealth } from '../../store/store.ts'
import { event, numbered, startGateway } from './harness.ts'
import { eventually } from '../helpers/eventually.ts'

describe('history', () => {
  test('is read in pages from a cursor', async () => {
    await using server = await startGateway()
    await server.append(...Array.from({ length: 25 }, (_, index) => numbered(index + 1)))
    const got: number[] = []
    let after = 'earliest'
    for (let more = true; more;) {
      const { body } = await server.ask(`/v1/notifications?after=${after}&limit=10`)
      got.push(...body.items.map(({ payload }: { payload: number }) => payload))
      ;({ cursor: after, more } = body)
    }
    expect(got).toEqual(Array.from({ length: 25 }, (_, index) => index + 1))
  })

  test('begins now when no cursor is given, and takes filters', async () => {
    await using server = await startGateway()
    await server.append(numbered(1), numbered(2, { device: 'dev-2' }))
    const { body } = await server.ask('/v1/notifications')
    expect(body).toMatchObject({ items: [], more: false })
    const filtered = await server.ask(
      '/v1/notifications?after=earliest&devices=dev-2&kinds=event&kinds=alert'
    )
    expect(filtered.body.items).toMatchObject([{ payload: 2 }])
    expect(filtered.body.cursor).toBe(body.cursor)
  })

  test('says what is missing', async () => {
    await using server = await startGateway()
    await server.append(numbered(1))
    const { body } = await server.ask('/v1/notifications?after=otherlog-3')
    expect(body).toMatchObject({ items: [{ payload: 1 }], gap: { from: 'otherlog-3' } })
  })

  test('waits for the next notification that passes', async () => {
    await using server = await startGateway()
    const waiting = server.ask('/v1/notifications?wait=20s&devices=dev-2')
    await eventually(
      async () => (await server.metric('tocsin_feed_subscribers', { transport: 'long-poll' })) === 1
    )
    await server.append(numbered(1))
    await server.append(numbered(2, { device: 'dev-2' }))
    expect((await waiting).body).toMatchObject({ items: [{ payload: 2 }], more: false })
    expect(await server.metric('tocsin_feed_subscribers', { transport: 'long-poll' })).toBe(0)
  })

  test('answers empty when the wait is over, and when the server drains', async () => {
    await using server = await startGateway()
    expect((await server.ask('/v1/notifications?wait=50ms')).body).toMatchObject({ items: [], more: false })
    const waiting = server.ask('/v1/notifications?wait=60s')
    await eventually(
      async () => (await server.metric('tocsin_feed_subscribers', { transport: 'long-poll' })) === 1
    )
    await server.gateway.close()
    expect(await waiting).toMatchObject({ status: 200, body: { items: [] } })
  })

  test('misses nothing between one long-poll and the next', async () => {
    await using server = await startGateway()
    let { cursor } = (await server.ask('/v1/notifications')).body
    const writing = (async () => {
      for (let n = 1; n <= 200; n++) await server.append(numbered(n))
    })()
    const got: number[] = []
    while (got.length < 200) {
      const { body } = await server.ask(`/v1/notifications?after=${cursor}&wait=10s&limit=7`)
      got.push(...body.items.map(({ payload }: { payload: number }) => payload))
      cursor = body.cursor
    }
    await writing
    expect(got).toEqual(Array.from({ length: 200 }, (_, index) => index + 1))
  })
})

describe('one notification', () => {
  test('is what the feed shows', async () => {
    await using server = await startGateway()
    await server.append(numbered(1), event({ payload: Buffer.from([0, 255]), deviceAt: 5 }), {
      kind: 'presence',
      device: 'd',
      severity: 'minor',
      status: 'online',
      reason: '',
      session: 's',
      order: 1
    })
    const { items } = (await server.ask('/v1/notifications?after=earliest')).body
    expect(items).toHaveLength(3)
    for (const item of items) {
      const answer = await server.ask(`/v1/notifications/${item.cursor}`)
      expect(answer).toMatchObject({ status: 200, body: item })
      expect(answer.type).toContain('application/json')
    }
  })

  test('is unknown where there is none', async () => {
    await using server = await startGateway()
    await server.append(numbered(1))
    const { epoch } = server.store.log.bounds()
    for (const cursor of [`${epoch}-0`, `${epoch}-2`, 'otherlog-1'])
      expect(await server.ask(`/v1/notifications/${cursor}`)).toMatchObject({
        status: 404,
        body: { code: 'notification-unknown', detail: expect.stringContaining(cursor) }
      })
    for (const cursor of ['latest', '1', `${epoch}-%20`, `${epoch}-`, 'x'.repeat(300)])
      expect(await server.ask(`/v1/notifications/${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'cursor-invalid' }
      })
    expect(await server.ask(`/v1/notifications/${epoch}-1`, { role: null })).toMatchObject({ status: 401 })
  })
})

describe('posted events', () => {
  const post = (body: unknown, headers: Record<string, string> = {}) => ({
    method: 'POST',
    role: 'operator' as const,
    body: JSON.stringify(body),
    headers
  })
  const good = { device: 'd', topic: 'a/b', payload: { x: 1 } }

  test('are in the log when they are answered', async () => {
    await using server = await startGateway()
    const one = await server.ask('/v1/events', post(good))
    expect(one).toMatchObject({ status: 200, body: { stored: 1 } })
    const more = [
      { ...good, payload: 'text' },
      { ...good, payload: 'AP8=', encoding: 'base64' },
      { ...good, payload: null, deviceAt: 5 }
    ]
    expect(await server.ask('/v1/events', post(more))).toMatchObject({ status: 200, body: { stored: 3 } })
    const { items } = await server.store.log.read(0, { limit: 10 })
    expect(
      items.map(item => (item.kind === 'event' ? Buffer.from(item.payload).toString('latin1') : ''))
    ).toEqual(['{"x":1}', 'text', '\0\xff', 'null'])
    expect(items[3]).toMatchObject({ kind: 'event', source: 'http', device: 'd', topic: 'a/b', deviceAt: 5 })
    const after = await server.ask(`/v1/notifications?after=${one.body.cursor}`)
    expect(after.body.items).toHaveLength(3)
  })

  test('are stored once for each idempotency key', async () => {
    await using server = await startGateway()
    const request = post([good, good], { 'idempotency-key': 'k1' })
    const answers = await Promise.all([1, 2, 3].map(() => server.ask('/v1/events', request)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(server.store.log.bounds().last).toBe(2)
    expect(await server.ask('/v1/events', post(good, { 'idempotency-key': 'k1' }))).toMatchObject({
      status: 422,
      body: { code: 'idempotency-mismatch' }
    })
    await server.ask('/v1/events', { ...request, role: 'admin' })
    expect(server.store.log.bounds().last).toBe(4) // another token's key is another key
  })

  test('that are wrong say which and why, and none is stored', async () => {
    await using server = await startGateway()
    const wrong: [unknown, string][] = [
      [[], 'body'],
      [5, 'body'],
      [{ topic: 'a', payload: 1 }, 'body/device'],
      [{ ...good, device: 'a\u0000b' }, 'body/device'],
      [[good, { ...good, topic: 'a/+' }], 'body/1/topic'],
      [{ ...good, topic: '$SYS/x' }, 'body/topic'],
      [{ device: 'd', topic: 'a' }, 'body/payload'],
      [{ ...good, payload: '*', encoding: 'base64' }, 'body/payload'],
      [{ ...good, deviceAt: 'now' }, 'body/deviceAt'],
      [{ ...good, extra: 1 }, 'body']
    ]
    for (const [body, path] of wrong) {
      const answer = await server.ask('/v1/events', post(body))
      expect(answer).toMatchObject({ status: 400, body: { code: 'request-invalid', errors: [{ path }] } })
    }
    expect(server.store.log.bounds().last).toBe(0)
  })

  test('need an operator', async () => {
    await using server = await startGateway()
    expect(await server.ask('/v1/events', { ...post(good), role: 'viewer' })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' }
    })
    expect(await server.ask('/v1/events', { ...post(good), role: null })).toMatchObject({ status: 401 })
  })

  test('get 503 while nothing can be stored', async () => {
    await using server = await startGateway()
    const { log } = server.store
    await server.store.close()
    const answer = await server.ask('/v1/events', post(good))
    expect(answer).toMatchObject({ status: 503, body: { code: 'store-unavailable', stored: 0 } })
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(log.bounds().last).toBe(0)
  })
})

describe('problems', () => {
  test('are problem JSON with a code, whatever is wrong', async () => {
    await using server = await startGateway({ settings: { bodyBytesMax: 1024 } })
    const admin = { role: 'admin' as const, method: 'POST' }
    const cases: [string, RequestInit & { role?: 'admin' | 'viewer' | null }, number, string][] = [
      ['/nowhere', {}, 404, 'route-unknown'],
      ['/v1/events', { method: 'PUT' }, 405, 'method-not-allowed'],
      ['/v1/devices/x/rotate', { method: 'GET' }, 405, 'method-not-allowed'],
      ['/v1/devices/nobody', {}, 404, 'device-unknown'],
      ['/v1/devices?limit=0', {}, 400, 'request-invalid'],
      ['/v1/devices?colour=red', {}, 400, 'request-invalid'],
      ['/v1/notifications?wait=soon', {}, 400, 'request-invalid'],
      ['/v1/notifications?limit=1001', {}, 400, 'request-invalid'],
      ['/v1/notifications?after=%20', {}, 400, 'cursor-invalid'],
      ['/v1/notifications?token=abc', {}, 400, 'token-in-url'],
      ['/v1/tokens', {}, 403, 'forbidden'],
      ['/v1/tokens', { role: null }, 401, 'unauthorized'],
      ['/v1/devices', { ...admin, body: '{' }, 400, 'json-invalid'],
      ['/v1/devices', { ...admin, body: '{}' }, 400, 'request-invalid'],
      [
        '/v1/devices',
        { ...admin, body: 'x', headers: { 'content-type': 'text/csv' } },
        415,
        'media-type-unsupported'
      ],
      ['/v1/devices', { ...admin, body: `{"id":"${'x'.repeat(2000)}"}` }, 413, 'body-too-large'],
      ['/v1/devices/%ff', {}, 400, 'request-invalid']
    ]
    for (const [path, init, status, code] of cases) {
      const answer = await server.ask(path, init)
      expect({ path, status: answer.status, code: answer.body?.code }).toEqual({ path, status, code })
      expect(answer.type).toContain('application/problem+json')
      expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
    }
    expect((await server.ask('/v1/events', { method: 'PUT' })).headers.get('allow')).toBe('POST')
  })

  test('answer bytes that are no request', async () => {
    await using server = await startGateway()
    const socket = connect(server.port, '127.0.0.1')
    let text = ''
    socket.on('data', chunk => (text += chunk.toString()))
    socket.write('hello there\r\n\r\n')
    await new Promise(resolve => socket.once('close', resolve))
    expect(text).toMatch(/^HTTP\/1.1 400 /)
    expect(text).toContain('"code":"request-invalid"')
  })
})

describe('operations', () => {
  test('tell life from readiness', async () => {
    let phase: 'starting' | 'serving' = 'starting'
    await using server = await startGateway({ gateway: { status: () => ({ phase }) } })
    expect(await server.ask('/healthz', { role: null })).toMatchObject({ status: 200 })
    expect(await server.ask('/readyz', { role: null })).toMatchObject({
      status: 503,
      body: { code: 'not-ready', phase: 'starting' }
    })
    phase = 'serving'
    expect(await server.ask('/readyz', { role: null })).toMatchObject({
      status: 200,
      body: { status: 'ready' }
    })
    const health: LogHealth = { writable: false, code: 'disk-full', reason: 'the disk is full', since: 0 }
    server.store.log.health = () => health
    const answer = await server.ask('/readyz', { role: null })
    expect(answer).toMatchObject({ status: 503, body: { reason: 'disk-full' } })
    expect(answer.body.detail).toContain('the disk is full')
  })

  test('expose metrics without ids', async () => {
    await using server = await startGateway()
    using client = await server.connect()
    await client.subscribe('a')
    await server.append(event({ device: 'secret-device' }))
    await client.count(1)
    await server.ask('/v1/devices/secret-device')
    const { text } = await server.ask('/metrics', { role: null })
    expect(text).toContain('tocsin_feed_notifications_sent_total{transport="websocket"} 1')
    expect(text).toContain('tocsin_feed_subscribers{transport="websocket"} 1')
    expect(text).toContain('route="/v1/devices/:id"')
    expect(text).not.toContain('secret-device')
  })

  test('describe every route in OpenAPI', async () => {
    await using server = await startGateway()
    const { body } = await server.ask('/v1/openapi.json', { role: null })
    expect(body).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
    const routes = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method} ${path}`)
    )
    expect(routes.toSorted()).toEqual([
      'delete /v1/devices/{id}',
      'delete /v1/session',
      'delete /v1/silences/{id}',
      'delete /v1/tokens/{id}',
      'get /healthz',
      'get /metrics',
      'get /readyz',
      'get /v1/alerts',
      'get /v1/alerts/{id}',
      'get /v1/channels',
      'get /v1/devices',
      'get /v1/devices/{id}',
      'get /v1/feed',
      'get /v1/handlers',
      'get /v1/notifications',
      'get /v1/notifications/{cursor}',
      'get /v1/openapi.json',
      'get /v1/overview',
      'get /v1/routes',
      'get /v1/rules',
      'get /v1/session',
      'get /v1/silences',
      'get /v1/silences/{id}',
      'get /v1/tokens',
      'post /api/v2/alerts',
      'post /v1/alerts',
      'post /v1/alerts/{id}/acknowledge',
      'post /v1/alerts/{id}/resolve',
      'post /v1/channels/{name}/test',
      'post /v1/deliveries/{id}/resend',
      'post /v1/devices',
      'post /v1/devices/{id}/rotate',
      'post /v1/events',
      'post /v1/reload',
      'post /v1/rules/dry-run',
      'post /v1/session',
      'post /v1/session/codes',
      'post /v1/silences',
      'post /v1/tokens'
    ])
    expect(body.paths['/v1/devices'].get.parameters).toContainEqual(
      expect.objectContaining({ name: 'status', in: 'query' })
    )
  })
})

describe('tokens', () => {
  test('are created, used, listed without secrets, and revoked', async () => {
    await using server = await startGateway()
    const admin = { role: 'admin' as const }
    const created = await server.ask('/v1/tokens', {
      ...admin,
      method: 'POST',
      body: '{"role":"viewer","name":"wall"}'
    })
    expect(created).toMatchObject({
      status: 201,
      body: { role: 'viewer', name: 'wall', createdAt: expect.stringMatching(/Z$/) }
    })
    const { id, token } = created.body
    const headers = { authorization: `Bearer ${token}` }
    expect((await server.ask('/v1/devices', { headers })).status).toBe(200)
    const list = await server.ask('/v1/tokens', admin)
    expect(list.body.items).toHaveLength(4)
    expect(list.text).not.toContain(token)
    expect((await server.ask(`/v1/tokens/${id}`, { ...admin, method: 'DELETE' })).status).toBe(204)
    expect((await server.ask('/v1/devices', { headers })).status).toBe(401)
    expect(await server.ask(`/v1/tokens/${id}`, { ...admin, method: 'DELETE' })).toMatchObject({
      status: 404,
      body: { code: 'token-unknown' }
    })
    expect(await server.ask('/v1/tokens/admin', { ...admin, method: 'DELETE' })).toMatchObject({
      status: 409,
      body: { code: 'last-admin' }
    })
  })
})
