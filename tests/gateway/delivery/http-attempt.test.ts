import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { HttpPoster } from '../../../gateway/delivery/http-attempt.ts'
import type { HttpAttempt, HttpLimits } from '../../../gateway/delivery/http-attempt.ts'
import { eventually } from '../../helpers/eventually.ts'
import { startReceiver } from './receiver.ts'

const never = new AbortController().signal

function poster(url: string, limits: Partial<HttpLimits> = {}): HttpPoster & Disposable {
  const made = new HttpPoster(new URL(url), {
    timeoutMs: 10_000,
    answerBytesMax: 4096,
    allowPrivateAddresses: true,
    ...limits
  })
  return Object.assign(made, { [Symbol.dispose]: () => made.close() })
}

async function postOnce(url: string, limits: Partial<HttpLimits> = {}, signal = never): Promise<HttpAttempt> {
  using http = poster(url, limits)
  return await http.post({ headers: {}, body: 'x' }, signal)
}

describe('an attempt over HTTP', () => {
  test('posts the body, and brings status and text of the answer', async () => {
    await using receiver = await startReceiver(response =>
      response.writeHead(503, { 'retry-after': '7' }).end('busy')
    )
    using http = poster(receiver.url)
    const attempt = await http.post({ headers: { 'x-one': '1' }, body: 'grüß' }, never)
    expect(attempt).toEqual({ answer: { status: 503, retryAfter: '7', text: 'busy' } })
    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        path: '/hook/path-secret?key=query-secret',
        body: 'grüß',
        headers: { 'x-one': '1', 'content-length': '6' }
      }
    ])
  })

  test('uses its connection again, and lets go of it when it is closed', async () => {
    await using receiver = await startReceiver()
    const http = poster(receiver.url)
    for (const body of ['1', '2', '3']) await http.post({ headers: {}, body }, never)
    expect(new Set(receiver.received.map(({ port }) => port)).size).toBe(1)
    http.close()
    await eventually(() => receiver.connections() === 0, { what: 'the end of the connection' })
  })

  test('ends in time when nothing is answered', async () => {
    await using receiver = await startReceiver(() => {})
    const attempt = await postOnce(receiver.url, { timeoutMs: 100 })
    expect(attempt).toEqual({ reason: 'no answer within 100 ms', final: false })
  })

  test('ends in time when the head of the answer drips', async () => {
    await using server = await rawServer(write => {
      write('HTTP/1.1 200 OK\r\n')
      const drip = setInterval(() => write('x-drip: 1\r\n'), 10)
      return () => clearInterval(drip)
    })
    const attempt = await postOnce(server.url, { timeoutMs: 150 })
    expect(attempt).toEqual({ reason: 'no answer within 150 ms', final: false })
  })

  test('takes the status when the body drips beyond the time', async () => {
    await using receiver = await startReceiver(response => {
      response.writeHead(200).flushHeaders()
      const drip = setInterval(() => response.write('.'), 10)
      response.once('close', () => clearInterval(drip))
    })
    expect(await postOnce(receiver.url, { timeoutMs: 2000 })).toMatchObject({ answer: { status: 200 } })
  })

  test('reads no more than it may of a body without an end', async () => {
    let sent = 0
    await using receiver = await startReceiver(response => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 97))) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    const attempt = await postOnce(receiver.url, { answerBytesMax: 1000 })
    expect(attempt).toEqual({ answer: { status: 200, retryAfter: '', text: 'a'.repeat(1000) } })
    await eventually(() => receiver.connections() === 0, { what: 'the end of the connection' })
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  test('reads nothing of the body where nothing is wanted', async () => {
    await using receiver = await startReceiver(response => response.writeHead(200).end('thanks'))
    const attempt = await postOnce(receiver.url, { answerBytesMax: 0 })
    expect(attempt).toEqual({ answer: { status: 200, retryAfter: '', text: '' } })
  })

  test('can be stopped', async () => {
    await using receiver = await startReceiver(() => {})
    const stop = new AbortController()
    const attempt = postOnce(receiver.url, {}, stop.signal)
    await eventually(() => receiver.received.length === 1, { what: 'the request' })
    stop.abort()
    const stopped = { reason: 'the attempt was stopped before it was answered', final: false }
    expect(await attempt).toEqual(stopped)
    expect(await postOnce(receiver.url, {}, stop.signal)).toEqual(stopped)
    expect(receiver.received).toHaveLength(1)
  })

  test('says why no connection came about', async () => {
    await using receiver = await startReceiver((_response, _received) => {})
    const { port } = receiver
    await receiver[Symbol.asyncDispose]()
    expect(await postOnce(`http://127.0.0.1:${port}/`)).toEqual({
      reason: 'the connection was refused',
      final: false
    })
    await using reset = await rawServer((_write, socket) => {
      socket.resetAndDestroy()
      return () => {}
    })
    expect(await postOnce(reset.url)).toEqual({ reason: 'the connection was reset', final: false })
    await using plain = await rawServer(write => {
      write('what?\r\n\r\n')
      return () => {}
    })
    expect(await postOnce(plain.url)).toMatchObject({ reason: expect.stringMatching(/^the request failed/) })
    expect(await postOnce(plain.url.replace('http:', 'https:'))).toMatchObject({
      reason: expect.stringMatching(/^the connection could not be secured/)
    })
  })

  test('does not follow a redirect', async () => {
    await using elsewhere = await startReceiver()
    await using receiver = await startReceiver(response =>
      response.writeHead(307, { location: elsewhere.url }).end()
    )
    expect(await postOnce(receiver.url)).toMatchObject({ answer: { status: 307 } })
    expect(elsewhere.received).toEqual([])
  })

  test('does not connect to private addresses, whether written or looked up', async () => {
    await using receiver = await startReceiver()
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433']) {
      const attempt = await postOnce(`http://${host}:${receiver.port}/`, { allowPrivateAddresses: false })
      expect(attempt).toEqual({
        reason: expect.stringMatching(/where webhooks go only if delivery.allowPrivateAddresses is true$/),
        final: true
      })
    }
    expect(receiver.connections()).toBe(0)
  })
})

type Speak = (write: (text: string) => void, socket: import('node:net').Socket) => () => void

/** A server that speaks no HTTP but what it is told to. */
async function rawServer(speak: Speak): Promise<AsyncDisposable & { url: string }> {
  const ends: (() => void)[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => ends.push(speak(text => socket.writable && socket.write(text), socket)))
    ends.push(() => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      for (const end of ends) end()
      server.close()
      await once(server, 'close')
    }
  }
}
