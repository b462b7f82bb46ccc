// Sessions of the console, over real sockets.
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { hashToken } from '../../../store/credentials.ts'
import type { LogHealth, StateRow } from '../../../store/store.ts'
import { eventually } from '../../helpers/eventually.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { numbered, startGateway } from '../harness.ts'
import type { Harness } from '../harness.ts'
import { Browser } from './browser.ts'

const HOUR_MS = 3_600_000
const SESSION_MS = 12 * HOUR_MS

/** A clock that stands still until it is moved. */
function standingClock() {
  const clock = { at: Date.UTC(2026, 8, 1, 6), now: () => clock.at }
  return clock
}

async function signedIn(
  server: Harness,
  role: 'viewer' | 'operator' | 'admin' = 'operator'
): Promise<Browser> {
  const browser = new Browser(server)
  expect((await browser.signIn({ token: server.tokens[role] })).status).toBe(200)
  return browser
}

async function storedSessions(server: Harness): Promise<StateRow[]> {
  const stored: StateRow[] = []
  await server.store.tables.state('session', rows => void stored.push(...rows))
  return stored
}

describe('signing in', () => {
  test('with a token gives its name and role, and a cookie that pages can not read', async () => {
    const clock = standingClock()
    await using server = await startGateway({ gateway: { now: clock.now } })
    const browser = new Browser(server)
    const answer = await browser.signIn({ token: server.tokens.operator })
    const expiresAt = new Date(clock.at + SESSION_MS).toISOString()
    expect(answer).toMatchObject({ status: 200, body: { name: 'operator', role: 'operator', expiresAt } })
    expect(Object.keys(answer.body)).toEqual(['name', 'role', 'expiresAt'])
    const { epoch } = server.store.log.bounds()
    expect(browser.set).toEqual([
      expect.stringMatching(
        new RegExp(`^tocsin_session_${epoch}=[\\w-]{43}; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict$`)
      )
    ])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect((await browser.ask('/v1/session')).body).toEqual({
      name: 'operator',
      role: 'operator',
      expiresAt,
      version: '1.2.3'
    })
    expect(await browser.ask('/v1/devices')).toMatchObject({ status: 200 })
  })

  test('where people come by https gives a cookie that goes by https alone', async () => {
    await using server = await startGateway({ settings: { publicUrl: 'https://tocsin.example' } })
    const browser = await signedIn(server)
    expect(browser.set[0]).toMatch(
      /^__Host-tocsin_session_\w+=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict; Secure$/
    )
    expect((await browser.ask('/v1/session')).status).toBe(200)
  })

  test('that fails says what to do, and sets no cookie', async () => {
    await using server = await startGateway()
    const browser = new Browser(server)
    const cases: [string, number, string, RegExp][] = [
      ['{"token":"wrong"}', 401, 'unauthorized', /token is unknown or was revoked/],
      ['{"code":"wrong"}', 401, 'unauthorized', /used already, or is too old; ask for a new one/],
      ['{}', 400, 'request-invalid', /body/],
      [JSON.stringify({ token: server.tokens.viewer, code: 'x' }), 400, 'request-invalid', /body/],
      ['{"token":[]}', 400, 'request-invalid', /token/],
      [`{"token":"${'x'.repeat(5000)}"}`, 413, 'body-too-large', /too large/]
    ]
    for (const [body, status, code, detail] of cases) {
      const answer = await browser.ask('/v1/session', { method: 'POST', body })
      expect({ body, status: answer.status, code: answer.body.code }).toEqual({ body, status, code })
      expect(answer.body.detail).toMatch(detail)
    }
    const form = { 'content-type': 'text/plain' }
    const body = JSON.stringify({ token: server.tokens.viewer })
    expect(await browser.ask('/v1/session', { method: 'POST', body, headers: form })).toMatchObject({
      status: 415,
      body: { code: 'media-type-unsupported' }
    })
    expect(browser.set).toEqual([])
    expect(await storedSessions(server)).toEqual([])
  })

  test('again ends the session that the browser had', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server, 'viewer')
    const before = browser.cookie
    using feed = await browser.openFeed()
    await browser.signIn({ token: server.tokens.admin })
    expect(await feed.closed).toBe(4503)
    expect(await browser.ask('/v1/session')).toMatchObject({ body: { role: 'admin' } })
    expect(await browser.ask('/v1/session', { headers: { cookie: before } })).toMatchObject({ status: 401 })
    expect(await storedSessions(server)).toHaveLength(1)
  })

  test('keeps nothing that could be presented', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server)
    const [secret = ''] = browser.cookies.values()
    const [row] = await storedSessions(server)
    expect(row?.key).toBe(Buffer.from(hashToken(secret)).toString('base64url'))
    expect(Buffer.from(row?.value ?? []).toString('latin1')).not.toContain(secret)
  })

  test('works while nothing can be stored, and is stored when it can be', async () => {
    await using server = await startGateway({ settings: { pingMs: 20 } })
    const { health } = server.store.log
    const unwritable: LogHealth = { writable: false, code: 'disk-full', reason: 'the disk is full', since: 0 }
    server.store.log.health = () => unwritable
    const browser = await signedIn(server)
    expect((await browser.ask('/v1/session')).status).toBe(200)
    expect(await storedSessions(server)).toEqual([])
    server.store.log.health = health
    await eventually(async () => (await storedSessions(server)).length === 1)
  })
})

