// Which alerts a match is for, and how one is written.
import { describe, expect, test } from '@jest/globals'
import { readYaml } from '../../../gateway/alerting/yaml-reader.ts'
import { alertMatches } from '../../../gateway/alerts/match-alert.ts'
import { matchOfJson, parseMatch } from '../../../gateway/alerts/parse-match.ts'
import type { AlertMatch } from '../../../gateway/alerts/matcher.ts'
import { alert } from './alerts.ts'

function parsed(text: string) {
  const { root, problems } = readYaml(text)
  return { match: root === null ? undefined : parseMatch(root), problems }
}

describe('an alert matches', () => {
  test.each<[string, AlertMatch]>([
    ['no condition at all', {}],
    ['a severity that is no higher than its own', { severityMin: 'minor' }],
    ['its own severity', { severityMin: 'major' }],
    ['any of several rules', { rules: ['door', 'freezer-*'] }],
    ['a glob of its device', { devices: ['*-1'] }],
    ['a filter of its event’s topic', { topics: ['x', 'site/+/freezer/#'] }],
    ['its key', { keys: ['freezer-1'] }],
    ['globs of labels', { labels: { site: 'h*l' } }],
    ['the absence of a label', { labels: { floor: '' } }],
    ['anything in a label, also nothing', { labels: { floor: '*' } }],
    ['all conditions together', { severityMin: 'info', rules: ['*'], devices: ['*'], labels: { site: '*' } }]
  ])('%s', (_, match) => {
    expect(alertMatches(match, alert())).toBe(true)
  })

  test.each<[string, AlertMatch]>([
    ['a higher severity', { severityMin: 'critical' }],
    ['other rules', { rules: ['freezer', 'door-*'] }],
    ['other devices', { devices: ['pump-*'] }],
    ['other topics', { topics: ['site/+/pump/#'] }],
    ['other keys', { keys: ['freezer-2'] }],
    ['another value of a label', { labels: { site: 'yard' } }],
    ['a label it has not', { labels: { floor: '1' } }],
    ['a name that every object has', { labels: { constructor: 'Object' } }],
    ['all conditions but one', { severityMin: 'info', rules: ['*'], devices: ['pump'] }]
  ])('not: %s', (_, match) => {
    expect(alertMatches(match, alert())).toBe(false)
  })

  test('topics only where an event raised it', () => {
    expect(alertMatches({ topics: ['#'] }, alert({ eventTopic: '' }))).toBe(false)
    expect(alertMatches({ topics: ['#'] }, alert())).toBe(true)
  })
})

describe('a match', () => {
  test('is read with all its conditions, single texts as lists', () => {
    const text = `
severityMin: major
rules: ["freezer-*"]
devices: pump-7
topics: [site/#]
keys: ["*"]
labels: {site: hall, floor: 2, spare: ""}`
    expect(parsed(text)).toEqual({
      match: {
        severityMin: 'major',
        rules: ['freezer-*'],
        devices: ['pump-7'],
        topics: ['site/#'],
        keys: ['*'],
        labels: { site: 'hall', floor: '2', spare: '' }
      },
      problems: []
    })
  })

  test('with mistakes is none, so that it never matches more than was meant, and each is named', () => {
    const { match, problems } = parsed(`
severityMin: loud
rule: [a]
topics: [a/#/b]
devices: []
labels: {site: [hall]}`)
    expect(match).toBeUndefined()
    expect(problems).toEqual([
      { line: 3, message: 'rule: is unknown; did you mean rules?' },
      { line: 2, message: expect.stringContaining('severityMin: must be one of info') },
      { line: 5, message: 'devices: is empty; leave it out to match all' },
      { line: 4, message: 'topics: "a/#/b" is not an MQTT topic filter' },
      { line: 6, message: expect.stringContaining('labels.site: must be text') }
    ])
    expect(parsed('[]').match).toBeUndefined()
  })

  test('in a request’s JSON is judged as the file’s is', () => {
    expect(matchOfJson({ rules: ['a'], labels: { site: 'h: "*" #x' } })).toEqual({
      ok: true,
      match: { rules: ['a'], labels: { site: 'h: "*" #x' } }
    })
    expect(matchOfJson({})).toEqual({ ok: true, match: {} })
    expect(matchOfJson({ rules: [1, {}] })).toEqual({
      ok: false,
      message: expect.stringContaining('rules[1]')
    })
    expect(matchOfJson({ devies: ['a'] })).toMatchObject({
      message: 'devies: is unknown; did you mean devices?'
    })
    for (const wrong of [null, 'a', 7, [], undefined])
      expect(matchOfJson(wrong)).toMatchObject({ ok: false, message: expect.stringMatching(/./) })
    expect(matchOfJson({ keys: ['x'.repeat(70_000)] }).ok).toBe(false)
  })
})
