import { describe, expect, test } from '@jest/globals'
import { never, openOne, sampleNotice } from './sample-notice.ts'

const yaml = '- {name: siren, mqtt: {topic: site/hall/siren, qos: 2, retain: true}}'

describe('an MQTT channel', () => {
  test('publishes the notice as JSON, and has sent it when that is durable', async () => {
    const published: unknown[] = []
    using channel = await openOne(yaml, {
      publish: async (topic, payload, options) => void published.push({ topic, payload, options })
    })
    expect(channel).toMatchObject({ name: 'siren', type: 'mqtt', target: 'site/hall/siren' })
    expect(await channel.send(sampleNotice(), never)).toEqual({
      outcome: 'sent',
      detail: 'Published to site/hall/siren.'
    })
    const [{ payload, ...rest }] = published as [{ payload: Buffer }]
    expect(rest).toEqual({ topic: 'site/hall/siren', options: { qos: 2, retain: true } })
    expect(JSON.parse(payload.toString())).toMatchObject({ type: 'alerts', id: 'n-1' })
  })

  test('fails, and may be tried again, when the log takes it not at all or not in time', async () => {
    using closed = await openOne(yaml, { publish: () => Promise.reject(new Error('closed')) })
    expect(await closed.send(sampleNotice(), never)).toMatchObject({ outcome: 'failed' })
    using slow = await openOne(yaml, { publish: () => new Promise(() => {}), settings: { timeoutMs: 20 } })
    expect(await slow.send(sampleNotice(), never)).toMatchObject({ outcome: 'failed' })
    const stop = new AbortController()
    stop.abort()
    expect(await slow.send(sampleNotice(), stop.signal)).toMatchObject({ outcome: 'failed' })
  })
})