describe('a session', () => {
  test('has the rights of its token, and what is done with it is done under its name', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server, 'operator')
    const silence = { match: { rules: ['x'] }, for: '1h' }
    const made = await browser.ask('/v1/silences', { method: 'POST', body: JSON.stringify(silence) })
    expect(made).toMatchObject({ status: 201, body: { author: 'operator' } })
    expect(await browser.ask('/v1/tokens')).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    const viewer = await signedIn(server, 'viewer')
    expect(await viewer.ask('/v1/reload', { method: 'POST', body: '{}' })).toMatchObject({ status: 403 })
  })

  test('does not stand in for a token that is wrong', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server)
    const headers = { authorization: 'Bearer nonsense' }
    expect((await browser.ask('/v1/devices', { headers })).status).toBe(401)
    const own = { authorization: `Bearer ${server.tokens.admin}` }
    expect(await browser.ask('/v1/session', { headers: own })).toMatchObject({
      body: { name: 'admin', role: 'admin', expiresAt: null, version: '1.2.3' }
    })
    using feed = await browser.openFeed({ origin: browser.origin, ...headers })
    expect(feed.status).toBe(401)
  })

  test('is not known to another log, though browsers send it its cookie', async () => {
    await using one = await startGateway()
    await using other = await startGateway()
    const browser = new Browser(one)
    await browser.signIn({ token: one.tokens.viewer })
    const elsewhere = new Browser(other)
    for (const [name, value] of browser.cookies) elsewhere.cookies.set(name, value)
    expect((await elsewhere.ask('/v1/session')).status).toBe(204) // it is nobody there
    expect(await elsewhere.ask('/v1/devices')).toMatchObject({ status: 401, body: { code: 'unauthorized' } })
    await elsewhere.signIn({ token: other.tokens.viewer })
    await elsewhere.signOut()
    expect([...elsewhere.cookies]).toEqual([...browser.cookies])
    expect((await browser.ask('/v1/session')).status).toBe(200)
  })

  test('is nobody’s when a cookie of a second session was put beside it', async () => {
    await using server = await startGateway()
    const mine = await signedIn(server, 'operator')
    const theirs = await signedIn(server, 'viewer')
    const two = { cookie: `${theirs.cookie}; ${mine.cookie}` }
    expect((await mine.ask('/v1/session', { headers: two })).status).toBe(401)
    const [name = ''] = mine.cookies.keys()
    const junk = { cookie: `${name}=x; other=1;;${name}; ${mine.cookie}; ${mine.cookie}` }
    expect(await mine.ask('/v1/session', { headers: junk })).toMatchObject({ body: { name: 'operator' } })
  })

  test('survives a restart, but not its token’s end meanwhile', async () => {
    await using folder = await temporaryFolder()
    let operator: Map<string, string>
    let viewer: Map<string, string>
    {
      await using server = await startGateway({ dir: folder.path })
      operator = (await signedIn(server, 'operator')).cookies
      const extra = {
        id: 'extra',
        hash: hashToken('extra'),
        role: 'viewer',
        name: 'extra',
        createdAt: 0
      } as const
      await server.store.tokens.put(extra)
      const browser = new Browser(server)
      await browser.signIn({ token: 'extra' })
      viewer = browser.cookies
      await server.gateway.close()
      await server.store.tokens.remove('extra') // as the command does where no server runs
    }
    await using server = await startGateway({ dir: folder.path })
    const kept = new Browser(server)
    for (const [name, value] of operator) kept.cookies.set(name, value)
    expect(await kept.ask('/v1/session')).toMatchObject({ status: 200, body: { name: 'operator' } })
    const lost = new Browser(server)
    for (const [name, value] of viewer) lost.cookies.set(name, value)
    expect(await lost.ask('/v1/session')).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining('sign in again') }
    })
    await eventually(async () => (await storedSessions(server)).length === 1)
  })

  test('that has expired is removed, at the latest after a restart', async () => {
    await using folder = await temporaryFolder()
    const clock = standingClock()
    const options = { dir: folder.path, gateway: { now: clock.now } }
    let cookies: Map<string, string>
    {
      await using server = await startGateway(options)
      const browser = await signedIn(server)
      cookies = browser.cookies
      clock.at += SESSION_MS - 1
      expect(
        await server.ask('/v1/session', { role: null, headers: { cookie: browser.cookie } })
      ).toMatchObject({
        status: 200
      })
    }
    clock.at += SESSION_MS // since the use above prolonged it
    await using server = await startGateway(options)
    const browser = new Browser(server)
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    expect((await browser.ask('/v1/session')).status).toBe(401)
    await eventually(async () => (await storedSessions(server)).length === 0)
  })

  test('is shortened when the setting is', async () => {
    await using folder = await temporaryFolder()
    const clock = standingClock()
    let cookies: Map<string, string>
    {
      await using server = await startGateway({ dir: folder.path, gateway: { now: clock.now } })
      cookies = (await signedIn(server)).cookies
    }
    const settings = { sessionMs: HOUR_MS }
    await using server = await startGateway({ dir: folder.path, gateway: { now: clock.now }, settings })
    const browser = new Browser(server)
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    expect((await browser.ask('/v1/session')).body.expiresAt).toBe(new Date(clock.at + HOUR_MS).toISOString())
  })

  test('that is used is prolonged once half of its time is over, with a new cookie', async () => {
    const clock = standingClock()
    await using server = await startGateway({ gateway: { now: clock.now } })
    const browser = await signedIn(server)
    const { cookie } = browser
    clock.at += SESSION_MS / 2
    await browser.ask('/v1/devices')
    expect(browser.set).toHaveLength(1)
    clock.at += 1
    const answer = await browser.ask('/v1/session')
    expect(answer.body.expiresAt).toBe(new Date(clock.at + SESSION_MS).toISOString())
    expect(browser.set).toHaveLength(2)
    expect(browser.set[1]).toBe(browser.set[0])
    await browser.ask('/v1/session')
    expect(browser.set).toHaveLength(2)
    clock.at += SESSION_MS - 1
    expect((await browser.ask('/v1/devices')).status).toBe(200)
    expect(browser.cookie).toBe(cookie)
    clock.at += SESSION_MS
    expect(await browser.ask('/v1/devices')).toMatchObject({ status: 401 })
  })

  test('is one of at most so many: the oldest of the token that has most ends', async () => {
    await using server = await startGateway({ settings: { sessionsMax: 3 } })
    const admin = await signedIn(server, 'admin')
    const first = await signedIn(server, 'viewer')
    const second = await signedIn(server, 'viewer')
    const third = await signedIn(server, 'viewer')
    const statuses = [admin, first, second, third].map(async one => (await one.ask('/v1/session')).status)
    expect(await Promise.all(statuses)).toEqual([200, 401, 200, 200])
    expect(await storedSessions(server)).toHaveLength(3)
  })
})

