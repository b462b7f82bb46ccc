import { describe, expect, test } from '@jest/globals'
import { stripVTControlCharacters } from 'node:util'
import { notificationLine } from '../../cli/notification-line.ts'

const plain = { colour: false, width: Infinity }
const at = new Date(2026, 0, 2, 3, 4, 5, 67).getTime()
const event = {
  cursor: 'e-1',
  at,
  kind: 'event',
  device: 'freezer-0001',
  severity: 'info',
  topic: 'site/north/freezer/freezer-0001/temperature',
  payload: { n: 1, celsius: -18.2 }
}
const presence = {
  ...event,
  kind: 'presence',
  status: 'offline',
  reason: 'connection lost',
  severity: 'warning'
}

describe('a notification as a line', () => {
  test('shows time, severity, device, kind, topic and payload in columns', () => {
    expect(notificationLine(event, plain)).toBe(
      '03:04:05.067  info      freezer-0001      event     site/north/freezer/freezer-0001/temperature   {"n":1,"celsius":-18.2}'
    )
    expect(notificationLine(presence, plain)).toMatch(
      /^03:04:05\.067 {2}warning .* presence {2}offline +connection lost$/
    )
  })

  test('shows what became of an alert, by which rule, and who did it', () => {
    const alert = {
      ...event,
      kind: 'alert',
      alert: 'a17',
      rule: 'too-warm',
      state: 'firing',
      change: 'raised',
      title: 'Too warm',
      detail: '-2 °C',
      count: 1,
      severity: 'major'
    }
    const lineOf = (changes: object) => notificationLine({ ...alert, ...changes }, plain)
    expect(lineOf({})).toMatch(/major +freezer-0001 +alert +firing a17 too-warm +Too warm: -2 °C$/)
    expect(lineOf({ change: 'repeated', count: 5, detail: '' })).toMatch(
      /repeated a17 too-warm +Too warm \(5 times\)$/
    )
    expect(lineOf({ change: 'severity' })).toMatch(/severity a17 too-warm +Too warm/)
    const acknowledged = { state: 'acknowledged', change: 'acknowledged', actor: 'ada', detail: '' }
    expect(lineOf({ ...acknowledged, comment: 'on my way' })).toMatch(
      /acknowledged a17 too-warm +Too warm, by ada: on my way$/
    )
    expect(lineOf({ state: 'resolved', change: 'resolved', detail: '' })).toMatch(
      /resolved a17 too-warm +Too warm$/
    )
  })

  test('shows what became of a delivery, by which channel, about which alerts', () => {
    const delivery = {
      ...event,
      kind: 'delivery',
      alert: 'a17',
      channel: 'pager',
      attempt: 1,
      outcome: 'sent',
      detail: '204'
    }
    const lineOf = (changes: object) => notificationLine({ ...delivery, ...changes }, plain)
    expect(lineOf({})).toMatch(/delivery +sent pager a17 +204$/)
    expect(lineOf({ alerts: ['a17', 'a18', 'a19'] })).toMatch(/sent pager a17 \+2 +204$/)
    expect(lineOf({ outcome: 'failed', attempt: 3, detail: 'timeout' })).toMatch(
      /failed pager a17 +attempt 3: timeout$/
    )
    expect(lineOf({ outcome: 'suppressed', attempt: 0, channel: '', detail: 'no route' })).toMatch(
      /suppressed a17 +no route$/
    )
  })

  test('is green where all is well again, and red where nobody could be told', () => {
    const colour = { colour: true, width: Infinity }
    const alert = { ...event, kind: 'alert', severity: 'critical', state: 'firing', title: 'Too warm' }
    expect(notificationLine(alert, colour)).toContain('\u001b[1;31m')
    expect(notificationLine({ ...alert, state: 'resolved' }, colour)).toContain('\u001b[32m')
    const delivery = { ...event, kind: 'delivery', channel: 'pager', outcome: 'sent', detail: '204' }
    expect(notificationLine(delivery, colour)).toContain('\u001b[32m')
    expect(notificationLine({ ...delivery, outcome: 'gave-up' }, colour)).toContain('\u001b[1;31m')
  })

  test('is cut to the width of the terminal', () => {
    const line = notificationLine(event, { colour: false, width: 60 })
    expect(line).toHaveLength(60)
    expect(line.endsWith('…')).toBe(true)
  })

  test('is coloured by severity, and colours take no room', () => {
    for (const width of [50, 100, Infinity]) {
      const line = notificationLine({ ...event, severity: 'critical' }, { colour: true, width })
      expect(line).toContain('\u001b[1;31m')
      expect(stripVTControlCharacters(line)).toBe(
        notificationLine({ ...event, severity: 'critical' }, { colour: false, width })
      )
    }
    expect(notificationLine({ ...event, severity: 'major' }, plain)).not.toContain('\u001b')
  })

  test('never lets a device steer the terminal', () => {
    const line = notificationLine(
      { ...event, device: '\u001b[2Jx', topic: 'a\u0007b', payload: 'one\ntwo\u009b31m\u202e' },
      plain
    )
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(line).toContain('one two')
  })
})
