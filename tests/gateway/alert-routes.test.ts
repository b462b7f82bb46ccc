// Alerts and silences over HTTP, from the client's side.
import { describe, expect, test } from '@jest/globals'
import { event, startGateway } from './harness.ts'
import type { Harness } from './harness.ts'

const file = `
rules:
  - name: too-warm
    topics: [site/#]
    when: payload.celsius > -15.0
    severity: major
    title: '{device} is at {payload.celsius} °C'
    labels: { site: hall }
`

function warm(device: string, celsius: number) {
  const payload = Buffer.from(JSON.stringify({ celsius }))
  return event({ device, topic: `site/hall/${device}`, payload })
}

/** Appends, and waits until it is judged. */
async function receive(server: Harness, ...drafts: ReturnType<typeof warm>[]): Promise<void> {
  for (const draft of drafts) await server.append(draft)
  await server.alerting.caughtUp()
}

const post = (body?: unknown) =>
  ({ method: 'POST', role: 'operator', ...(body !== undefined && { body: JSON.stringify(body) }) }) as const

describe('alerts', () => {
  test('are listed newest first, in pages', async () => {
    await using server = await startGateway({ alertingFile: file })
    const devices = ['f-1', 'f-2', 'f-3', 'f-4', 'f-5']
    await receive(server, ...devices.map(device => warm(device, -10)))
    const got: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { status, body } = await server.ask(
        `/v1/alerts?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`
      )
      expect(status).toBe(200)
      got.push(...body.items.map(({ device }: { device: string }) => device))
      cursor = body.next
    }
    expect(got).toEqual(devices.toReversed())
    expect(await server.ask('/v1/alerts?cursor=nonsense')).toMatchObject({
      status: 400,
      body: { code: 'cursor-invalid' }
    })
  })

  test('are filtered by state, severity, rule, device and key', async () => {
    await using server = await startGateway({ alertingFile: file })
    await receive(server, warm('f-1', -10), warm('f-2', -9), warm('f-3', -8), warm('f-3', -20))
    const devicesOf = async (query: string) =>
      (await server.ask(`/v1/alerts?${query}`)).body.items.map(({ device }: { device: string }) => device)
    expect(await devicesOf('states=firing')).toEqual(['f-2', 'f-1'])
    expect(await devicesOf('states=firing&states=resolved')).toEqual(['f-3', 'f-2', 'f-1'])
    expect(await devicesOf('severityMin=critical')).toEqual([])
    expect(await devicesOf('rules=too-warm&devices=f-1&devices=f-3')).toEqual(['f-3', 'f-1'])
    expect(await devicesOf('keys=f-2')).toEqual(['f-2'])
    expect(await server.ask('/v1/alerts?states=burning')).toMatchObject({
      status: 400,
      body: { code: 'request-invalid' }
    })
  })

  test('are acknowledged and resolved by whom and with what comment, once', async () => {
    await using server = await startGateway({ alertingFile: file })
    await receive(server, warm('f-1', -10))
    const acknowledged = await server.ask('/v1/alerts/a1/acknowledge', post({ comment: 'on my way' }))
    const by = { actor: 'operator', comment: 'on my way', at: expect.stringMatching(/Z$/) }
    expect(acknowledged).toMatchObject({ status: 200, body: { state: 'acknowledged', acknowledged: by } })
    const again = await server.ask('/v1/alerts/a1/acknowledge', {
      ...post({ comment: 'me too' }),
      role: 'admin'
    })
    expect(again).toMatchObject({ status: 200, body: { acknowledged: by } })
    const resolved = await server.ask('/v1/alerts/a1/resolve', post())
    expect(resolved).toMatchObject({
      status: 200,
      body: { state: 'resolved', resolved: { actor: 'operator', comment: '' } }
    })
    expect(await server.ask('/v1/alerts/a1/resolve', post())).toMatchObject({
      status: 409,
      body: { code: 'alert-resolved' }
    })
    expect(await server.ask('/v1/alerts/a99/acknowledge', post())).toMatchObject({
      status: 404,
      body: { code: 'alert-unknown' }
    })
  })

  test('are read by viewers, and acted on by operators', async () => {
    await using server = await startGateway({ alertingFile: file })
    await receive(server, warm('f-1', -10))
    for (const path of ['/v1/alerts/a1/acknowledge', '/v1/alerts', '/api/v2/alerts', '/v1/silences'])
      expect(await server.ask(path, { ...post({}), role: 'viewer' })).toMatchObject({
        status: 403,
        body: { code: 'forbidden' }
      })
    expect((await server.ask('/v1/alerts', { role: null })).status).toBe(401)
    expect((await server.ask('/v1/alerts')).body.items).toMatchObject([{ id: 'a1', state: 'firing' }])
  })

  test('tell their story: the event, what became of it, and who did it', async () => {
    await using server = await startGateway({ alertingFile: file })
    await receive(server, warm('f-1', -10))
    await server.ask('/v1/alerts/a1/acknowledge', post({ comment: 'on my way' }))
    await receive(server, warm('f-1', -20))
    const { body } = await server.ask('/v1/alerts/a1')
    expect(body).toMatchObject({
      alert: { id: 'a1', state: 'resolved', title: 'f-1 is at -10 °C', labels: { site: 'hall' } },
      cause: { kind: 'event', device: 'f-1', payload: { celsius: -10 } },
      entries: [
        { change: 'raised' },
        { change: 'acknowledged', actor: 'operator', comment: 'on my way' },
        { change: 'resolved' }
      ],
      gone: 0,
      truncated: false
    })
    expect(await server.ask('/v1/alerts/a2')).toMatchObject({ status: 404, body: { code: 'alert-unknown' } })
  })
})

