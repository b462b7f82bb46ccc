// The feed over WebSocket, from the client's side.
import { describe, expect, test } from '@jest/globals'
import { WebSocket } from 'ws'
import { event, numbered, startGateway } from './harness.ts'
import { eventually } from '../helpers/eventually.ts'

describe('the WebSocket feed', () => {
  for (const format of ['json', 'msgpack'] as const) {
    test(`delivers live notifications as ${format}`, async () => {
      await using server = await startGateway()
      using client = await server.connect({ format })
      const subscribed = await client.subscribe('all')
      expect(subscribed).toMatchObject({ type: 'subscribed', id: 'all', recovered: true })
      await server.append(event({ payload: Buffer.from('{"a":[1,2]}'), deviceAt: 5 }))
      const [item] = await client.count(1)
      expect(item).toMatchObject({
        kind: 'event',
        device: 'dev-1',
        severity: 'info',
        topic: 'site/a/temperature',
        payload: { a: [1, 2] },
        deviceAt: 5,
        source: 'mqtt',
        at: expect.any(Number),
        cursor: expect.any(String)
      })
      const batch = client.messages.find(({ type }) => type === 'notifications')
      expect(batch).toMatchObject({ id: 'all', cursor: item?.['cursor'] })
    })
  }

  test('delivers only what passes each filter', async () => {
    await using server = await startGateway()
    using client = await server.connect()
    await client.subscribe('topic', { filter: { topics: ['site/+/door', 'site/b/#'] } })
    await client.subscribe('device', { filter: { devices: ['dev-2'] } })
    await client.subscribe('severe', { filter: { severityMin: 'major' } })
    await client.subscribe('presence', { filter: { kinds: ['presence'] } })
    await server.append(
      numbered(1, { topic: 'site/a/door' }),
      numbered(2, { topic: 'site/b/door' }),
      numbered(3, { device: 'dev-2', severity: 'critical' }),
      {
        kind: 'presence',
        device: 'dev-3',
        severity: 'info',
        status: 'online',
        reason: 'connected',
        session: 's',
        order: 1
      },
      numbered(5)
    )
    await client.count(5)
    const payloads = (id: string) => client.items(id).map(item => item['payload'])
    expect(payloads('topic')).toEqual([1, 2])
    expect(payloads('device')).toEqual([3])
    expect(payloads('severe')).toEqual([3])
    expect(client.items('presence')).toMatchObject([
      { kind: 'presence', device: 'dev-3', status: 'online', order: 1 }
    ])
  })

  test('gives each subscription of a connection its own id and ends one alone', async () => {
    await using server = await startGateway()
    using client = await server.connect()
    await client.subscribe('a')
    await client.subscribe('b')
    await server.append(numbered(1))
    await client.count(2)
    client.send({ type: 'unsubscribe', id: 'a' })
    client.send({ type: 'unsubscribe', id: 'nothing' })
    expect(await client.next(({ type }) => type === 'error')).toMatchObject({
      id: 'nothing',
      code: 'subscription-unknown'
    })
    await server.append(numbered(2))
    await client.count(3)
    expect(client.items('a').map(item => item['payload'])).toEqual([1])
    expect(client.items('b').map(item => item['payload'])).toEqual([1, 2])
  })
})

describe('credentials', () => {
  test('may come as a first message', async () => {
    await using server = await startGateway()
    using client = await server.connect({ role: null })
    client.send({ type: 'auth', token: server.tokens.viewer })
    await client.subscribe('a')
  })

  test('must come before anything else', async () => {
    await using server = await startGateway()
    using client = await server.connect({ role: null })
    client.send({ type: 'subscribe', id: 'a' })
    expect(await client.closed).toMatchObject({ code: 4500 })
    expect(client.messages).toMatchObject([{ type: 'error', code: 'auth-required' }])
  })

  test('must be right', async () => {
    await using server = await startGateway()
    using client = await server.connect({ role: null })
    client.send({ type: 'auth', token: 'wrong' })
    expect(await client.closed).toMatchObject({ code: 4500 })
    expect((await refused(server.port, { authorization: 'Bearer wrong' })).status).toBe(401)
  })

  test('must come in time', async () => {
    await using server = await startGateway({ settings: { authTimeoutMs: 100 } })
    using client = await server.connect({ role: null })
    expect(await client.closed).toMatchObject({ code: 4003 })
  })

  test('are refused in a URL', async () => {
    await using server = await startGateway()
    const answer = await refused(server.port, {}, `/v1/feed?token=${server.tokens.viewer}`)
    expect(answer).toMatchObject({ status: 400, body: { code: 'token-in-url' } })
  })

  test('end with the token', async () => {
    await using server = await startGateway()
    using client = await server.connect()
    await client.subscribe('a')
    await server.store.tokens.remove('viewer')
    expect(await client.closed).toMatchObject({ code: 4502 })
  })
})

