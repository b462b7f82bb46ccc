// The console's files over real sockets: what is served, how it may be kept, and what is not.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { consolePaths } from '../../gateway/http/console-routes.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startGateway } from './harness.ts'
import type { Harness } from './harness.ts'

const page = '<!doctype html><title>Console</title>'
const script = `console.log(${JSON.stringify('x'.repeat(500))})`

/** A gateway with a console of a few files. */
async function startWithConsole(): Promise<Harness & { dir: string }> {
  const folder = await temporaryFolder()
  const dir = join(folder.path, 'console')
  await mkdir(join(dir, 'assets/deep'), { recursive: true })
  const write = (name: string, content: string | Buffer) => writeFile(join(dir, name), content)
  for (const [name, text] of [
    ['index.html', page],
    ['assets/app-3f2a.js', script]
  ] as const) {
    await write(name, text)
    await write(`${name}.br`, brotliCompressSync(text))
    await write(`${name}.gz`, gzipSync(text))
  }
  await write('assets/style-9c.css', 'body{}')
  await write('favicon.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await write('.hidden', 'secret')
  await write('assets/.hidden', 'secret')
  await writeFile(join(folder.path, 'outside.txt'), 'secret')
  const server = await startGateway({ gateway: { console: { dir } } })
  const dispose = server[Symbol.asyncDispose].bind(server)
  return Object.assign(server, {
    dir,
    [Symbol.asyncDispose]: async () => {
      await dispose()
      await folder[Symbol.asyncDispose]()
    }
  })
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Asks for a path as it is written: `fetch` would tidy it up, and unpack what comes. */
function ask(
  { port }: Harness,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, method, headers }, response => {
      buffer(response).then(
        body => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        reject
      )
    }).on('error', reject)
  })
}

const codeOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { code: string }).code

test('every path of the page, and what lies below, gives the page, which is asked for each time', async () => {
  await using server = await startWithConsole()
  for (const path of consolePaths) {
    const answer = await ask(server, `${path.replace('*', 'a17/x?tab=1')}`)
    expect({ path, status: answer.status, body: answer.body.toString() }).toEqual({
      path,
      status: 200,
      body: page
    })
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      etag: expect.stringMatching(/^W?\/?"/)
    })
    const again = await ask(server, '/', { headers: { 'if-none-match': answer.headers.etag ?? '' } })
    expect({ status: again.status, length: again.body.length }).toEqual({ status: 304, length: 0 })
    expect(again.headers['cache-control']).toBe('no-cache')
  }
})

test('a page that was built anew is served anew', async () => {
  await using server = await startWithConsole()
  const before = await ask(server, '/')
  await writeFile(join(server.dir, 'index.html'), `${page}<p>new`)
  const after = await ask(server, '/', { headers: { 'if-none-match': before.headers.etag ?? '' } })
  expect({ status: after.status, body: after.body.toString() }).toEqual({
    status: 200,
    body: `${page}<p>new`
  })
})

test('files with hashed names may be kept for ever, others are asked for each time', async () => {
  await using server = await startWithConsole()
  const asset = await ask(server, '/assets/app-3f2a.js')
  expect({ status: asset.status, body: asset.body.toString() }).toEqual({ status: 200, body: script })
  expect(asset.headers).toMatchObject({
    'content-type': 'application/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable'
  })
  expect((await ask(server, '/assets/style-9c.css')).headers['content-type']).toBe('text/css; charset=utf-8')
  expect((await ask(server, '/favicon.svg')).headers).toMatchObject({
    'content-type': 'image/svg+xml',
    'cache-control': 'no-cache'
  })
})

test('the compressed file is sent to who takes it', async () => {
  await using server = await startWithConsole()
  const unpack = { br: brotliDecompressSync, gzip: gunzipSync }
  for (const [path, text] of [
    ['/', page],
    ['/assets/app-3f2a.js', script]
  ] as const) {
    for (const encoding of ['br', 'gzip'] as const) {
      const { headers, body } = await ask(server, path, { headers: { 'accept-encoding': encoding } })
      expect(headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' })
      expect(unpack[encoding](body).toString()).toBe(text)
      expect(headers['content-type']).toMatch(/^(text\/html|application\/javascript); charset=utf-8$/)
    }
    const both = await ask(server, path, { headers: { 'accept-encoding': 'gzip, deflate, br' } })
    expect(both.headers['content-encoding']).toBe('br')
    const plain = await ask(server, path)
    expect(plain.headers).toMatchObject({ vary: 'accept-encoding' })
    expect(plain.headers['content-encoding']).toBe(undefined)
  }
  const single = await ask(server, '/assets/style-9c.css', { headers: { 'accept-encoding': 'br, gzip' } })
  expect(single.body.toString()).toBe('body{}')
})

test('whatever is answered to the page keeps it to itself', async () => {
  await using server = await startWithConsole()
  for (const path of ['/', '/alerts/a17', '/assets/app-3f2a.js', '/assets/missing.js', '/favicon.svg'])
    expect((await ask(server, path)).headers).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()')
    })
})

