import { describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { noticeAlert, never, openOne, sampleNotice } from './sample-notice.ts'
import { startReceiver } from './receiver.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const TOKEN = 'token-that-nobody-sees'

describe('a webhook channel', () => {
  test('signs what it sends, with the same id in each attempt', async () => {
    let answers = 0
    await using receiver = await startReceiver(response =>
      response.writeHead(answers++ === 0 ? 503 : 200).end()
    )
    using channel = await openOne(
      `- {name: duty, webhook: {url: "${receiver.url}", secretFile: s, authorizationFile: a}}`,
      { secrets: { s: SECRET, a: TOKEN }, publicUrl: 'https://tocsin.example' }
    )
    const notice = sampleNotice()
    expect(await channel.send(notice, never)).toEqual({
      outcome: 'failed',
      detail: 'The receiver answered 503.'
    })
    expect(await channel.send(notice, never)).toEqual({
      outcome: 'sent',
      detail: 'The receiver answered 200.'
    })
    const [first, second] = receiver.received
    for (const received of [first, second]) {
      const { headers = {}, body = '' } = received ?? {}
      const message = new Webhook(SECRET).verify(body, headers as Record<string, string>)
      expect(message).toMatchObject({ type: 'alerts', id: 'n-1', url: 'https://tocsin.example/alerts/a7' })
      expect(headers).toMatchObject({
        'webhook-id': 'n-1',
        'content-type': 'application/json',
        'user-agent': 'Tocsin/1.2.3',
        authorization: `Bearer ${TOKEN}`
      })
    }
    expect(first?.body).toBe(second?.body)
  })

  test('sends a header Authorization as the file says it, and a template with its headers', async () => {
    await using receiver = await startReceiver()
    using channel = await openOne(
      `- {name: duty, webhook: {urlFile: u, authorizationFile: a, template: {headers: {X-Tags: bell}, body: "{title}"}}}`,
      { secrets: { u: `${receiver.url}\n`, a: 'GenieKey 123456' } }
    )
    await channel.send(sampleNotice(), never)
    expect(receiver.received).toMatchObject([
      {
        body: 'freezer-7 is at −3 °C',
        headers: {
          authorization: 'GenieKey 123456',
          'x-tags': 'bell',
          'content-type': 'text/plain; charset=utf-8',
          'webhook-id': 'n-1'
        }
      }
    ])
    expect(receiver.received[0]?.headers).not.toHaveProperty('webhook-signature')
  })

  test('shows no secret, though the receiver repeats everything', async () => {
    await using receiver = await startReceiver((response, { headers, path }) =>
      response.writeHead(400).end(`${headers.authorization} ${path} ${SECRET} ${decodeURIComponent(path)}`)
    )
    using channel = await openOne(
      `- {name: duty, webhook: {url: "${receiver.url}", secretFile: s, authorizationFile: a}}`,
      { secrets: { s: SECRET, a: TOKEN } }
    )
    expect(channel.target).toBe(`http://127.0.0.1:${receiver.port}/…`)
    const { outcome, detail } = await channel.send(sampleNotice(), never)
    expect(outcome).toBe('refused')
    for (const secret of [TOKEN, SECRET, 'path-secret', 'query-secret']) expect(detail).not.toContain(secret)
  })

  test('shows no secret where the receiver can’t be reached', async () => {
    using channel = await openOne(
      '- {name: duty, webhook: {url: "http://nobody.invalid/hook/path-secret?key=query-secret"}}'
    )
    const { outcome, detail } = await channel.send(sampleNotice(), never)
    expect(outcome).toBe('failed')
    expect(detail).toMatch(/^The host’s name (?:is not known|could not be looked up for now)\.$/)
  })

  test('is refused by a redirect, and honours Retry-After', async () => {
    const heads: [number, Record<string, string>][] = [
      [302, { location: 'http://169.254.169.254/' }],
      [429, { 'retry-after': '30' }]
    ]
    await using receiver = await startReceiver(response =>
      response.writeHead(...(heads.shift() ?? [204, {}])).end()
    )
    using channel = await openOne(`- {name: duty, webhook: {url: "${receiver.url}"}}`)
    expect(await channel.send(sampleNotice(), never)).toMatchObject({ outcome: 'refused' })
    expect(await channel.send(sampleNotice(), never)).toMatchObject({
      outcome: 'failed',
      retryAfterMs: 30_000
    })
  })

  test('sends a hundred alerts of any text in Alertmanager’s format', async () => {
    await using receiver = await startReceiver()
    using channel = await openOne(`- {name: duty, webhook: {url: "${receiver.url}", format: alertmanager}}`)
    const alerts = Array.from({ length: 100 }, (_, n) =>
      noticeAlert({ id: `a${n}`, title: '"\u2028}😀'.repeat(100) })
    )
    expect(await channel.send(sampleNotice({ alerts }), never)).toMatchObject({ outcome: 'sent' })
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ version: '4', receiver: 'duty' })
  })
})
