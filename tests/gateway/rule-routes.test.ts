// Rules, channels, routes and the alerting file over HTTP, from the client's side.
import { expect, test } from '@jest/globals'
import type { Outcome } from '../../gateway/delivery/notice.ts'
import { eventually } from '../helpers/eventually.ts'
import { event, startGateway } from './harness.ts'

const rule = {
  name: 'too-warm',
  topics: ['site/#'],
  when: 'payload.celsius > -15.0',
  severity: 'major',
  title: '{device} is at {payload.celsius} °C'
}
const file = JSON.stringify({ rules: [rule] })

const warm = (device: string, celsius: number) =>
  event({ device, topic: `site/${device}`, payload: Buffer.from(JSON.stringify({ celsius })) })

const post = (body?: unknown) =>
  ({ method: 'POST', role: 'operator', ...(body !== undefined && { body: JSON.stringify(body) }) }) as const

test('rules are listed with how they do', async () => {
  await using server = await startGateway({ alertingFile: file })
  await server.append(
    warm('f-1', -10),
    warm('f-2', -20),
    event({ topic: 'site/x', payload: Buffer.from('{}') })
  )
  await server.alerting.caughtUp()
  const { body } = await server.ask('/v1/rules')
  expect(body.items).toMatchObject([
    { name: 'too-warm', type: 'threshold', severity: 'major', evaluations: 3, errors: 1, raised: 1, open: 1 }
  ])
  expect(body.items[0].condition).toMatchObject({ when: rule.when })
  expect(body.items[0].lastError).toContain('celsius')
})

test('a listed rule has all that the file says of it', async () => {
  const alarm = {
    name: 'burner',
    topics: ['burners/+/alarm'],
    devices: ['burner-*'],
    of: 'payload.level',
    severities: { hot: 'minor', ok: 'clear' },
    otherwise: 'major',
    key: 'level(topic, 2)',
    title: 'Burner: {payload.level}',
    detail: '{topic}',
    labels: { site: '{key}' },
    runbook: 'https://wiki.example/burners',
    flapping: { count: 3, within: '10m' }
  }
  await using server = await startGateway({ alertingFile: JSON.stringify({ rules: [alarm, rule] }) })
  const { of, severities, otherwise, flapping: _, ...rest } = alarm
  const { body } = await server.ask('/v1/rules')
  expect(body.items).toMatchObject([
    { ...rest, condition: { of, severities, otherwise }, flapping: { count: 3, withinMs: 600_000 } },
    { key: 'device', detail: '', labels: {}, flapping: null }
  ])
})

test('a dry run says what a rule would have raised, and raises nothing', async () => {
  await using server = await startGateway()
  await server.append(warm('f-1', -10), warm('f-1', -20), warm('f-2', -5))
  for (const given of [rule, JSON.stringify(rule), `rules: [${JSON.stringify(rule)}]`]) {
    const { status, body } = await server.ask('/v1/rules/dry-run', post({ rule: given, from: '24h' }))
    expect(status).toBe(200)
    expect(body).toMatchObject({
      looked: 3,
      complete: true,
      fired: 2,
      firings: [
        {
          device: 'f-1',
          severity: 'major',
          title: 'f-1 is at -10 °C',
          clearedAt: expect.stringMatching(/Z$/)
        },
        { device: 'f-2', clearedAt: null }
      ],
      errors: 0,
      lastError: null
    })
  }
  const before = { rule, from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' }
  expect((await server.ask('/v1/rules/dry-run', post(before))).body).toMatchObject({
    from: '2020-01-01T00:00:00.000Z',
    looked: 0,
    fired: 0
  })
  expect((await server.ask('/v1/alerts')).body.items).toEqual([])
})

test('a dry run refuses a rule with every problem, and times that are none', async () => {
  await using server = await startGateway()
  const broken = { ...rule, when: 'payload.celsius >', severity: 'awful' }
  const answer = await server.ask('/v1/rules/dry-run', post({ rule: broken, from: '1h' }))
  expect(answer).toMatchObject({ status: 422, body: { code: 'rule-invalid' } })
  expect(answer.body.problems.length).toBe(2)
  for (const times of [{ from: 'yesterday' }, { from: '1h', to: '2h' }])
    expect(await server.ask('/v1/rules/dry-run', post({ rule, ...times }))).toMatchObject({
      status: 400,
      body: { code: 'request-invalid' }
    })
  expect(
    (await server.ask('/v1/rules/dry-run', { ...post({ rule, from: '1h' }), role: 'viewer' })).status
  ).toBe(403)
})

test('a dry run tries a rule in force by its name', async () => {
  await using server = await startGateway({ alertingFile: file })
  await server.append(warm('f-1', -10))
  const run = (body: object) => server.ask('/v1/rules/dry-run', post({ from: '1h', ...body }))
  expect(await run({ name: 'too-warm' })).toMatchObject({ status: 200, body: { fired: 1 } })
  expect(await run({ name: 'too-cold' })).toMatchObject({ status: 404, body: { code: 'rule-unknown' } })
  expect(await run({})).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
})

test('only so many dry runs are made at a time', async () => {
  await using server = await startGateway({ alertingFile: file })
  await server.append(...Array.from({ length: 50 }, () => warm('f-1', -10)))
  const run = () => server.ask('/v1/rules/dry-run', post({ from: '1h', name: 'too-warm' }))
  const answers = await Promise.all(Array.from({ length: 8 }, run))
  const refused = answers.filter(({ status }) => status !== 200)
  for (const { status, body } of refused)
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'dry-runs-limit' })
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(2)
  expect((await run()).status).toBe(200)
})

