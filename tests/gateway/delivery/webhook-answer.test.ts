import { describe, expect, test } from '@jest/globals'
import { redaction } from '../../../gateway/delivery/redaction.ts'
import { excerptOf, retryAfterOf, webhookOutcome } from '../../../gateway/delivery/webhook-answer.ts'

const at = Date.UTC(2026, 0, 1)

function outcome(status: number, { retryAfter = '', text = '' } = {}) {
  return webhookOutcome({ answer: { status, retryAfter, text } }, { at, redact: redaction(['s3cret/key']) })
}

describe('what a receiver’s answer means', () => {
  test.each([200, 201, 202, 204, 299])('%d: it is sent', status => {
    expect(outcome(status)).toEqual({ outcome: 'sent', detail: `The receiver answered ${status}.` })
  })

  test.each([408, 425, 429, 500, 502, 503, 504, 599])('%d: it may succeed later', status => {
    expect(outcome(status).outcome).toBe('failed')
  })

  test.each([301, 307, 308, 400, 401, 403, 404, 410, 413, 422])('%d: it is refused', status => {
    expect(outcome(status, { retryAfter: '5' })).not.toHaveProperty('retryAfterMs')
    expect(outcome(status).outcome).toBe('refused')
  })

  test('a redirect is refused with its reason', () => {
    expect(outcome(302).detail).toBe('The receiver answered 302, and redirects are not followed.')
  })

  test('the time that it asks for is honoured, as seconds and as a date', () => {
    expect(outcome(503, { retryAfter: '120' })).toMatchObject({ retryAfterMs: 120_000 })
    expect(outcome(429, { retryAfter: 'Thu, 01 Jan 2026 00:00:30 GMT' })).toMatchObject({
      retryAfterMs: 30_000
    })
    expect(retryAfterOf('Wed, 31 Dec 2025 00:00:00 GMT', at)).toBe(0)
    for (const wrong of ['', 'soon', '-5', '1e9', '99999999999']) expect(retryAfterOf(wrong, at)).toBeNull()
  })

  test('its words are told in part, on one line, without secrets', () => {
    expect(outcome(400, { text: ' {"error":\n\t"bad\u0000 \u{202e}token s3cret\\/key"}' }).detail).toBe(
      'The receiver answered 400: {"error": "bad token …"}'
    )
    expect(excerptOf('😀'.repeat(300))).toMatch(/^(?:😀){99}…$/u)
  })

  test('a network failure is told as it is', () => {
    const options = { at, redact: (text: string) => text }
    expect(webhookOutcome({ reason: 'the connection was refused', final: false }, options)).toEqual({
      outcome: 'failed',
      detail: 'The connection was refused.'
    })
    expect(webhookOutcome({ reason: 'not there', final: true }, options).outcome).toBe('refused')
  })
})

describe('taking secrets out of a text', () => {
  test('finds them as they are, in JSON, in a URL, and cut at the end', () => {
    const redact = redaction(['s3cret/key', 'pässword"1', ''])
    expect(redact('a s3cret/key b')).toBe('a … b')
    expect(redact(JSON.stringify({ a: 'pässword"1' }))).toBe('{"a":"…"}')
    expect(redact(`?x=${encodeURIComponent('s3cret/key')}`)).toBe('?x=…')
    expect(redact('it was s3cret/')).toBe('it was …')
    expect(redact('nothing here')).toBe('nothing here')
  })
})
