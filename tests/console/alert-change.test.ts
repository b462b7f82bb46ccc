import { describe, expect, test } from '@jest/globals'
import {
  addressOfAlertQuery,
  alertPasses,
  alertQueryOfAddress
} from '../../console/src/alerts/alert-query.ts'
import { withChange } from '../../console/src/alerts/alert-change.ts'
import { stepsOf, toldOf } from '../../console/src/alerts/story-steps.ts'
import type { AlertStory } from '../../console/src/api/shapes.ts'
import { alertItem, deliveryItem, item } from './items.ts'

describe('an alert after a notification', () => {
  test('is made of the notification alone where it was not known', () => {
    expect(withChange(undefined, alertItem({ labels: { site: 'north' } }))).toMatchObject({
      id: 'a1',
      rule: 'shakes',
      device: 'pump-1',
      state: 'firing',
      severity: 'major',
      labels: { site: 'north' },
      firstAt: '2026-09-21T14:13:20.100Z',
      acknowledged: null,
      resolved: null
    })
  })

  test('keeps who acknowledged it, and when it last happened', () => {
    const raised = withChange(undefined, alertItem())
    const seen = withChange(
      raised,
      alertItem({
        at: 1_790_000_001_000,
        state: 'acknowledged',
        change: 'acknowledged',
        actor: 'Ann',
        comment: 'on it'
      })
    )
    const again = withChange(
      seen,
      alertItem({ at: 1_790_000_002_000, state: 'acknowledged', change: 'repeated', count: 2 })
    )
    expect(again).toMatchObject({
      state: 'acknowledged',
      count: 2,
      acknowledged: { actor: 'Ann', comment: 'on it', at: '2026-09-21T14:13:21.000Z' },
      lastAt: '2026-09-21T14:13:22.000Z',
      changedAt: '2026-09-21T14:13:21.000Z'
    })
  })
})

describe('the address of the alerts', () => {
  test('gives back what it was made of', () => {
    const query = { show: 'resolved', severityMin: 'major', rules: ['shakes'], devices: ['pump-1'] } as const
    expect(alertQueryOfAddress(new URLSearchParams(addressOfAlertQuery(query)))).toEqual(query)
    expect(addressOfAlertQuery(alertQueryOfAddress(new URLSearchParams()))).toBe('')
  })

  test('says which alerts pass', () => {
    const alert = withChange(undefined, alertItem())
    const open = alertQueryOfAddress(new URLSearchParams())
    expect(alertPasses(open, alert)).toBe(true)
    expect(alertPasses({ ...open, severityMin: 'critical' }, alert)).toBe(false)
    expect(alertPasses({ ...open, rules: ['other'] }, alert)).toBe(false)
    expect(alertPasses({ ...open, devices: ['pump-1'] }, alert)).toBe(true)
  })
})

describe('the story of an alert', () => {
  const alert = withChange(undefined, alertItem())
  const story: AlertStory = {
    alert,
    cause: item(1),
    causeGone: false,
    entries: [
      alertItem(),
      deliveryItem({ cursor: 'e-201', outcome: 'failed', detail: 'timeout' }),
      deliveryItem({ cursor: 'e-202', attempt: 2, at: 1_790_000_003_000 }),
      deliveryItem({ cursor: 'e-203', channel: 'siren', outcome: 'suppressed', detail: 'silenced by s1' })
    ],
    gone: 0,
    truncated: false
  }

  test('begins with its cause, and says how long after each other its steps were', () => {
    const steps = stepsOf(story)
    expect(steps.map(({ notification }) => notification.cursor)).toEqual([
      'e-1',
      'e-100',
      'e-201',
      'e-202',
      'e-203'
    ])
    expect(steps.map(({ afterMs }) => afterMs)).toEqual([0, 99, 100, 2800, 0])
  })

  test('says of each channel what became of telling it', () => {
    expect(toldOf(story)).toEqual([
      {
        channel: 'desk',
        outcome: 'sent',
        at: 1_790_000_003_000,
        detail: '',
        failures: 1,
        sent: 1,
        lastSentAt: 1_790_000_003_000
      },
      {
        channel: 'siren',
        outcome: 'suppressed',
        at: 1_790_000_000_200,
        detail: 'silenced by s1',
        failures: 0,
        sent: 0,
        lastSentAt: null
      }
    ])
  })

  test.each(['suppressed', 'gave-up'] as const)(
    'says still that a channel was told when it was %s later',
    outcome => {
      const entries = [
        deliveryItem({ at: 1_790_000_003_000 }),
        deliveryItem({ at: 1_790_000_009_000, outcome, detail: 'why' })
      ]
      expect(toldOf({ ...story, entries })).toMatchObject([
        { outcome, at: 1_790_000_009_000, detail: 'why', sent: 1, lastSentAt: 1_790_000_003_000 }
      ])
    }
  )
})
