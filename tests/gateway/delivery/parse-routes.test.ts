// Reading routes.
import { describe, expect, test } from '@jest/globals'
import { readYaml } from '../../../gateway/alerting/yaml-reader.ts'
import { parseRoutes } from '../../../gateway/delivery/parse-routes.ts'

function read(text: string) {
  const { root, problems } = readYaml(text)
  if (root === null) throw new Error('no YAML')
  return { routes: parseRoutes(root, new Set(['duty', 'boss'])), problems }
}

describe('routes', () => {
  test('have defaults', () => {
    const { routes, problems } = read('- channels: [duty]\n')
    expect(problems).toEqual([])
    expect(routes).toEqual([
      {
        name: 'route-1',
        match: {},
        channels: ['duty'],
        group: ['rule'],
        groupWaitMs: 30_000,
        groupIntervalMs: 300_000,
        repeatIntervalMs: 14_400_000,
        escalate: [],
        quiet: [],
        sendResolved: true,
        continue: false
      }
    ])
  })

  test('are read whole', () => {
    const { routes, problems } = read(`
- name: night
  match: { severityMin: major, rules: ["freezer-*"], labels: { site: hall } }
  channels: [duty, duty]
  group: []
  groupWait: 1s
  groupInterval: 1m
  repeatInterval: 0
  escalate: [{ after: 10m, channels: [boss] }]
  quiet: [{ timeZone: Europe/Berlin, times: ["22:00-06:00"], days: [sat, sun], except: critical }]
  sendResolved: false
  continue: true
`)
    expect(problems).toEqual([])
    expect(routes[0]).toEqual({
      name: 'night',
      match: { severityMin: 'major', rules: ['freezer-*'], labels: { site: 'hall' } },
      channels: ['duty'],
      group: [],
      groupWaitMs: 1000,
      groupIntervalMs: 60_000,
      repeatIntervalMs: 0,
      escalate: [{ afterMs: 600_000, channels: ['boss'] }],
      quiet: [
        { timeZone: 'Europe/Berlin', times: [{ from: 1320, to: 360 }], days: [6, 0], except: 'critical' }
      ],
      sendResolved: false,
      continue: true
    })
  })

  test.each([
    ['{}', 'needs channels'],
    ['{channels: []}', 'must name a channel'],
    ['{channels: [dutty]}', 'did you mean duty?'],
    ['{channels: [duty], groupInterval: 0}', 'at least'],
    ['{channels: [duty], repeat: 5m}', 'is unknown'],
    ['{channels: [duty], quiet: [{timeZone: Mars, times: ["1:00-2:00"]}]}', 'no time zone'],
    ['{channels: [duty], quiet: [{timeZone: UTC, times: ["25:00-2:00"]}]}', 'no time of the day'],
    ['{channels: [duty], quiet: [{timeZone: UTC}]}', 'needs times or days'],
    ['{channels: [duty], quiet: [{timeZone: UTC, days: [monday]}]}', 'must be one of'],
    ['{channels: [duty], escalate: [{channels: [boss]}]}', 'needs after'],
    ['{channels: [duty], match: {severityMin: bad}}', 'must be one of'],
    ['{channels: [duty], group: ["a b"]}', 'no name of a label']
  ])('%s has a problem', (text, message) => {
    const { problems } = read(`- ${text}`)
    expect(problems.map(problem => problem.message).join()).toContain(message)
    expect(problems[0]?.line).toBe(1)
  })

  test('have names of their own', () => {
    expect(read('- {name: a, channels: [duty]}\n- {name: a, channels: [boss]}').problems).toEqual([
      { line: 2, message: expect.stringContaining('"a"') }
    ])
  })
})