describe('alerts from outside', () => {
  test('are triggered, added to and resolved by their key', async () => {
    await using server = await startGateway()
    const trigger = { action: 'trigger', dedupKey: 'backup', severity: 'major', title: 'The backup failed' }
    const first = await server.ask('/v1/alerts', post(trigger))
    expect(first).toMatchObject({
      status: 200,
      body: {
        changed: true,
        alert: { origin: 'api', rule: 'api', key: 'backup', severity: 'major', count: 1 }
      }
    })
    const { id } = first.body.alert
    expect((await server.ask('/v1/alerts', post(trigger))).body.alert).toMatchObject({ id, count: 2 })
    const resolve = { action: 'resolve', dedupKey: 'backup', comment: 'done' }
    expect((await server.ask('/v1/alerts', post(resolve))).body.alert).toMatchObject({
      id,
      state: 'resolved',
      resolved: { actor: 'operator', comment: 'done' }
    })
    expect((await server.ask('/v1/alerts', post(resolve))).body).toEqual({ alert: null, changed: false })
  })

  test('are refused with every problem, and when too many are open', async () => {
    await using server = await startGateway({ alerting: { openMax: 1 } })
    const wrong = await server.ask('/v1/alerts', post({ action: 'trigger', severity: 'awful' }))
    expect(wrong).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
    expect(wrong.body.errors.map(({ path }: { path: string }) => path)).toEqual([
      'body/dedupKey',
      'body/severity',
      'body/title'
    ])
    const trigger = (dedupKey: string) =>
      server.ask('/v1/alerts', post({ action: 'trigger', dedupKey, title: 'x' }))
    expect((await trigger('one')).status).toBe(200)
    expect(await trigger('two')).toMatchObject({ status: 503, body: { code: 'alerts-limit' } })
  })

  test('are taken as an Alertmanager takes them', async () => {
    await using server = await startGateway()
    const labels = { alertname: 'DiskFull', instance: 'db-1', severity: 'critical' }
    const alerts = [{ labels, annotations: { summary: 'The disk is full' } }]
    const answer = await server.ask('/api/v2/alerts', post(alerts))
    expect(answer).toMatchObject({ status: 200, text: '' })
    const { body } = await server.ask('/v1/alerts?rules=DiskFull')
    expect(body.items).toMatchObject([
      { origin: 'alertmanager', device: 'db-1', severity: 'critical', title: 'The disk is full', labels }
    ])
    const mixed = await server.ask('/api/v2/alerts', post([{}, { labels: { alertname: 'Other' } }]))
    expect(mixed).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
    expect((await server.ask('/v1/alerts?rules=Other')).body.items).toHaveLength(1)
  })
})

describe('silences', () => {
  test('are added, listed, read and ended', async () => {
    await using server = await startGateway()
    const added = await server.ask(
      '/v1/silences',
      post({ match: { devices: ['f-*'] }, for: '2h', comment: 'defrosting' })
    )
    expect(added).toMatchObject({
      status: 201,
      body: { id: 's1', state: 'active', author: 'operator', comment: 'defrosting', ended: null }
    })
    expect(Date.parse(added.body.until) - Date.parse(added.body.from)).toBe(7_200_000)
    const later = {
      match: { rules: ['*'] },
      from: '2100-01-01T00:00:00Z',
      until: '2100-01-02T00:00:00+01:00'
    }
    expect((await server.ask('/v1/silences', post(later))).body).toMatchObject({
      id: 's2',
      state: 'pending',
      until: '2100-01-01T23:00:00.000Z'
    })
    expect((await server.ask('/v1/silences')).body.items).toMatchObject([{ id: 's2' }, { id: 's1' }])
    const ended = await server.ask('/v1/silences/s1', { method: 'DELETE', role: 'operator' })
    expect(ended).toMatchObject({ status: 200, body: { state: 'ended', ended: { actor: 'operator' } } })
    expect((await server.ask('/v1/silences/s1')).body).toEqual(ended.body)
    expect(await server.ask('/v1/silences/s9')).toMatchObject({
      status: 404,
      body: { code: 'silence-unknown' }
    })
  })

  test.each([
    [{ match: {}, for: '2h' }, 'must say which alerts'],
    [{ match: { device: 'x' }, for: '2h' }, 'device'],
    [{ match: { devices: ['x'] } }, 'either until or for'],
    [{ match: { devices: ['x'] }, for: '2 hours' }, 'body/for must be a duration'],
    [{ match: { devices: ['x'] }, until: '2000-01-01T00:00:00Z' }, 'body/until must be after from'],
    [{ match: { devices: ['x'] }, until: 'tomorrow' }, 'until']
  ])('%j is refused', async (body, sentence) => {
    await using server = await startGateway()
    const answer = await server.ask('/v1/silences', post(body))
    expect(answer).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
    expect(answer.body.detail).toContain(sentence)
    expect((await server.ask('/v1/silences')).body.items).toEqual([])
  })

  test('are limited', async () => {
    await using server = await startGateway({ alerting: { silencesMax: 1 } })
    const add = () => server.ask('/v1/silences', post({ match: { devices: ['x'] }, for: '1h' }))
    expect((await add()).status).toBe(201)
    expect(await add()).toMatchObject({ status: 503, body: { code: 'silences-limit' } })
  })
})
