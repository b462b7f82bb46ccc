// What operators are told when a change can't be stored, or not soon.
import { describe, expect, test } from '@jest/globals'
import { durably } from '../../gateway/http/durable.ts'
import { startGateway } from './harness.ts'

const writable = { health: () => ({ writable: true }) as const }
const post = (body: object) => ({ method: 'POST', role: 'operator', body: JSON.stringify(body) }) as const

describe('a change', () => {
  test('is not made while nothing can be stored', async () => {
    const health = () =>
      ({ writable: false, code: 'disk-full', reason: 'the disk is full', since: 0 }) as const
    let made = false
    const change = durably({ ledger: { durable: async () => {} }, log: { health }, timeoutMs: 1000 }, () => {
      made = true
    })
    await expect(change).rejects.toMatchObject({
      code: 'store-unavailable',
      message: 'nothing can be stored: the disk is full'
    })
    expect(made).toBe(false)
  })

  test('that takes too long is said to be uncertain', async () => {
    const never = { durable: () => new Promise<void>(() => {}) }
    const change = durably({ ledger: never, log: writable, timeoutMs: 1 }, () => 'made')
    await expect(change).rejects.toMatchObject({ code: 'store-timeout' })
  })

  test('is answered with 503 by every route when the store is closed', async () => {
    await using server = await startGateway()
    const alert = { action: 'trigger', dedupKey: 'a', title: 'a' }
    const { body } = await server.ask('/v1/alerts', post(alert))
    await server.store.close()
    const unavailable = { status: 503, body: { code: 'store-unavailable' } }
    const silence = { match: { devices: ['a'] }, for: '1h' }
    expect(await server.ask('/v1/alerts', post(alert))).toMatchObject(unavailable)
    expect(
      await server.ask('/api/v2/alerts', {
        method: 'POST',
        role: 'operator',
        body: '[{"labels": {"alertname": "a"}}]'
      })
    ).toMatchObject(unavailable)
    expect(await server.ask(`/v1/alerts/${body.alert.id}/resolve`, post({}))).toMatchObject(unavailable)
    expect(await server.ask('/v1/silences', post(silence))).toMatchObject(unavailable)
  })
})
