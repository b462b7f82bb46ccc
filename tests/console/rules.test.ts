// What the console makes of rules: their text, their condition in words, the lanes of a dry run, the values around a firing.
import { describe, expect, test } from '@jest/globals'
import type {
  EventNotification,
  Firing,
  Notification,
  NotificationPage,
  Rule
} from '../../console/src/api/shapes.ts'
import { conditionParts } from '../../console/src/views/rules/condition-words.ts'
import { eventsAround, valuesOf } from '../../console/src/views/rules/values-around.ts'
import { barOf, lanesOf, rangeWithFirings, ticksOf } from '../../console/src/views/rules/lanes.ts'
import { durationSpelled, ruleText } from '../../console/src/views/rules/rule-text.ts'
import { parseRuleText } from '../../gateway/alerting/alerting-file.ts'
import { describeRule } from '../../gateway/alerting/rule-status.ts'

const files = {
  threshold: `
name: freezer-too-warm
topics: [site/+/freezer/+/temperature, '#']
devices: ['freezer-*', "a: b", '[x]', yes-no, 'yes']
when: "payload.celsius > -15.0 && topic != 'a # b: c'"
clear: '!has(payload.celsius) || payload.celsius < -18.0'
for: 1h30m
severity: critical
key: level(topic, 4)
title: "{device}: {payload.celsius} °C"
detail: "one\\ntwo \\"three\\""
labels: { site: '{level(topic, 2)}', kind: cold, on: 'true' }
runbook: https://wiki.example/freezers
flapping: { count: 5, within: 15m }`,
  count: 'name: door\nwhen: payload.open\ncount: 3\nwithin: 90s\nseverity: minor',
  rate: `name: tank\nrate: payload.litres\nper: 1m\nwithin: 10m\nwhen: rate < -2.0\nclear: rate >= 0.0\nfor: 500ms`,
  absent: "name: silent\ndevices: ['pump-*']\nabsent: 1d12h\ntitle: '{device} says nothing'",
  offline: 'name: gone\noffline: 0s\nseverity: info',
  alarm: `name: burner\ntopics: [burners/+/alarm]\nwhen: has(payload.level)\nof: payload.level
severities: { hot: minor, "1": critical, ok: clear, "true": warning }\notherwise: major`
}

/** The rule of a file as the server would list it. */
function listed(yaml: string): Rule {
  const { rule, problems } = parseRuleText(yaml)
  if (rule === null) throw new Error(JSON.stringify(problems))
  const figures = { keys: 0, evaluations: 0, errors: 0, lastError: null, raised: 0 }
  const status = describeRule(
    { rule, ...figures } as unknown as Parameters<typeof describeRule>[0],
    { openCount: () => 0 } as unknown as Parameters<typeof describeRule>[1]
  )
  return JSON.parse(JSON.stringify(status)) as Rule
}

describe('the text of a rule', () => {
  test.each(Object.entries(files))('is read by the server as the same rule: %s', (_type, yaml) => {
    const rule = listed(yaml)
    expect(listed(ruleText(rule))).toEqual({ ...rule, line: 1 })
  })

  test('leaves out what is the default, and is plain where that is safe', () => {
    expect(ruleText(listed("name: a\nwhen: payload.n > 1\ntitle: '{device} has {payload.n}'"))).toBe(
      'name: a\nwhen: payload.n > 1\nseverity: warning\ntitle: "{device} has {payload.n}"\n'
    )
  })

  test('spells durations as the file does', () => {
    expect([0, 500, 90_000, 5_400_000, 129_600_000].map(durationSpelled)).toEqual([
      '0s',
      '500ms',
      '1m30s',
      '1h30m',
      '1d12h'
    ])
  })
})

test.each([
  ['threshold', / for 1 h 30 min; cleared when !has/],
  ['count', /^payload.open 3 times within 1 min 30 s$/],
  ['rate', /^rate \(the change of payload.litres per 1 min, over 10 min\): rate < -2.0 for/],
  ['absent', /^nothing came for 36 h$/],
  ['offline', /^not connected for 0 s$/],
  ['alarm', /hot: Minor, ok: over, true: Warning, anything else: Major; looked at where has/]
] as const)('a condition in words: %s', (type, pattern) => {
  const parts = conditionParts(listed(files[type]))
  expect(parts.map(part => (typeof part === 'string' ? part : part.code)).join('')).toMatch(pattern)
})

const second = (at: number) => new Date(at * 1000).toISOString()
const firing = (key: string, at: number, clearedAt: number | null): Firing => ({
  at: second(at),
  clearedAt: clearedAt === null ? null : second(clearedAt),
  key,
  device: key,
  severity: 'major',
  title: key,
  count: 1,
  cause: ''
})

