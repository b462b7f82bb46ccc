import { describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { signatureHeaders, signingKey } from '../../../gateway/delivery/signature.ts'

const body = '{"title":"−14.3 °C"}'

describe('signatures of webhooks', () => {
  test('are those that the specification’s own library makes, for a secret in base64', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const at = Date.now()
    const headers = signatureHeaders({ id: 'msg_1', at, body }, signingKey(secret))
    expect(headers['webhook-signature']).toBe(new Webhook(secret).sign('msg_1', new Date(at), body))
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body))
  })

  test('are made with the bytes of a secret that is plain text', () => {
    const headers = signatureHeaders({ id: 'n1', at: Date.now(), body }, signingKey('correct horse'))
    const webhook = new Webhook(Buffer.from('correct horse'), { format: 'raw' })
    expect(webhook.verify(body, headers)).toEqual(JSON.parse(body))
    expect(() => webhook.verify(`${body} `, headers)).toThrow('No matching signature')
    expect(() => webhook.verify(body, { ...headers, 'webhook-id': 'n2' })).toThrow('No matching signature')
  })

  test('are left out without a secret, while the message keeps its id', () => {
    expect(signatureHeaders({ id: 'n1', at: 1_700_000_000_999, body }, null)).toEqual({
      'webhook-id': 'n1',
      'webhook-timestamp': '1700000000'
    })
  })

  test('are not made with a key of which a part would be lost', () => {
    for (const wrong of ['whsec_', 'whsec_not base64', 'whsec_abc$', 'whsec_a'])
      expect(() => signingKey(wrong)).toThrow('is not base64')
  })
})