describe('signing out', () => {
  test('ends the session, its feeds, and nothing else', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server)
    const other = await signedIn(server)
    using feed = await browser.openFeed()
    using kept = await other.openFeed()
    using byToken = await server.connect({ role: 'operator' })
    const { cookie } = browser
    const answer = await browser.signOut()
    expect(answer).toMatchObject({ status: 204, text: '' })
    expect(browser.set.at(-1)).toMatch(/^tocsin_session_\w+=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(await feed.closed).toBe(4503)
    expect(await browser.ask('/v1/session', { headers: { cookie } })).toMatchObject({ status: 401 })
    expect(await storedSessions(server)).toHaveLength(1)
    expect([kept.socket.readyState, byToken.socket.readyState]).toEqual([kept.socket.OPEN, kept.socket.OPEN])
    expect((await browser.signOut()).status).toBe(204)
  })

  test('while it can not be stored says so, and has ended the session all the same', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server)
    const { health } = server.store.log
    const unwritable: LogHealth = { writable: false, code: 'disk-full', reason: 'the disk is full', since: 0 }
    server.store.log.health = () => unwritable
    const { cookie } = browser
    expect(await browser.signOut()).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })
    expect(browser.cookies.size).toBe(0)
    expect((await browser.ask('/v1/session', { headers: { cookie } })).status).toBe(401)
    server.store.log.health = health
    await signedIn(server)
    await eventually(async () => (await storedSessions(server)).length === 1)
  })
})

