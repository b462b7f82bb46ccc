// How a channel does and when a route is quiet, as the console says it.
import { expect, test } from '@jest/globals'
import type { Channel } from '../../console/src/api/shapes.ts'
import { channelState, quietText } from '../../console/src/views/channels/channel-words.ts'

const attempt = (outcome: 'sent' | 'failed' | 'gave-up') => ({ at: '', outcome, detail: '' })

test.each<[Channel['circuit'], Channel['lastAttempt'], string]>([
  ['closed', null, 'unused'],
  ['closed', attempt('sent'), 'fine'],
  ['closed', attempt('failed'), 'failing'],
  ['closed', attempt('gave-up'), 'failing'],
  ['open', attempt('failed'), 'left-alone'],
  ['half-open', attempt('failed'), 'trying']
])('a channel with a circuit that is %s', (circuit, lastAttempt, state) => {
  expect(channelState({ circuit, lastAttempt })).toBe(state)
})

test('quiet hours are told with their days, zone and exception', () => {
  const night = { timeZone: 'Europe/Berlin', times: [{ from: 1320, to: 365 }], days: [5, 6] }
  expect(quietText({ ...night, except: 'major' })).toBe(
    '22:00–06:05, Fri, Sat (Europe/Berlin), but for Major and worse'
  )
  expect(quietText({ timeZone: 'UTC', times: [], days: [], except: null })).toBe(
    'the whole day, every day (UTC)'
  )
})
