import { describe, expect, test } from '@jest/globals'
import { ruleOf, rulesOf } from './rules.ts'
import { scopeOf } from './scopes.ts'

function problemsOf(yaml: string): string[] {
  return rulesOf(yaml).problems.map(({ line, message }) => `${line} ${message}`)
}

describe('rules of a file', () => {
  test('are read with all their parts', () => {
    const { rules, problems } = rulesOf(`
- name: freezer-too-warm
  topics: [site/+/freezer/+/temperature]
  devices: freezer-*
  when: payload.celsius > -15.0
  clear: payload.celsius < -18.0
  for: 5m
  severity: critical
  key: level(topic, 4)
  title: "{device} is at {payload.celsius} °C"
  detail: "{topic}"
  labels: {site: "{level(topic, 2)}"}
  runbook: https://wiki.example/freezers
  flapping: {count: 5, within: 15m}
`)
    expect(problems).toEqual([])
    const [rule] = rules
    expect(rule).toMatchObject({
      type: 'threshold',
      name: 'freezer-too-warm',
      topics: ['site/+/freezer/+/temperature'],
      devices: ['freezer-*'],
      forMs: 300_000,
      severity: 'critical',
      runbook: 'https://wiki.example/freezers',
      flapping: { count: 5, withinMs: 900_000 },
      line: 2
    })
    const scope = scopeOf({ payload: { celsius: -14.3 } })
    expect(rule?.key.evaluate(scope)).toBe('7')
    expect(rule?.title.render(scope)).toBe('freezer-7 is at -14.3 °C')
    expect(rule?.labels['site']?.render(scope)).toBe('north')
  })

  test.each([
    ['when: payload > 1', { type: 'threshold', clear: null, forMs: 0, topics: [], devices: [] }],
    ['when: payload.open, count: 5, within: 10m', { type: 'count', count: 5, withinMs: 600_000 }],
    [
      'rate: payload.n, per: 1m, within: 10m, when: rate > 2',
      { type: 'rate', perMs: 60_000, withinMs: 600_000 }
    ],
    ['absent: 15m, topics: [a/#], severity: major', { type: 'absent', absentMs: 900_000, severity: 'major' }],
    ['offline: 2m, title: "{device} is offline: {reason}"', { type: 'offline', offlineMs: 120_000 }],
    ['of: payload.state, severities: {1: critical, ok: clear}', { type: 'alarm', otherwise: 'ignore' }]
  ])('%s', (yaml, parts) => {
    const rule = ruleOf(yaml)
    expect(rule).toMatchObject(parts)
    expect(rule.key.evaluate(scopeOf())).toBe('freezer-7')
  })

  test('have a title of their own where none is given', () => {
    expect(ruleOf('absent: 1m').title.render(scopeOf({ rule: 'silent', key: 'pump-1' }))).toBe(
      'silent: pump-1'
    )
  })

  test('are refused with every problem and its line', () => {
    const found = problemsOf(`
- name: one
  when: payload.celsius >
  for: soon
- name: one
  absent: 15m
  when: payload.open
- name: bad name!
  devices: []
  topics: [a/#/b]
  when: temperature > 5
  severity: urgent
  title: "{device"
  runbook: javascript:alert(1)
  labels: {"1st": x}
- {name: two, absent: 1m, count: 3}
- {name: three}
- {name: four, offline: 2m, topics: [a], title: "{payload.x}"}
- {name: five, when: payload > 1, wen: 1}
- {name: six, within: 5m, when: payload > 1, key: "[device]"}
- {name: seven, absent: 0, devices: [pump-1], key: topic}
- {name: eight, of: payload.state, severities: {a: bad}, severity: major}
- {name: nine, rate: topic, when: rate > 1, flapping: {count: 1, within: 1m}}
- nothing
`)
    expect(found).toEqual([
      '3 [0].when: Unexpected token: EOF, at character 18',
      '4 [0].for: must be a duration such as 30s, 5m or 1h30m; it is "soon"',
      '5 [1].name: "one" is the name of the rule at line 2, too',
      '7 [1].when: has no meaning in a rule with absent',
      '8 [2].name: must be 1 to 100 letters, digits, ., - and _',
      '10 [2].topics: "a/#/b" is no topic filter',
      '9 [2].devices: must name one at least; leave it out for any',
      expect.stringMatching(/^12 \[2\]\.severity: must be one of info, /),
      '13 [2].title: has a { without a }; write {{ for a brace',
      '15 [2].labels.1st: must be named by letters, digits, ., - and _, a letter first',
      '14 [2].runbook: must be a URL that begins with https:// or http://',
      '11 [2].when: Unknown variable: temperature; known are payload, topic, device, at, severity',
      "16 [3].absent: can't be in a rule that has count: they are two types of rule",
      '17 [4]: needs when',
      '18 [5].topics: has no meaning in a rule with offline',
      '18 [5].title: {payload.x}: Unknown variable: payload; known are device, at, severity, reason, key, rule',
      '19 [6].wen: is unknown; did you mean when?',
      '20 [7].within: has no meaning in a rule without count, rate, absent, offline or severities',
      '20 [7].key: must give text; it gives a list',
      '21 [8].absent: must be longer than 0',
      '22 [9].severity: has no meaning in a rule with severities',
      '22 [9].severities.a: must be one of info, warning, minor, major, critical, clear; it is "bad"',
      '23 [10].flapping.count: must be a whole number from 2 to 1000; it is 1',
      '23 [10].rate: must give a number; it gives text',
      '23 [10]: needs per',
      '23 [10]: needs within',
      '24 [11]: must be a mapping; it is "nothing"'
    ])
  })

  test('that wait for devices by name have the device as key', () => {
    expect(problemsOf('- {name: a, absent: 1m, devices: [pump-1], key: topic}')).toEqual([
      '1 [0].key: must be device where devices without a * are waited for'
    ])
  })

  test('mean the same as long as only their texts differ', () => {
    const { fingerprint } = ruleOf('when: payload > 1, for: 1m')
    expect(ruleOf('when: payload > 1, for: 60s, title: x, severity: major').fingerprint).toBe(fingerprint)
    for (const other of [
      'when: payload > 2, for: 1m',
      'when: payload > 1, for: 2m',
      'when: payload > 1, for: 1m, key: topic',
      'when: payload > 1, for: 1m, topics: a',
      'when: payload > 1, for: 1m, clear: payload < 1'
    ])
      expect(ruleOf(other).fingerprint).not.toBe(fingerprint)
  })
})