describe('lanes of a dry run', () => {
  test('the busiest keys have one each, the others are counted', () => {
    const firings = ['b', 'a', 'c', 'a', 'b', 'a', 'd'].map((key, at) => firing(key, at, at + 1))
    const { lanes, ...others } = lanesOf(firings, 2)
    expect(lanes.map(({ key, firings: own }) => [key, own.length])).toEqual([
      ['a', 3],
      ['b', 2]
    ])
    expect(others).toEqual({ otherKeys: 2, otherFirings: 2 })
    expect(lanesOf([], 2)).toEqual({ lanes: [], otherKeys: 0, otherFirings: 0 })
  })

  test('a bar lies where the firing was, and ends with the range if it still fires', () => {
    const range = { from: 0, to: 100_000 }
    expect(barOf(firing('a', 25, 75), range)).toEqual({ left: 0.25, width: 0.5 })
    expect(barOf(firing('a', 75, null), range)).toEqual({ left: 0.75, width: 0.25 })
    expect(barOf(firing('a', 90, 200), range)).toEqual({ left: 0.9, width: 1 - 0.9 })
    expect(ticksOf(range, 2)).toEqual([0, 50_000, 100_000])
  })
})

test('lanes span the time in which something fired, with some room, within what was asked for', () => {
  const range = { from: 0, to: 100_000 }
  expect(rangeWithFirings([firing('a', 40, 50), firing('b', 50, 60)], range)).toEqual({
    from: 39_000,
    to: 61_000
  })
  expect(rangeWithFirings([firing('a', 90, null)], range)).toEqual({ from: 89_000, to: 100_000 })
  expect(rangeWithFirings([], range)).toEqual(range)
})

const events: EventNotification[] = Array.from({ length: 20 }, (_, at) => ({
  kind: 'event',
  cursor: `c${at}`,
  at: at * 1000,
  device: 'pump',
  severity: 'info',
  topic: 'a',
  payload: at % 2 === 0 ? { n: at, open: true } : { deep: { n: at } },
  source: 'mqtt'
}))
const PAGE = 3

/** A log of those events, read in pages. */
const reads = {
  before: async (cursor: string): Promise<NotificationPage> => {
    const end = Number(cursor.slice(1))
    const items = events.slice(Math.max(0, end - PAGE), end).toReversed()
    return { items, cursor: items.at(-1)?.cursor ?? cursor, more: end > PAGE }
  },
  after: async (cursor: string): Promise<NotificationPage> => {
    const start = Number(cursor.slice(1)) + 1
    const items = events.slice(start, start + PAGE)
    return { items, cursor: items.at(-1)?.cursor ?? cursor, more: start + PAGE < events.length }
  }
}

describe('the values around a firing', () => {
  const cause = events[10] as Notification
  const limits = { eventsMax: 100, pagesMax: 100 }
  const cursorsOf = (found: readonly EventNotification[]) =>
    found.map(({ cursor }) => Number(cursor.slice(1)))

  test('are read from its place in both directions, over the range and no further', async () => {
    const found = await eventsAround(cause, { range: { from: 5000, to: 13_500 }, reads, limits })
    expect(cursorsOf(found.events)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13])
    expect(found.complete).toBe(true)
    const all = await eventsAround(cause, { range: { from: -1, to: 99_000 }, reads, limits })
    expect(all).toEqual({ events, complete: true })
  })

  test('are those nearest to it where there are too many, or the search is long', async () => {
    const range = { from: 0, to: 99_000 }
    const few = await eventsAround(cause, { range, reads, limits: { ...limits, eventsMax: 2 } })
    expect(cursorsOf(few.events)).toEqual([8, 9, 10, 11, 12])
    expect(few.complete).toBe(false)
    const short = await eventsAround(cause, { range, reads, limits: { ...limits, pagesMax: 1 } })
    expect(cursorsOf(short.events)).toEqual([7, 8, 9, 10, 11, 12, 13])
    expect(short.complete).toBe(false)
  })

  test('are the numbers in payloads, and truths as 1 and 0', () => {
    expect(valuesOf(events.slice(0, 3), '')).toEqual({
      times: [0, 1000, 2000],
      fields: [
        { name: 'n', values: [0, null, 2], steps: false },
        { name: 'open', values: [1, null, 1], steps: true },
        { name: 'deep.n', values: [null, 1, null], steps: false }
      ]
    })
  })
  test('begin with what the rule names', () => {
    const named = (text: string) => valuesOf(events.slice(0, 3), text).fields.map(({ name }) => name)
    expect(named('when: payload.open')).toEqual(['open', 'n', 'deep.n'])
    expect(named('when: payload.?deep.?n.orValue(0) > 1')).toEqual(['deep.n', 'n', 'open'])
  })
})