describe('what is none of the page', () => {
  const secrets = ['/../outside.txt', '/%2e%2e/outside.txt', '/..%2foutside.txt', '/..%5coutside.txt']

  test('is not there: other paths, other folders, hidden files, folders', async () => {
    await using server = await startWithConsole()
    for (const path of [
      '/nowhere',
      '/alertsx',
      '/feed/x',
      '/index.html',
      '/index.html.br',
      '/.hidden',
      '/assets',
      '/assets/',
      '/assets/deep',
      '/assets/missing.js',
      '/assets/.hidden',
      '/console',
      '/v1',
      '/v1/nowhere'
    ]) {
      const answer = await ask(server, path)
      expect({ path, status: answer.status, code: codeOf(answer) }).toEqual({
        path,
        status: 404,
        code: 'route-unknown'
      })
      expect(answer.headers['cache-control'] ?? '').not.toContain('immutable')
    }
  })

  test('is not reached by odd paths', async () => {
    await using server = await startWithConsole()
    const odd = [
      ...secrets.flatMap(path => [
        path,
        `/assets${path}`,
        `/assets${path.replace('/', '/../')}`,
        `/assets/deep${path}`
      ]),
      '/assets/../index.html',
      '/assets//app-3f2a.js',
      '//assets/app-3f2a.js',
      '/assets/./app-3f2a.js',
      '/assets/%00',
      '/assets/app-3f2a.js%00.html',
      '/assets/%ff',
      '/assets/%252e%252e/%252e%252e/outside.txt',
      '/assets/%2fetc%2fpasswd',
      '/assets/C:%5cx',
      `/assets/${'x'.repeat(5000)}`,
      `/assets/${'../'.repeat(50)}etc/passwd`
    ]
    for (const path of odd) {
      const answer = await ask(server, path)
      expect({ path, refused: [400, 404].includes(answer.status) }).toEqual({ path, refused: true })
      expect(answer.headers['content-type']).toContain('application/problem+json')
      expect(answer.body.toString()).not.toMatch(/secret|root:|console\.log/)
    }
    expect((await ask(server, `/alerts/${'x'.repeat(5000)}`)).body.toString()).toBe(page)
    expect((await ask(server, '/alerts/../../outside.txt')).body.toString()).toBe(page)
    expect((await ask(server, '/alerts/%ff')).status).toBe(400)
    expect((await ask(server, '/alerts?token=abc')).status).toBe(400)
  })

  test('other methods are refused with those that are served', async () => {
    await using server = await startWithConsole()
    for (const path of ['/', '/alerts/a17', '/assets/app-3f2a.js', '/favicon.svg']) {
      const answer = await ask(server, path, { method: 'DELETE' })
      expect({ path, status: answer.status, allow: answer.headers.allow }).toEqual({
        path,
        status: 405,
        allow: 'GET, HEAD'
      })
      const head = await ask(server, path, { method: 'HEAD' })
      expect({ status: head.status, length: head.body.length }).toEqual({ status: 200, length: 0 })
      expect(Number(head.headers['content-length'])).toBeGreaterThan(0)
    }
  })

  test('has no part in the interface’s description', async () => {
    await using server = await startWithConsole()
    const { body } = await server.ask('/v1/openapi.json', { role: null })
    expect(Object.keys(body.paths).filter(path => !/^\/(v1|api|healthz|readyz|metrics)/.test(path))).toEqual(
      []
    )
    const { text } = await server.ask('/metrics', { role: null })
    expect(text).not.toContain('route="/index.html"')
  })
})

test('a console that was not built says how to build it, at its paths alone', async () => {
  await using server = await startWithConsole()
  await rm(server.dir, { recursive: true })
  for (const path of ['/', '/alerts/a17']) {
    const answer = await ask(server, path)
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 404, code: 'console-missing' })
    expect(answer.body.toString()).toContain('npm run build')
  }
  expect(codeOf(await ask(server, '/assets/app-3f2a.js'))).toBe('route-unknown')
  const dir = join(server.dir, 'never')
  await using empty = await startGateway({ gateway: { console: { dir } } })
  expect(codeOf(await ask(empty, '/sign-in'))).toBe('console-missing')
})

test('a console that is switched off leaves nothing', async () => {
  await using server = await startGateway()
  for (const path of ['/', '/alerts', '/alerts/a17', '/assets/x.js'])
    expect(codeOf(await ask(server, path))).toBe('route-unknown')
})