describe('upgrades', () => {
  test('need one of our subprotocols', async () => {
    await using server = await startGateway()
    const authorization = `Bearer ${server.tokens.viewer}`
    const answer = await refused(server.port, { authorization }, '/v1/feed', 'graphql-ws')
    expect(answer).toMatchObject({ status: 400, body: { code: 'subprotocol-unsupported' } })
  })

  test('are refused to foreign pages and allowed to our own and those in the settings', async () => {
    await using server = await startGateway({ settings: { allowedOrigins: ['https://ops.example'] } })
    const foreign = await refused(server.port, { origin: 'https://evil.example' })
    expect(foreign).toMatchObject({ status: 403, body: { code: 'origin-refused' } })
    for (const origin of ['https://ops.example', `http://127.0.0.1:${server.port}`]) {
      using client = await server.connect({ headers: { origin } })
      await client.subscribe('a')
    }
  })

  test('go to whoever serves their path, or get a problem', async () => {
    const seen: string[] = []
    await using server = await startGateway({
      gateway: {
        upgrades: {
          '/mqtt': (request, socket) => {
            seen.push(String(request.url))
            socket.destroy()
          }
        }
      }
    })
    await expect(refused(server.port, {}, '/mqtt?x=1')).rejects.toThrow(/socket hang up/)
    expect(seen).toEqual(['/mqtt?x=1'])
    expect(await refused(server.port, {}, '/elsewhere')).toMatchObject({
      status: 404,
      body: { code: 'route-unknown' }
    })
  })

  test('stop at the limit of subscribers', async () => {
    await using server = await startGateway({ settings: { subscribersMax: 1 } })
    {
      using _client = await server.connect()
      expect(await refused(server.port)).toMatchObject({ status: 503, body: { code: 'subscribers-limit' } })
    }
    await eventually(
      async () => (await server.metric('tocsin_feed_subscribers', { transport: 'websocket' })) === 0
    )
    using client = await server.connect()
    await client.subscribe('a')
  })
})

describe('bad messages', () => {
  test('that are not the protocol end the connection for good', async () => {
    await using server = await startGateway()
    for (const text of ['{', '[]', '"text"']) {
      using client = await server.connect()
      client.send(text)
      expect(await client.closed).toMatchObject({ code: 4501 })
    }
    using client = await server.connect({ format: 'msgpack' })
    client.send('{"type":"subscribe","id":"a"}')
    expect(await client.closed).toMatchObject({ code: 4501 })
  })

  test('get an error that names what is wrong, and the connection goes on', async () => {
    await using server = await startGateway({ settings: { subscriptionsMax: 2, filterTermsMax: 2 } })
    using client = await server.connect()
    const wrong: [object, string][] = [
      [{ type: 'dance', id: '1' }, 'message-invalid'],
      [{ type: 'subscribe', id: 7 }, 'message-invalid'],
      [{ type: 'subscribe', id: '3', filter: { topics: ['a/#/b'] } }, 'filter-invalid'],
      [{ type: 'subscribe', id: '4', filter: { colour: 'red' } }, 'filter-invalid'],
      [{ type: 'subscribe', id: '5', filter: { kinds: [] } }, 'filter-invalid'],
      [{ type: 'subscribe', id: '6', filter: { devices: ['a', 'b', 'c'] } }, 'filter-invalid'],
      [{ type: 'subscribe', id: '7', after: 'yesterday!' }, 'cursor-invalid'],
      [{ type: 'auth', token: 'x' }, 'auth-repeated']
    ]
    for (const [message] of wrong) client.send(message)
    await client.subscribe('one')
    await client.subscribe('two')
    client.send({ type: 'subscribe', id: 'two' })
    client.send({ type: 'subscribe', id: 'three' })
    await eventually(() => client.messages.filter(({ type }) => type === 'error').length === wrong.length + 2)
    const codes = client.messages.filter(({ type }) => type === 'error').map(({ code }) => code as string)
    expect(codes).toEqual([...wrong.map(([, code]) => code), 'subscription-exists', 'subscriptions-limit'])
  })

  test('that are too large end the connection', async () => {
    await using server = await startGateway({ settings: { messageBytesMax: 1024 } })
    using client = await server.connect()
    client.send({ type: 'subscribe', id: 'a', filter: { devices: ['x'.repeat(2000)] } })
    expect(await client.closed).toMatchObject({ code: 1009 })
  })
})

describe('the end', () => {
  test('tells subscribers to come back, with everything that was committed', async () => {
    await using server = await startGateway({ settings: { flushMs: 1000 } })
    using client = await server.connect()
    await client.subscribe('a')
    await server.append(numbered(1), numbered(2), numbered(3))
    await server.gateway.close()
    expect(await client.closed).toMatchObject({ code: 4000 })
    expect(client.items().map(item => item['payload'])).toEqual([1, 2, 3])
  })
})

describe('a silent connection', () => {
  test('is cut off when it answers no pings', async () => {
    await using server = await startGateway({ settings: { pingMs: 50 } })
    const quiet = new WebSocket(`ws://127.0.0.1:${server.port}/v1/feed`, 'tocsin.v1.json', {
      headers: { authorization: `Bearer ${server.tokens.viewer}` },
      autoPong: false
    })
    using alive = await server.connect()
    await new Promise(resolve => quiet.once('close', resolve))
    await alive.subscribe('still here')
  })

  test('learns from time to time where it stands', async () => {
    await using server = await startGateway({ settings: { pingMs: 50 } })
    using client = await server.connect()
    const { cursor } = await client.subscribe('quiet', { filter: { devices: ['nobody'] } })
    await server.append(numbered(1))
    const progress = await client.next(
      message => message['type'] === 'notifications' && message['cursor'] !== cursor
    )
    expect(progress['items']).toEqual([])
  })
})

/** The answer to an upgrade that is refused. */
async function refused(
  port: number,
  headers: Record<string, string> = {},
  path = '/v1/feed',
  subprotocol = 'tocsin.v1.json'
): Promise<{ status: number; body: Record<string, unknown> }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, subprotocol, { headers })
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> })
      )
    })
  })
}
