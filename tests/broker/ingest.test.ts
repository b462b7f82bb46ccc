import { expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { Authorizer } from '../../broker/authorize.ts'
import { Ingest } from '../../broker/ingest.ts'
import { eventually } from '../helpers/eventually.ts'
import { TestServer } from './tcp-server.ts'

const identity = { device: 'pump', user: null, clientId: 'pump', anonymous: true }

function ingestOver({ log }: TestServer, publish: string[] = ['#']) {
  const registry = new Registry()
  const authorizer = new Authorizer([{ devices: ['*'], publish, subscribe: [] }])
  return { registry, ingest: new Ingest({ log, authorizer, registry, topicLevelsMax: 3 }) }
}

const eventOn = (topic: string) =>
  ({ topic, payload: Buffer.from('1'), format: 'plain', source: 'mqtt' }) as const

test('appends what it is given, as the authenticated device, and calls back when it is durable', async () => {
  await using server = await TestServer.start()
  const { ingest } = ingestOver(server)
  const mqtt = { qos: 1, retain: false, session: 's' } as const
  const durable: unknown[] = []
  const refusal = ingest.event(identity, { ...eventOn('a'), deviceAt: 5, mqtt }, error => durable.push(error))
  expect(refusal).toBeNull()
  expect(durable).toEqual([])
  await eventually(() => durable.length === 1)
  expect(durable).toEqual([null])
  const [event] = await server.events()
  expect(event).toMatchObject({
    device: 'pump',
    topic: 'a',
    severity: 'info',
    deviceAt: 5,
    source: 'mqtt',
    mqtt
  })
})

test('refuses what is not allowed or no topic name, every time, and appends nothing', async () => {
  await using server = await TestServer.start()
  const { ingest, registry } = ingestOver(server, ['own/#'])
  for (let round = 0; round < 2; round++) {
    expect(ingest.event(identity, eventOn('other'), null)?.code).toBe('not-authorized')
    expect(ingest.event(identity, eventOn('own/+'), null)?.code).toBe('topic-invalid')
    expect(ingest.event(identity, eventOn('own/\0'), null)?.code).toBe('topic-invalid')
    expect(ingest.event(identity, eventOn('own/a/b/c'), null)?.code).toBe('topic-invalid')
    expect(ingest.event(identity, eventOn('own/a'), null)).toBeNull()
    expect(ingest.event(identity, eventOn('$SYS/a'), null)?.code).toBe('not-authorized')
  }
  await eventually(async () => (await server.events()).length === 2)
  const text = await registry.metrics()
  expect(text).toContain('tocsin_events_received_total{source="mqtt"} 2')
  expect(text).toContain('tocsin_events_refused_total{code="topic-invalid"} 6')
  expect(text).toContain('tocsin_events_refused_total{code="not-authorized"} 4')
})

test('judges every topic by itself, however many a device uses', async () => {
  await using server = await TestServer.start()
  const { ingest } = ingestOver(server, ['own/#'])
  for (let index = 0; index < 200; index++) {
    expect(ingest.event(identity, eventOn(`own/${index % 70}`), null)).toBeNull()
    expect(ingest.event(identity, eventOn(`other/${index % 70}`), null)?.code).toBe('not-authorized')
  }
  const stranger = { ...identity, device: 'x' }
  expect(ingest.event(stranger, eventOn('other/1'), null)?.code).toBe('not-authorized')
})