test('the file is read again by admins; one with problems changes nothing and says where they are', async () => {
  await using server = await startGateway({ alertingFile: file })
  const reload = () => server.ask('/v1/reload', { method: 'POST', role: 'admin' })
  server.file.text = 'rules:\n  - name: broken\n    when: "1 +"\nroutes: [{ channels: [nobody] }]\n'
  const bad = await reload()
  expect(bad).toMatchObject({ status: 422, body: { code: 'alerting-file-invalid' } })
  expect(bad.body.problems).toContainEqual({ line: 3, message: expect.stringContaining('when') })
  expect(bad.body.problems).toContainEqual({ line: 4, message: expect.stringContaining('nobody') })
  expect((await server.ask('/v1/rules')).body.items).toMatchObject([{ name: 'too-warm' }])
  server.file.text = JSON.stringify({ rules: [rule, { ...rule, name: 'second' }] })
  expect(await reload()).toMatchObject({
    status: 200,
    body: { rules: 2, handlers: 0, channels: 0, routes: 0 }
  })
  expect((await server.ask('/v1/rules')).body.items).toHaveLength(2)
  expect((await server.ask('/v1/reload', post())).status).toBe(403)
})

test('channels and routes are listed, and a channel is tested', async () => {
  const told = {
    channels: [{ name: 'siren', mqtt: { topic: 'told/siren' } }],
    routes: [{ match: { severityMin: 'major' }, channels: ['siren'], group: ['rule'], groupWait: '1s' }]
  }
  await using server = await startGateway({ alertingFile: JSON.stringify({ rules: [rule], ...told }) })
  expect((await server.ask('/v1/channels')).body.items).toMatchObject([
    { name: 'siren', type: 'mqtt', waiting: 0, circuit: 'closed', lastAttempt: null, failed: [] }
  ])
  expect((await server.ask('/v1/routes')).body.items).toMatchObject([
    { name: 'route-1', match: { severityMin: 'major' }, channels: ['siren'], groupWaitMs: 1000 }
  ])
  const tested = await server.ask('/v1/channels/siren/test', post())
  expect(tested).toMatchObject({ status: 200, body: { outcome: 'sent' } })
  const { body } = await server.ask('/v1/notifications?after=earliest&topics=told/siren')
  expect(body.items).toHaveLength(1)
  expect(await server.ask('/v1/channels/nobody/test', post())).toMatchObject({
    status: 404,
    body: { code: 'channel-unknown' }
  })
})

test('a delivery that was given up is sent again', async () => {
  const answers: Outcome[] = [
    { outcome: 'refused', detail: 'no such person' },
    { outcome: 'sent', detail: 'ok' }
  ]
  await using server = await startGateway({
    alertingFile: JSON.stringify({
      rules: [rule],
      channels: [{ name: 'duty', mqtt: { topic: 'told/duty' } }],
      routes: [{ channels: ['duty'], groupWait: '10ms' }]
    }),
    openChannel: async ({ name }) => ({
      name,
      type: 'webhook',
      target: 'nowhere',
      send: async () => answers.shift() ?? { outcome: 'refused', detail: 'once too often' },
      close: () => {}
    })
  })
  await server.append(warm('f-1', -10))
  const channel = async () => (await server.ask('/v1/channels')).body.items[0]
  await eventually(async () => (await channel()).failed.length === 1, {
    what: 'a delivery that was given up'
  })
  const [failed] = (await channel()).failed
  expect(failed).toMatchObject({ alerts: ['a1'], failedAt: expect.stringMatching(/Z$/) })
  expect((await server.ask(`/v1/deliveries/${failed.id}/resend`, post())).status).toBe(202)
  await eventually(async () => (await channel()).lastAttempt?.outcome === 'sent', {
    what: 'the second delivery'
  })
  expect(await server.ask(`/v1/deliveries/${failed.id}/resend`, post())).toMatchObject({
    status: 404,
    body: { code: 'delivery-unknown' }
  })
  const { body } = await server.ask('/v1/alerts/a1')
  const deliveries = body.entries.filter(({ kind }: { kind: string }) => kind === 'delivery')
  expect(deliveries).toMatchObject([{ outcome: 'gave-up' }, { outcome: 'sent' }])
})

test('every route that needs a token says so in the OpenAPI document', async () => {
  await using server = await startGateway()
  const { body } = await server.ask('/v1/openapi.json', { role: null })
  for (const path of [
    '/v1/alerts',
    '/v1/alerts/{id}',
    '/v1/silences',
    '/v1/rules',
    '/v1/channels',
    '/v1/routes'
  ])
    expect(body.paths[path].get).toMatchObject({ security: [{ token: [] }] })
  expect(body.paths['/api/v2/alerts'].post.responses['200']).toBeDefined()
  expect(body.paths['/v1/reload'].post.responses['200'].content['application/json'].schema).toBeDefined()
})