describe('a session whose token is revoked or changed', () => {
  test.each(['revoked', 'changed'])('%s: ends with its feeds', async how => {
    await using server = await startGateway()
    const browser = await signedIn(server, 'operator')
    const other = await signedIn(server, 'viewer')
    using feed = await browser.openFeed()
    if (how === 'revoked') await server.ask('/v1/tokens/operator', { method: 'DELETE', role: 'admin' })
    else {
      const row = server.store.tokens.get('operator')
      if (row) await server.store.tokens.put({ ...row, role: 'viewer' })
    }
    expect(await feed.closed).toBe(4503)
    expect((await browser.ask('/v1/session')).status).toBe(401)
    expect((await other.ask('/v1/session')).status).toBe(200)
    await eventually(async () => (await storedSessions(server)).length === 1)
  })
})

describe('sign-in codes', () => {
  const codes = (server: Harness, role: 'viewer' | 'admin' = 'viewer') =>
    server.ask('/v1/session/codes', { method: 'POST', role })

  test('sign in once, with the rights of who asked', async () => {
    const clock = standingClock()
    await using server = await startGateway({ gateway: { now: clock.now } })
    const answer = await codes(server)
    expect(answer).toMatchObject({
      status: 201,
      body: {
        code: expect.stringMatching(/^[\w-]{24}$/),
        expiresAt: new Date(clock.at + 600_000).toISOString()
      }
    })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const browser = new Browser(server)
    expect(await browser.signIn({ code: answer.body.code })).toMatchObject({
      status: 200,
      body: { name: 'viewer', role: 'viewer' }
    })
    const second = new Browser(server)
    expect(await second.signIn({ code: answer.body.code })).toMatchObject({ status: 401 })
    expect(second.set).toEqual([])
    // Whoever finds a page open can't carry its rights away.
    expect(await browser.ask('/v1/session/codes', { method: 'POST' })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' }
    })
    expect(await server.ask('/v1/session/codes', { method: 'POST', role: null })).toMatchObject({
      status: 401
    })
  })

  test('end by time, with their token, and with the process', async () => {
    await using folder = await temporaryFolder()
    const clock = standingClock()
    let late: string
    {
      await using server = await startGateway({ dir: folder.path, gateway: { now: clock.now } })
      const browser = new Browser(server)
      const first = (await codes(server)).body.code as string
      clock.at += 599_999
      const second = (await codes(server)).body.code as string
      expect((await browser.signIn({ code: first })).status).toBe(200)
      clock.at += 600_000
      expect((await browser.signIn({ code: second })).status).toBe(401)
      const revoked = (await codes(server)).body.code as string
      late = (await codes(server, 'admin')).body.code as string
      const row = server.store.tokens.get('viewer')
      await server.store.tokens.remove('viewer')
      if (row) await server.store.tokens.put(row) // one that comes back is another
      expect((await browser.signIn({ code: revoked })).status).toBe(401)
      expect(await storedSessions(server)).toEqual([])
    }
    await using server = await startGateway({ dir: folder.path, gateway: { now: clock.now } })
    expect((await new Browser(server).signIn({ code: late })).status).toBe(401)
  })
})

