import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { get } from '../../console/src/api/requests.ts'

/** A server that answers so; use with `await using`. */
async function serverThat(answers: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer(answers)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const json = { 'content-type': 'application/json' }

describe('an answer', () => {
  test('is what its JSON says, and null when it has no content', async () => {
    await using server = await serverThat((request, response) => {
      if (request.url === '/none') response.writeHead(204).end()
      else response.writeHead(200, json).end('{"a":[1]}')
    })
    expect(await get(server.url)).toEqual({ a: [1] })
    expect(await get(`${server.url}none`)).toBeNull()
  })

  test('that is broken off is none', async () => {
    await using server = await serverThat((_request, response) => {
      response.writeHead(200, { ...json, 'content-length': 1000 })
      response.write('{"items":[', () => response.destroy())
    })
    await expect(get(server.url)).rejects.toMatchObject({ code: 'unreachable' })
  })

  test('that is cut short, or a page of somebody in between, is none', async () => {
    await using server = await serverThat((request, response) => {
      response.writeHead(200, json).end(request.url === '/page' ? '<html>' : '{"items":[')
    })
    await expect(get(server.url)).rejects.toMatchObject({ code: 'unreachable' })
    await expect(get(`${server.url}page`)).rejects.toMatchObject({ code: 'unreachable' })
  })

  test('that refuses says why', async () => {
    await using server = await serverThat((_request, response) => {
      const problem = { code: 'rule-invalid', detail: 'no', problems: [{ line: 2, message: 'what' }] }
      response.writeHead(422, json).end(JSON.stringify(problem))
    })
    await expect(get(server.url)).rejects.toMatchObject({
      code: 'rule-invalid',
      message: 'no',
      status: 422,
      problems: [{ line: 2, message: 'what' }]
    })
  })

  test('that nobody waits for any more is an abort, no problem', async () => {
    await using server = await serverThat(() => {})
    const wanted = new AbortController()
    const answer = get(server.url, {}, wanted.signal)
    wanted.abort()
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
  })
})
