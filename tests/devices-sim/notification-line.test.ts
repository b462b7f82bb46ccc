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

  test('shows alerts and deliveries', () => {
    const alert = {
      ...event,
      kind: 'alert',
      state: 'firing',
      title: 'Too warm',
      detail: '-2 °C',
      severity: 'major'
    }
    expect(notificationLine(alert, plain)).toMatch(/alert +firing +Too warm: -2 °C$/)
    const delivery = { ...event, kind: 'delivery', outcome: 'failed', channel: 'pager', detail: 'timeout' }
    expect(notificationLine(delivery, plain)).toMatch(/delivery +failed pager +timeout$/)
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