describe('pages of other origins', () => {
  const foreign = ['https://evil.example', 'http://127.0.0.1:1', 'null', 'http://127.0.0.1']

  test('neither sign in nor out, nor change or read anything', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server)
    const refused = { status: 403, body: { code: 'origin-refused' } }
    const body = '{"device":"d","topic":"t","payload":1}'
    for (const origin of foreign) {
      const victim = new Browser(server, { origin })
      expect(await victim.signIn({ token: server.tokens.viewer })).toMatchObject(refused)
      expect(victim.set).toEqual([])
      const headers = { origin }
      expect(await browser.signOut(headers)).toMatchObject(refused)
      expect(await browser.ask('/v1/events', { method: 'POST', body, headers })).toMatchObject(refused)
      expect(await browser.ask('/v1/session/codes', { method: 'POST', headers })).toMatchObject(refused)
      expect(await browser.ask('/v1/silences/s1', { method: 'DELETE', headers })).toMatchObject(refused)
      expect(await browser.ask('/v1/notifications', { headers })).toMatchObject(refused)
      using feed = await browser.openFeed(headers)
      expect(feed.status).toBe(403)
    }
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site }
      expect(await browser.ask('/v1/session', { headers })).toMatchObject(refused)
      expect(
        await browser.ask('/v1/feed', { headers: { ...headers, accept: 'text/event-stream' } })
      ).toMatchObject(refused)
    }
    for (const site of ['same-origin', 'none'])
      expect((await browser.ask('/v1/session', { headers: { 'sec-fetch-site': site } })).status).toBe(200)
    expect(browser.set).toHaveLength(1)
    expect(server.store.log.bounds().last).toBe(0)
  })

  test('are taken to be such where a request with the cookie does not say which page it is of', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server)
    const refused = { status: 403, body: { code: 'origin-refused' } }
    const headers = { origin: null }
    expect(await browser.ask('/v1/session/codes', { method: 'POST', headers })).toMatchObject(refused)
    expect(await browser.signOut(headers)).toMatchObject(refused)
    expect(await browser.ask('/v1/devices/x', { method: 'DELETE', headers })).toMatchObject(refused)
    using feed = await browser.openFeed({})
    expect(feed.status).toBe(403)
    expect((await browser.ask('/v1/session')).status).toBe(200)
  })

  test('may sign in and act where they are allowed, or are where people reach the server', async () => {
    const settings = { allowedOrigins: ['https://ops.example'], publicUrl: 'https://tocsin.example/' }
    await using server = await startGateway({ settings })
    for (const origin of ['https://ops.example', 'https://tocsin.example', server.url]) {
      const browser = new Browser(server, { origin })
      expect((await browser.signIn({ token: server.tokens.viewer })).status).toBe(200)
      using feed = await browser.openFeed()
      expect(feed.status).toBe(101)
      expect((await browser.signOut()).status).toBe(204)
    }
  })

  test('are not the server’s own without https where people reach it by https', async () => {
    await using server = await startGateway({ settings: { publicUrl: 'https://127.0.0.1:1' } })
    const headers = { host: '127.0.0.1:1', origin: 'http://127.0.0.1:1' }
    const browser = await signedIn(server)
    using feed = await browser.openFeed(headers)
    expect(feed.status).toBe(403)
    using own = await browser.openFeed({ ...headers, origin: 'https://127.0.0.1:1' })
    expect(own.status).toBe(101)
  })
})

describe('the feed by session', () => {
  test('is a WebSocket that needs no token', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server, 'viewer')
    using feed = await browser.openFeed()
    feed.socket.send('{"type":"subscribe","id":"a"}')
    await eventually(() => feed.messages.some(({ type }) => type === 'subscribed'))
    await server.append(numbered(1))
    await eventually(() => feed.messages.some(({ type }) => type === 'notifications'))
  })

  test('asks for a token where the cookie is of no session, and lets nobody subscribe', async () => {
    await using server = await startGateway()
    const browser = await signedIn(server, 'viewer')
    const { cookie } = browser
    await browser.signOut()
    using feed = await browser.openFeed({ origin: browser.origin, cookie })
    feed.socket.send('{"type":"subscribe","id":"a"}')
    expect(await feed.closed).toBe(4500)
  })

  test('is closed when the session expires, and lives on when it is used', async () => {
    const clock = standingClock()
    await using server = await startGateway({ settings: { pingMs: 20 }, gateway: { now: clock.now } })
    const idle = await signedIn(server)
    const used = await signedIn(server)
    using closing = await idle.openFeed()
    using living = await used.openFeed()
    clock.at += SESSION_MS - 1
    await used.ask('/v1/session')
    clock.at += 1
    expect(await closing.closed).toBe(4503)
    living.socket.send('{"type":"subscribe","id":"a"}')
    await eventually(() => living.messages.some(({ type }) => type === 'subscribed'))
    clock.at += SESSION_MS
    expect(await living.closed).toBe(4503)
  })

  test('as server-sent events begins with the cookie, renews it, and ends with the session', async () => {
    const clock = standingClock()
    await using server = await startGateway({ gateway: { now: clock.now } })
    const browser = await signedIn(server, 'viewer')
    clock.at += SESSION_MS / 2 + 1
    const headers = { accept: 'text/event-stream', cookie: browser.cookie }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${server.url}/v1/feed`, { headers }, resolve).on('error', reject)
    })
    expect(response.statusCode).toBe(200)
    expect(response.headers['set-cookie']).toEqual([expect.stringContaining('Max-Age=43200')])
    expect(response.headers['cache-control']).toBe('no-store')
    let text = ''
    response.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await eventually(() => text.includes('event: subscribed'))
    await browser.signOut()
    await eventually(() => response.closed)
    expect(text).toMatch(/: session-ended: the session has ended; sign in again\n\n$/)
  })
})
