// Which alerts a silence or route is for: in words, as typed, and as the console judges it.
import { describe, expect, test } from '@jest/globals'
import type { Alert, Match } from '../../console/src/api/shapes.ts'
import { matchOfFields, noFields } from '../../console/src/match/match-fields.ts'
import { matchTest } from '../../console/src/match/match-test.ts'
import { matchText } from '../../console/src/match/match-words.ts'
import { compileMatch } from '../../gateway/alerts/match-alert.ts'

test.each<[Match, string]>([
  [{}, 'every alert'],
  [{ severityMin: 'info' }, 'every alert'],
  [{ severityMin: 'major' }, 'severity Major or worse'],
  [{ severityMin: 'critical' }, 'severity Critical'],
  [
    { rules: ['too-warm', 'door-*'], labels: { site: 'hall', line: '' } },
    'rule too-warm or door-*, label site = hall, no label line'
  ],
  [{ devices: ['a'], topics: ['b/#'], keys: ['c'] }, 'device a, topic b/#, key c']
])('%j in words', (match, text) => {
  expect(matchText(match)).toBe(text)
})

test('what is typed becomes a match; what is empty is left out', () => {
  expect(matchOfFields(noFields)).toEqual({})
  expect(
    matchOfFields({
      severityMin: 'major',
      rules: ' too-warm, door-* ,',
      devices: ' ',
      topics: 'site/#',
      keys: 'hall a, hall b',
      labels: 'site = hall, line=, room'
    })
  ).toEqual({
    severityMin: 'major',
    rules: ['too-warm', 'door-*'],
    topics: ['site/#'],
    keys: ['hall a', 'hall b'],
    labels: { site: 'hall', line: '', room: '' }
  })
})

describe('the console judges alerts as the server does', () => {
  const alerts = [
    { severity: 'info', rule: 'too-warm', device: 'f-1', key: 'f-1', eventTopic: 'site/hall/f', labels: {} },
    {
      severity: 'major',
      rule: 'door',
      device: 'door-1',
      key: 'hall',
      eventTopic: 'site',
      labels: { site: 'a' }
    },
    { severity: 'critical', rule: '', device: '', key: '', eventTopic: '', labels: { site: 'b' } },
    { severity: 'minor', rule: 'aXbXa', device: 'ab', key: 'a*', eventTopic: '$sys/x', labels: { site: '' } }
  ]
  test.each<Match>([
    {},
    { severityMin: 'minor' },
    { rules: ['*'] },
    { rules: ['too-*', 'door'] },
    { rules: ['a*b*a', 'a*a*a*a'] },
    { devices: ['ab*b', '*-1'] },
    { devices: [''] },
    { keys: ['a*', 'hall'] },
    { topics: ['site/#'] },
    { topics: ['site/+/f', '+/x'] },
    { topics: ['#'] },
    { topics: ['$sys/#'] },
    { labels: { site: '' } },
    { labels: { site: '*' } },
    { labels: { site: 'a' }, severityMin: 'major' }
  ])('%j', match => {
    const ours = alerts.map(alert => matchTest(match)(alert as unknown as Alert))
    const theirs = alerts.map(alert =>
      compileMatch(match)(alert as unknown as Parameters<ReturnType<typeof compileMatch>>[0])
    )
    expect(ours).toEqual(theirs)
  })
})
